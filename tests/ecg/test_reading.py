"""Bad input ends in one clear sentence or in a counted drop, never in wrong beats."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import wfdb
from scipy.signal import resample_poly

from ecgphoton.ecg.beats import load_all
from ecgphoton.ecg.extract import extract
from ecgphoton.ecg.formats import record_names
from ecgphoton.ecg.patient_features import columns_of
from ecgphoton.ecg.patients import patient, synthesise
from ecgphoton.ecg.reading import read_recording
from ecgphoton.ecg.synthetic import recording
from ecgphoton.ecg.windows import AT_EDGE, GAP, PAST_END
from ecgphoton.errors import InputError


@pytest.fixture
def folder(wfdb_folder, tmp_path):
    """A copy of one made-up record that a test may damage."""
    for path in wfdb_folder.glob("s01.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def edit_header(folder, change):
    """Rewrite the header of s01."""
    path = folder / "s01.hea"
    path.write_text(change(path.read_text()))


@pytest.mark.parametrize("suffix", ["hea", "dat", "atr"])
def test_a_missing_file_is_named(folder, suffix):
    """A record without header, signal or annotations says which one it lacks."""
    (folder / f"s01.{suffix}").unlink()
    with pytest.raises(InputError, match=r"holds no recording|lacks s01\.(dat|atr)"):
        read_recording(folder, "s01")


@pytest.mark.parametrize("suffix", ["hea", "dat", "atr"])
@pytest.mark.parametrize("keep", [0, 0.3, 0.6])
def test_a_truncated_file_is_refused(folder, suffix, keep):
    """A file that lost its end is refused, whichever of the three it is."""
    path = folder / f"s01.{suffix}"
    data = path.read_bytes()
    if suffix == "hea":  # losing the end of a comment harms nobody
        data = data[: data.index(b"#")]
    path.write_bytes(data[: int(keep * len(data)) - 1] if keep else b"")
    with pytest.raises(InputError, match=r"s01"):
        read_recording(folder, "s01")


def test_a_corrupt_signal_is_refused(folder):
    """One changed byte in the signal is caught by the header's checksum."""
    path = folder / "s01.dat"
    data = bytearray(path.read_bytes())
    data[3000] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(InputError, match="checksum"):
        read_recording(folder, "s01")


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_not_a_record(folder, seed):
    """Random bytes in place of any file give an InputError and nothing else."""
    rng = np.random.default_rng(seed)
    path = folder / f"s01.{['hea', 'atr'][seed % 2]}"
    path.write_bytes(rng.bytes(400) + b"\0\0")
    try:
        found = read_recording(folder, "s01")
    except InputError:
        return
    assert (np.diff(found.samples) >= 0).all()  # by chance a valid annotation file


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("s01.dat", "../s01.dat"),
        lambda text: text.replace("s01.dat", "/etc/hostname"),
        lambda text: text.replace("s01.dat", "~"),
        lambda text: text.replace("s01 2 360", "s01 9999999 360"),
        lambda text: text.replace("s01 2 360", "s01/3 2 360"),
        lambda text: text.replace(" 360 ", " 360 99999999"),
        lambda text: text.replace(" 212 ", " 999 "),
        lambda text: text.replace(" 360 ", " nan "),
        lambda text: text.replace(" 360 ", " 0 "),
        lambda text: text.replace(" 360 ", " 3 "),
    ],
)
def test_a_hostile_header_is_refused(folder, change):
    """Paths outside the folder, absurd sizes, formats and rates are refused without reading."""
    edit_header(folder, change)
    with pytest.raises(InputError):
        read_recording(folder, "s01")


def test_unknown_record_and_wrong_path(folder):
    """An unknown name lists the known ones; a path without records says so."""
    with pytest.raises(InputError, match=r"no record '217'.*s01.*--protocol FILE"):
        load_all(["217"], data=folder)
    with pytest.raises(InputError, match="no record"):
        load_all(["../s01"], data=folder)
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match="holds no recording"):
        record_names(folder / "empty")
    with pytest.raises(InputError, match="not a folder"):
        load_all(["s01"], data=folder / "s01.dat")
    with pytest.raises(InputError, match="not a folder"):
        load_all(["s01"], data=folder / "nowhere")


def test_lead_by_name_by_channel_and_missing(folder):
    """V1 is channel 1; a lead that is not there is refused; the next preferred one is named."""
    named = read_recording(folder, "s01", lead="V1")
    numbered = read_recording(folder, "s01", lead="channel:1")
    np.testing.assert_array_equal(named.signal, numbered.signal)
    assert numbered.lead == "V1"
    edit_header(folder, lambda text: text.replace("MLII", "V5"))
    found = read_recording(folder, "s01", prefer=("MLII", "V5"))
    assert found.lead == "V5"
    assert found.notes == ("s01: no lead MLII; V5 is used",)
    for lead in ("MLII", "channel:2"):
        with pytest.raises(InputError, match=rf"no lead {lead}.*V5 .channel:0., V1 .channel:1"):
            read_recording(folder, "s01", lead=lead)


def test_a_lead_that_no_record_has_is_refused(wfdb_folder):
    """A mistyped lead name does not silently become another lead."""
    with pytest.raises(InputError, match=r"no lead MLLI; its leads are MLII \(channel:0\)"):
        load_all(["s01", "s02"], data=wfdb_folder, lead="MLLI")


@pytest.mark.parametrize("rate", [250, 128, 1000])
def test_another_sampling_rate_is_resampled_and_stated(folder, rate):
    """A record at another rate gives almost the same beats at 360 Hz, and a note."""
    made = synthesise(patient(1), beats=60)
    wanted = extract(recording(made), source="x").beats
    signal = resample_poly(made.digital.astype(float), rate, 360, padtype="edge")
    signal = np.rint(signal).astype(int)
    options = {"units": ["mV"] * 2, "sig_name": ["MLII", "V1"], "fmt": ["212"] * 2}
    options |= {"adc_gain": [200] * 2, "baseline": [1024] * 2, "write_dir": str(folder)}
    wfdb.wrsamp("other", fs=rate, d_signal=signal, **options)
    at = np.rint(made.samples * rate / 360).astype(int)
    wfdb.wrann("other", "atr", at, list(made.symbols), write_dir=str(folder))
    loaded = load_all(["other"], data=folder)
    beats, report = loaded.beats, loaded.report
    assert report.notes == (f"other: resampled from {rate} Hz to 360 Hz",)
    assert beats.fs == 360
    assert np.abs(beats.sample - wanted.sample).max() <= np.ceil(360 / rate)
    if rate >= 250:
        similar = [
            np.corrcoef(a, b)[0, 1] for a, b in zip(beats.windows, wanted.windows, strict=True)
        ]
        assert np.median(similar) > 0.97


def test_gaps_drop_beats_and_count_them(folder):
    """Missing samples drop the beats they touch, counted; the others are unchanged."""
    clean = recording(synthesise(patient(1), beats=60))
    signal = clean.signal.copy()
    signal[clean.samples[20] + 5] = np.nan
    whole, broken = (extract(r, source="x") for r in (clean, replace(clean, signal=signal)))
    dropped = broken.report.by_reason()[GAP]
    assert dropped >= 1
    assert len(broken.beats) == len(whole.beats) - dropped
    assert np.isfinite(broken.beats.windows).all()
    kept = np.isin(whole.beats.sample, broken.beats.sample)
    np.testing.assert_array_equal(whole.beats.windows[kept], broken.beats.windows)
    timing = columns_of(["pre/recent", "pre/long-run", "post/usual", "interval rank"])
    np.testing.assert_array_equal(
        whole.beats.patient[kept][:, timing], broken.beats.patient[:, timing]
    )


def test_invalid_samples_in_a_file_are_gaps(folder):
    """Format 212 marks a missing sample with -2048; it never becomes a huge spike."""
    made = synthesise(patient(1), beats=60)
    digital = made.digital.astype(int)
    digital[made.samples[20], 0] = -2048
    options = {"units": ["mV"] * 2, "sig_name": ["MLII", "V1"], "fmt": ["212"] * 2}
    options |= {"adc_gain": [200] * 2, "baseline": [1024] * 2, "write_dir": str(folder)}
    wfdb.wrsamp("s01", fs=360, d_signal=digital, **options)
    found = read_recording(folder, "s01")
    assert np.isnan(found.signal).sum() == 1
    assert extract(found, source="x").report.by_reason()[GAP] >= 1


def test_flat_beats_are_kept_as_zeros_and_reported():
    """A disconnected electrode gives zero beats and a sentence with their number."""
    clean = recording(synthesise(patient(1), beats=60))
    signal = clean.signal.copy()
    signal[clean.samples[30] - 200 : clean.samples[30] + 200] = 1024
    found = extract(replace(clean, signal=signal), source="x")
    row = found.beats.windows[found.beats.sample == clean.samples[30]]
    assert not row.any()
    assert "s01: 1 flat beats became zeros" in found.report.notes


def test_edges_and_annotations_past_the_end_are_counted():
    """Beats without a whole window and beats beyond the signal are dropped, by reason."""
    clean = recording(synthesise(patient(1), beats=60))
    length = int(clean.samples[50]) + 100
    found = extract(replace(clean, signal=clean.signal[:length]), source="x")
    past = int((clean.samples >= length).sum())
    assert found.report.by_reason()[PAST_END] == past > 0
    assert found.report.by_reason()[AT_EDGE] >= 1
    assert len(found.beats) + sum(found.report.by_reason().values()) == len(clean.samples)


def test_a_recording_shorter_than_a_beat_has_none():
    """Nothing fits into half a second; that is a count, not a crash."""
    clean = recording(synthesise(patient(1), beats=60))
    found = extract(replace(clean, signal=clean.signal[:180]), source="x")
    assert len(found.beats) == 0
    assert sum(found.report.by_reason().values()) == len(clean.samples)
