"""How well a student knows what it does not know: the check of `annotate` against labels.

    python -m benchmarks scope inter-patient
    python -m benchmarks scope runs/mine --sets DS1 --paced 102 104 107

For each set of records: the rank correlation (Spearman) over records between the FPR at the
student's threshold (reference R peaks) and the score, and each of its values (detected R peaks);
how many records are outside as they are (false alarms, if they are like those of training), and how
many when they are turned over, wrongly scaled or noisy. Last, how many records of paced patients
are outside. Noise is made up: white, and baseline wander of 0.05 to 0.5 Hz, by the ratio of the
variances of recording and noise. DS1 holds the patients who fixed the limits.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks._pages import table
from ecgphoton.ecg import database
from ecgphoton.ecg.beats import load_all
from ecgphoton.ecg.databases import MITDB, dataset_of
from ecgphoton.ecg.dataset import Dataset
from ecgphoton.ecg.protocols import PROTOCOLS
from ecgphoton.ecg.reading import open_signal
from ecgphoton.metrics import confusion
from ecgphoton.run.annotator import Annotator
from ecgphoton.run.scope import ScopeReport
from ecgphoton.runs import TrainedStudent, load
from ecgphoton.student.network import predict

Samples = NDArray[np.float32]
PACED = ("102", "104", "107", "217")
WANDER = (0.05, 0.5)  # Hz


def noisy(samples: Samples, fs: float, decibel: float, band: tuple[float, float]) -> Samples:
    """Add noise of a band, so many dB below the recording."""
    drawn = np.random.default_rng(0).normal(size=len(samples))
    spectrum, frequency = np.fft.rfft(drawn), np.fft.rfftfreq(len(drawn), 1 / fs)
    spectrum[(frequency < band[0]) | (frequency > band[1])] = 0
    noise = np.fft.irfft(spectrum, len(drawn))
    size = np.nanstd(samples) * 10 ** (-decibel / 20) / noise.std()
    return np.asarray(samples + size * noise, np.float32)


WHITE = (0.0, np.inf)
SPOILT: Mapping[str, Callable[[Samples, float], Samples]] = {
    "as it is": lambda x, _: x,
    "inverted": lambda x, _: -x,
    "x 0.1": lambda x, _: np.float32(0.1) * x,
    "x 10": lambda x, _: np.float32(10) * x,
    "white noise, 0 dB": lambda x, fs: noisy(x, fs, 0, WHITE),
    "white noise, -6 dB": lambda x, fs: noisy(x, fs, -6, WHITE),
    "wander, 0 dB": lambda x, fs: noisy(x, fs, 0, WANDER),
    "wander, -6 dB": lambda x, fs: noisy(x, fs, -6, WANDER),
}


def samples_of(folder: Path, name: str, dataset: Dataset) -> tuple[Samples, float]:
    """Return the student's lead in mV, and its rate."""
    signal = open_signal(folder / name, prefer=dataset.leads)
    return signal.millivolts(0, signal.lead.length), signal.lead.fs


def judged(trained: TrainedStudent, samples: Samples, fs: float) -> ScopeReport:
    """Return what a stream says of a recording at its end."""
    annotator = Annotator(fs, student=trained)
    annotator.push(samples)
    annotator.finish()
    return annotator.scope()


def fpr_of(trained: TrainedStudent, name: str, dataset: Dataset) -> float:
    """Share of the normal beats of a record that are called abnormal; NaN without such beats."""
    beats = load_all(
        [name], data=dataset, labels=trained.metadata["labels"], centring=trained.centring
    ).beats
    beats = beats.take(beats.label == 0)
    if not len(beats):
        return float("nan")
    called = trained.point.classify(predict(trained.student, beats))
    return float(confusion(beats.label, called).fpr)


def records_of(name: str) -> tuple[Dataset, tuple[str, ...]]:
    """Return the records of a set: DS1, DS2, or a dataset by name."""
    given = PROTOCOLS["inter-patient"]
    if name in ("DS1", "DS2"):
        return MITDB, given.train if name == "DS1" else given.test
    dataset = dataset_of(name)
    return dataset, database.present(dataset, database.find(dataset, None))


def correlations(trained: TrainedStudent, name: str) -> None:
    """Print rank correlations with the FPR over the records of a set."""
    dataset, records = records_of(name)
    folder, rows, rates, outside = database.find(dataset, None), [], [], []
    for record in records:
        rate = fpr_of(trained, record, dataset)
        report = judged(trained, *samples_of(folder, record, dataset))
        if report.outside:
            outside.append(f"{record} ({100 * rate:.1f} %): {report.sentence}")
        if report.score is not None and np.isfinite(rate):
            rates.append(rate)
            rows.append({"score": report.score, **{c.check: c.position for c in report.checks}})
    print(f"\n{name}: {len(records)} records, {len(outside)} outside; FPR and what is said:")
    print("\n".join(outside))
    print()
    keys = [key for key in rows[0] if len({row[key] for row in rows}) > 1]
    rho = {key: spearmanr([row[key] for row in rows], rates)[0] for key in keys}
    shown = [(key, f"{value:.2f}") for key, value in rho.items()]
    print(table(("value", "Spearman with the FPR"), shown), flush=True)


def caught(trained: TrainedStudent, name: str, minutes: float) -> None:
    """Print how many records of a set are outside in each spoilt form."""
    dataset, records = records_of(name)
    folder, count = database.find(dataset, None), dict.fromkeys(SPOILT, 0)
    for record in records:
        samples, fs = samples_of(folder, record, dataset)
        samples = samples[: round(60 * minutes * fs)]
        for kind, spoil in SPOILT.items():
            count[kind] += judged(trained, spoil(samples, fs), fs).outside
    print(f"\n{name}, the first {minutes:g} minutes (noise is made up):\n")
    rows = [(kind, outside, len(records)) for kind, outside in count.items()]
    print(table(("recording", "outside", "of"), rows), flush=True)


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("student", nargs="?", default=None)
    parser.add_argument("--sets", nargs="+", default=["DS2", "svdb"])
    parser.add_argument("--paced", nargs="*", default=PACED)
    parser.add_argument("--minutes", type=float, default=10.0, help="of each spoilt recording")
    given = parser.parse_args()
    trained = load(given.student)
    for name in given.sets:
        correlations(trained, name)
        caught(trained, name, given.minutes)
    folder = database.find(MITDB, None)
    print("\npaced:")
    for record in given.paced:
        print(record, judged(trained, *samples_of(folder, record, MITDB)).sentence)


if __name__ == "__main__":
    main()
