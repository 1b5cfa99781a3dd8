"""Readers of recordings and labels meet damaged files: one sentence, soon, or right values.

``ECGPHOTON_FUZZ=20000`` meets that many; ``ECGPHOTON_FUZZ_SEED`` draws others.
"""

import os
import signal
import warnings

import numpy as np
import pytest
import wfdb
from damage import mutated
from recordings import FS, ecg, write_dicom, write_edf, write_wfdb

from ecgphoton.ecg.dataset import Dataset
from ecgphoton.ecg.formats import open_recording, read
from ecgphoton.ecg.labels import label_file, read_labels
from ecgphoton.ecg.protocols import protocol_of
from ecgphoton.ecg.reading import read_recording
from ecgphoton.errors import InputError

TOTAL = int(os.environ.get("ECGPHOTON_FUZZ", "480"))
SEED = int(os.environ.get("ECGPHOTON_FUZZ_SEED", "7"))
SECONDS = 5
SIGNAL, BEATS = ecg(seconds=6)
WORDS = ["", "0", "-1", "9" * 12, "nan", "inf", "1,5", "a;b", "x" * 500, "II", "mmHg", "0:00:61"]


class HangError(BaseException):
    """An input took too long; no reader may swallow this."""


def _hang(*_):
    raise HangError


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with a good file of every kind."""
    folder = tmp_path_factory.mktemp("whole")
    write_edf(folder / "e.edf", SIGNAL, beats=BEATS, symbols=["N"] * len(BEATS))
    write_dicom(folder / "d.dcm", SIGNAL)
    np.save(folder / "n.npy", SIGNAL)
    np.savez(folder / "z.npz", signal=SIGNAL, fs=FS, unit="mV", leads=["II"])
    rows = [f"{i / FS:.3f};{value:.3f}" for i, value in enumerate(SIGNAL[:300])]
    (folder / "t.csv").write_text("\n".join(["time;II (mV)", *rows]))
    write_wfdb(folder, "f", SIGNAL, fmt="516", beats=BEATS)
    for number in (0, 1):
        write_wfdb(folder, f"s{number}", SIGNAL[:500])
    (folder / "m.hea").write_text(f"m/3 1 {FS} 1100\ns0 500\n~ 100\ns1 500\n")
    wfdb.wrsamp(
        "x", fs=FS / 4, units=["mV", "mV"], sig_name=["II", "slow"], fmt=["16", "16"],
        e_p_signal=[SIGNAL, SIGNAL[::4]], samps_per_frame=[4, 1], write_dir=str(folder),
    )  # fmt: skip
    rows = [f"{at / FS:.3f},N" for at in BEATS]
    (folder / "e.csv").write_text("\n".join(["time,symbol", *rows]))
    (folder / "p.toml").write_text('train = ["e"]\nvalidation = ["d"]\ntest = ["t"]\nlead = "II"\n')
    (folder / "o.toml").write_text(
        'name = "o"\nrecords = ["t"]\nleads = ["II"]\n[symbols]\nb = "N"\n'
    )
    return folder


def _read(path):
    held = read(path, **({"fs": FS} if path.suffix == ".npy" else {}))
    assert held.signal.ndim == 2
    assert 0 < held.fs < 1e6
    assert held.signal.dtype == np.float32


def _recording(path):
    _read(path)
    held = open_recording(path)
    for channel in range(len(held.channels)):
        held.read(channel, 0, min(100, held.channels[channel].length))


def _labels(path):
    found = read_labels(path, FS)
    assert (np.diff(found.sample) >= 0).all()


def _edf_labels(path):
    _labels(label_file(path, "edf+"))


def _annotated(path):
    read_recording(path.parent, path.stem)


READERS = {
    "e.edf": _recording,
    "d.dcm": _recording,
    "n.npy": _read,
    "z.npz": _read,
    "t.csv": _recording,
    "f.hea": _annotated,
    "f.dat": _annotated,
    "m.hea": _recording,
    "s1.hea": lambda path: _recording(path.with_name("m.hea")),
    "x.hea": _recording,
    "e.csv": _labels,
    "e.edf+": _edf_labels,
    "p.toml": protocol_of,
    "o.toml": Dataset.from_file,
}


def damaged(data, rng):
    """Return bytes with faults as everywhere, at times in the header alone, or with other words."""
    head = int(rng.choice([64, 1024, len(data)]))
    body = mutated(data[:head], rng) + data[head:]
    if rng.integers(0, 3) == 0:
        cells = body[:4000].replace(b";", b" ; ").split(b" ")
        cells[int(rng.integers(0, len(cells)))] = str(rng.choice(WORDS)).encode()
        body = b" ".join(cells).replace(b" ; ", b";") + body[4000:]
    return body


@pytest.mark.parametrize("name", READERS)
@pytest.mark.filterwarnings("default")
def test_damage_ends_in_one_sentence_or_right_values(name, whole, tmp_path):
    """No damaged file hangs a reader, or ends otherwise than in one line."""
    import shutil

    file = name.removesuffix("+")
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    good = (whole / file).read_bytes()
    number = list(READERS).index(name)
    old = signal.signal(signal.SIGALRM, _hang)
    try:
        for trial in range(max(1, TOTAL // len(READERS))):
            rng, said = np.random.default_rng([SEED, number, trial]), ""
            (tmp_path / file).write_bytes(damaged(good, rng))
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    READERS[name](tmp_path / file)
            except InputError as error:
                said = str(error)
            except (Exception, HangError) as error:
                raise AssertionError(f"trial {trial} of {name}, seed {SEED}") from error
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            assert "\n" not in said, (trial, said)
            assert len(said) < 2000, trial
    finally:
        signal.signal(signal.SIGALRM, old)
