"""How many decisions of a student differ between reference and detected R peaks.

    python -m benchmarks.centring inter-patient

Over the beats of each set of MIT-BIH that both have, within 150 ms; undecided beats are counted
apart.
"""

import argparse

import numpy as np
from numpy.typing import NDArray

import ecgphoton as ep
from benchmarks._pages import table
from ecgphoton.ecg import database
from ecgphoton.ecg.databases import MITDB
from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.protocols import PROTOCOLS
from ecgphoton.ecg.reading import read_recording
from ecgphoton.runs import TrainedStudent

WITHIN = round(0.15 * SAMPLING_RATE)


def answers(student: TrainedStudent, name: str) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    """Symbols of the beats that both have, with reference and with detected R peaks."""
    folder = database.find(MITDB, None)
    lead = read_recording(
        folder, name, lead=None, prefer=MITDB.leads, annotator="atr", symbols=MITDB.symbols
    )
    signal = lead.signal / lead.gain
    given = ep.annotate(signal, SAMPLING_RATE, student=student, peaks=lead.samples)
    found = ep.annotate(signal, SAMPLING_RATE, student=student)
    after = np.searchsorted(found.sample, given.sample)
    pair = np.clip([after - 1, after], 0, len(found.sample) - 1)
    far = np.abs(found.sample[pair] - given.sample)
    nearest = np.where(far[0] <= far[1], pair[0], pair[1])
    both = far.min(axis=0) <= WITHIN
    return np.asarray(given.symbol)[both], np.asarray(found.symbol)[nearest[both]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("student", nargs="?", default="inter-patient")
    student = ep.load(parser.parse_args().student)
    protocol = PROTOCOLS["inter-patient"]
    rows = []
    for title, records in (("DS1", protocol.train), (protocol.test_name, protocol.test)):
        counts = []
        for name in records:
            one, two = answers(student, name)
            decided = (one != "?") & (two != "?")
            counts.append((decided.sum(), (one != two)[decided].sum(), (two == "?").sum()))
        beats, differ, undecided = np.sum(counts, axis=0)
        shares = [100 * d / n for n, d, _ in counts]
        worst = int(np.argmax(shares))
        rows.append(
            [
                title,
                f"{beats:,}",
                f"{100 * differ / beats:.2f} %",
                f"{shares[worst]:.1f} % ({records[worst]})",
                undecided,
            ]
        )
    print(table(["set", "beats", "differ", "worst record", "undecided"], rows))


if __name__ == "__main__":
    main()
