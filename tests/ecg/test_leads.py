"""One rule says which lead is meant; a pressure is never an ECG."""

import numpy as np
import pytest
from recordings import FS, ecg, write_wfdb

from ecgphoton.ecg.formats import open_recording, read
from ecgphoton.ecg.leads import choose, column_of, lead_name, looks_like_ecg
from ecgphoton.ecg.reading import open_signal
from ecgphoton.errors import InputError

SIGNAL, BEATS = ecg(seconds=40)
AT = np.arange(len(SIGNAL)) / FS
PRESSURE = 80 + 20 * np.sin(2 * np.pi * 1.1 * AT)
NOISE = 0.1 * np.random.default_rng(1).standard_normal(len(SIGNAL))


def record(folder, **leads):
    """Open a record with these leads: name to samples and unit."""
    write_wfdb(
        folder, "a", np.column_stack([samples for samples, _ in leads.values()]),
        units=[unit for _, unit in leads.values()],
        lead=[name.replace("_", " ") for name in leads],
    )  # fmt: skip
    return open_recording(folder / "a")


SECOND = (
    "II", "ii", "ECG II", "lead II", "MLII", "channel:1", "EKG-II", "ECG lead II", "D2", "DII",
    "MDC_ECG_LEAD_II", "Lead II (Einthoven)", "II [\u00b5V]", "II.", "MLII.", "Ableitung II",
    "II Ableitung", "D-II", "Отведение II", "II导联", "Abl. II", "D\u00e9rivation II",
    "De\u0301rivation II", "Derivaci\u00f3n II", "\u2161", "ECG (II)", "II ECG",
    "MDC_ECG_ELEC_POTL_II", "L II", "LII", "L-II", "II raw",
)  # fmt: skip


@pytest.mark.parametrize("asked", SECOND)
def test_case_and_prefixes_are_ignored(asked, tmp_path):
    """Lead II by any of its names is lead II."""
    held = record(tmp_path, ABP=(PRESSURE, "mmHg"), II=(SIGNAL, "mV"))
    assert choose(held, asked) == 1
    if not asked.startswith("channel"):
        held = record(tmp_path, V1=(SIGNAL, "mV"), **{asked: (SIGNAL, "mV")})
        assert choose(held) == 1


@pytest.mark.parametrize("asked", ["V5", "channel:2", "channel:x", "channel:-1", "I", "", "ECG"])
def test_a_lead_that_is_not_there_is_refused_with_the_list(asked, tmp_path):
    """What is asked for is used or refused, never replaced."""
    held = record(tmp_path, ABP=(PRESSURE, "mmHg"), II=(SIGNAL, "mV"))
    with pytest.raises(InputError, match=r"its leads are ABP \(channel:0\), II \(channel:1\)"):
        choose(held, asked)
    with pytest.raises(InputError, match="no lead"):
        open_signal(tmp_path / "a", asked)


def test_an_exact_name_comes_before_a_similar_one(tmp_path):
    """Of MLII and II the one that is named exactly is meant, whatever the case."""
    held = record(tmp_path, MLII=(SIGNAL, "mV"), II=(SIGNAL, "mV"))
    assert (choose(held, "II"), choose(held, "MLII"), choose(held, "ii")) == (1, 0, 1)


def test_a_recording_in_memory_has_the_same_rule(tmp_path):
    """Case comes before modified leads, and of two leads of one name none is guessed."""
    record(tmp_path, MLII=(SIGNAL, "mV"), II=(SIGNAL, "mV"), ECG_V1=(SIGNAL, "mV"))
    held = read(tmp_path / "a")
    assert [column_of(held, name) for name in ("ii", "MLII", "v1")] == [1, 0, 2]
    for name in (None, "V5", ""):
        with pytest.raises(InputError, match="with MLII, II, ECG V1; name one"):
            column_of(held, name)
    record(tmp_path, ECG_II=(SIGNAL, "mV"), Lead_II=(SIGNAL, "mV"))
    with pytest.raises(InputError, match="with ECG II, Lead II; name one"):
        column_of(read(tmp_path / "a"), "II")


@pytest.mark.parametrize(("names", "asked"), [("II II", "ii"), ("ECG_II Lead_II", "II")])
def test_of_two_leads_of_one_name_none_is_guessed(names, asked, tmp_path):
    """A name that two leads have is refused with their numbers, and either number is taken."""
    first, second = names.split()
    record(tmp_path, **{first: (SIGNAL, "mV"), "x": (-SIGNAL, "mV")})
    header = tmp_path / "a.hea"
    header.write_text(header.read_text().replace(" x\n", f" {second.replace('_', ' ')}\n"))
    held = open_recording(tmp_path / "a")
    with pytest.raises(InputError, match=r"has 2 leads .*channel:0.*channel:1"):
        choose(held, asked)
    assert (choose(held, "channel:1"), choose(held)) == (1, 0)


@pytest.mark.parametrize("name", ["RESP", "Pleth", "abp", "EEG_Fpz", "SpO2", "ART"])
def test_another_signal_is_no_ecg_even_alone_and_in_volts(name, tmp_path):
    """A respiration or a pressure in mV is never taken for an ECG; by its name it is read."""
    held = record(tmp_path, **{name: (SIGNAL, "mV")})
    with pytest.raises(InputError, match="no channel that is an ECG"):
        choose(held)
    assert choose(held, name.replace("_", " ")) == 0


def test_the_order_of_preference(tmp_path):
    """Preferred leads in order, else II, else the first that is an ECG by name."""
    held = record(tmp_path, V5=(SIGNAL, "mV"), II=(SIGNAL, "mV"), V1=(SIGNAL, "mV"))
    assert choose(held, prefer=("aVR", "V1")) == 2
    assert choose(held, prefer=("MLI",)) == 1
    held = record(tmp_path, CVP=(PRESSURE, "mmHg"), V5=(SIGNAL, "mV"), ECG9=(SIGNAL, "mV"))
    assert choose(held) == 1


def test_an_ecg_is_known_by_unit_and_spectrum(tmp_path):
    """Among nameless channels noise, a pulse wave in volts and a pressure are passed over."""
    pulse = 0.5 * np.sin(2 * np.pi * 1.2 * AT)
    held = record(
        tmp_path, x1=(PRESSURE, "mmHg"), x2=(NOISE, "mV"), x3=(pulse, "mV"), x4=(SIGNAL, "mV")
    )
    assert choose(held) == 3
    held = record(tmp_path, x1=(PRESSURE, "mmHg"), x2=(NOISE, "mV"))
    with pytest.raises(InputError, match="no channel that is an ECG"):
        choose(held)
    counter = (np.arange(len(AT)) % 25, "mV")
    marker = (np.isin(np.arange(len(AT)), (BEATS[:, None] + np.arange(5)).ravel()), "mV")
    held = record(tmp_path, x1=counter, x2=marker, x3=(SIGNAL, "mV"))
    assert choose(held) == 2
    held = record(tmp_path, ABP=(PRESSURE, "mmHg"))
    with pytest.raises(InputError, match="no channel that is an ECG"):
        choose(held)


def test_the_stand_in_is_named(tmp_path):
    """Where the student's lead is not there, a note names the lead that was read."""
    record(tmp_path, ABP=(PRESSURE, "mmHg"), II=(SIGNAL, "mV"))
    signal = open_signal(tmp_path / "a")
    assert signal.lead.name == "II"
    assert signal.notes[0] == "a: no lead MLII; II is used"


@pytest.mark.parametrize(
    ("name", "wanted", "noted"),
    [
        ("ECG II", "II", False),
        ("ii", "II", False),
        ("II", "MLII", True),
        ("MLII", "II", True),
        ("Lead 1", "ECG1", True),
    ],
)
def test_a_prefix_makes_no_stand_in(name, wanted, noted, tmp_path):
    """ECG II is lead II, of which it is not said that it is not there; others are named."""
    record(tmp_path, **{name: (SIGNAL, "mV")})
    notes = open_signal(tmp_path / "a", prefer=(wanted,)).notes
    assert [one for one in notes if "no lead" in one] == (
        [f"a: no lead {wanted}; {name} is used"] if noted else []
    )


def test_plain_names_and_spectra():
    """Names that are no leads stay as they are; an ECG of any unit looks like one."""
    assert [lead_name(name) for name in ("ECG1", "Lead aVR", "MV2", "Resp", "MLII ")] == [
        "ecg1", "avr", "v2", "resp", "ii"
    ]  # fmt: skip
    assert looks_like_ecg((1000 * SIGNAL).astype(np.float32), FS)
    assert looks_like_ecg(ecg(seconds=40, fs=2000)[0].astype(np.float32), 2000)
    assert not looks_like_ecg(NOISE.astype(np.float32), FS)
    assert not looks_like_ecg(np.zeros(10_000, np.float32), FS)


@pytest.mark.parametrize("name", ["ECG_HR", "ecg_quality", "ECG_Resp", "ecg_timestamp", "EKG_RR"])
def test_what_is_said_about_an_ecg_is_none(name, tmp_path):
    """A rate, a quality or a respiration taken from the ECG is not taken for it."""
    held = record(tmp_path, **{name: (NOISE, "mV"), "ECG": (SIGNAL, "mV")})
    assert choose(held) == 1


@pytest.mark.parametrize("name", ["-II", "II (inverted)", "Lead 2", "my II", "L2"])
def test_a_name_that_only_holds_one_is_another_lead(name, tmp_path):
    """A lead upside down, or that of another place, is never used in place of II."""
    held = record(tmp_path, **{name: (SIGNAL, "mV"), "V5": (SIGNAL, "mV")})
    with pytest.raises(InputError, match="no lead II"):
        choose(held, "II")
