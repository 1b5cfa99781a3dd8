"""Each task beside other packages that do it, in turn in one run.

    python -m benchmarks.peers [--only training onnx ...] [--rounds 5] [--draw FOLDER]

Peers that are not installed, or do not run, are named with the reason. ``make test-peers``
installs those that a package registry has for the current Python; the others are AIHWKit,
neurophox and QPG-MIT's ``meshes``. Nothing here is asserted by a test.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks import hwsim, training
from benchmarks._timing import OURS, Timed, Work, in_turn, keep, machine, peer, show
from ecgphoton.student.network import SegmentStudent, predict
from ecgphoton.student.propagate import Inputs


def train_epochs(batch: int) -> Callable[[int], list[Timed]]:
    """One epoch of 42,232 beats, by this loop and by a plain one."""

    def timed(rounds: int) -> list[Timed]:
        torch.manual_seed(0)
        window = torch.rand(42_232, 360) * 2 - 1
        label = torch.randint(0, 2, (len(window),))
        runs: dict[str, Work | str] = {
            OURS: training.our_epoch(window, label, batch),
            "plain torch: Dataset, DataLoader, Conv1d": training.plain_epoch(window, label, batch),
        }
        return in_turn(f"training, one epoch, batches of {batch}", runs, rounds=min(rounds, 3))

    return timed


def latency(beats: int) -> Callable[[int], list[Timed]]:
    """Answers for some beats: the exported graphs, the student, stock layers eager and traced."""

    def timed(rounds: int) -> list[Timed]:
        from ecgphoton.export.onnx_graph import float_graph, integer_graph
        from ecgphoton.export.quantize import Quantization, quantize
        from ecgphoton.export.ranges import calibrate_ranges
        from ecgphoton.export.runtime import runner

        torch.manual_seed(0)
        window = torch.rand(beats, 360) * 2 - 1
        student, plain = SegmentStudent(seed=0).eval(), training.PlainStudent().eval()
        inputs, feed = Inputs(window), {"window": window.numpy()}
        exact = quantize(student, calibrate_ranges(student, inputs, bits=8), Quantization())
        traced = torch.jit.freeze(torch.jit.trace(plain, window[:, None]))
        floats, integers = (
            runner(graph, "onnxruntime", ("probability",))
            for graph in (float_graph(student), integer_graph(exact))
        )

        def eager(model: Callable[[torch.Tensor], torch.Tensor]) -> Work:
            def run() -> None:
                with torch.inference_mode():
                    torch.softmax(model(window[:, None]), -1)

            return run

        runs: dict[str, Work | str] = {
            f"{OURS}: ONNX, float": lambda: floats(feed),
            f"{OURS}: ONNX, integer": lambda: integers(feed),
            f"{OURS}: torch": lambda: predict(student, inputs),
            "stock layers, torch eager": eager(plain),
            "stock layers, torch.jit": eager(traced),
        }
        return in_turn(f"answers for {beats:,} beat{'s'[: beats > 1]}", runs, rounds=rounds)

    return timed


def unitary(order: int) -> np.ndarray:
    """Return a random unitary matrix."""
    rng = np.random.default_rng(order)
    parts = rng.normal(size=(2, order, order))
    return np.linalg.qr(parts[0] + 1j * parts[1])[0]


def decomposers(order: int) -> dict[str, Work | str]:
    """Return every package's decomposition of a unitary matrix into phases."""
    from ecgphoton.mesh.clements import decompose

    matrix = unitary(order)

    def interferometer(name: str) -> Callable[[], Work]:
        def ready() -> Work:
            import interferometer as itf

            return lambda: getattr(itf, f"{name}_decomposition")(matrix)

        return ready

    def lightworks() -> Work:
        import lightworks as lw
        from lightworks.interferometers import Reck

        return lambda: Reck().map(lw.Unitary(matrix))

    def perceval() -> Work:
        import perceval as pcvl

        cell = pcvl.BS() // pcvl.PS(pcvl.P("a")) // pcvl.BS() // pcvl.PS(pcvl.P("b"))
        shape = pcvl.InterferometerShape.TRIANGLE
        wanted = pcvl.Matrix(matrix)
        return lambda: pcvl.Circuit.decomposition(
            wanted, cell, phase_shifter_fn=pcvl.PS, shape=shape
        )

    return {
        f"{OURS}, Clements": lambda: decompose(matrix),
        f"{OURS}, Reck": lambda: decompose(matrix, "reck"),
        "interferometer, Clements": peer("interferometer", interferometer("square")),
        "interferometer, Reck": peer("interferometer", interferometer("triangle")),
        "lightworks, Reck": peer("lightworks", lightworks),
        "perceval, Reck (optimises)": peer("perceval", perceval),
    }


def decomposition(rounds: int) -> list[Timed]:
    """Phases of a random unitary 8x8 matrix."""
    return in_turn("decomposition of 8×8", decomposers(8), rounds=rounds)


def monte_carlo(rounds: int) -> list[Timed]:
    """Time 1,000 chips with 1,000 vectors through one SVD layer; peers do 10 and are scaled."""
    few = 10
    runs: dict[str, Work | str] = {OURS: hwsim.ours()}
    for name, (what, chip) in hwsim.PEERS.items():
        ready = peer(name, chip)
        label = f"{name}: {what}"
        runs[label] = ready if isinstance(ready, str) else repeated(ready, few)
    scale = {label: hwsim.CHIPS / few for label in runs if label != OURS}
    subject = f"{hwsim.CHIPS:,} chips × {hwsim.VECTORS:,} vectors"
    return in_turn(subject, runs, rounds=rounds, scale=scale)


def repeated(work: Work, times: int) -> Work:
    """Return the same work several times over."""
    return lambda: [work() for _ in range(times)]


def annotation(rounds: int) -> list[Timed]:
    """Time a made-up hour: beats found and classified, beside only finding them with wfdb."""
    from benchmarks.annotation import long_record
    from ecgphoton.ecg.annotate import classify_record
    from ecgphoton.ecg.detect import Detector
    from ecgphoton.ecg.reading import open_signal

    student = SegmentStudent(seed=0).eval()
    with tempfile.TemporaryDirectory() as name:
        signal = open_signal(long_record(Path(name), 1.0))

        def wfdb_alone() -> object:
            from wfdb import rdrecord
            from wfdb.processing import xqrs_detect

            lead = rdrecord(str(signal.held.path), channels=[0]).p_signal[:, 0]
            return xqrs_detect(lead, fs=signal.lead.fs, verbose=False)

        def found() -> object:
            detector = Detector(signal.lead.gain)
            return [detector.push(piece) for _, piece in signal.blocks()]

        runs: dict[str, Work | str] = {
            f"{OURS}: found and classified": lambda: classify_record(
                signal, lambda beats: predict(student, beats)
            ),
            f"{OURS}: found": found,
            "wfdb: found (xqrs_detect)": wfdb_alone,
        }
        return in_turn("one hour annotated", runs, rounds=min(rounds, 3))


def score(rounds: int) -> list[Timed]:
    """Time a comparison of two annotations of 100,000 beats, jittered, 1 % lost and 1 % added."""
    from ecgphoton.ecg.annotations import Annotations
    from ecgphoton.ecg.score import compare

    rng = np.random.default_rng(0)
    sample = np.cumsum(rng.integers(200, 400, 100_000))
    heard = sample[rng.random(len(sample)) > 0.01] + rng.integers(-5, 6)
    extra = rng.integers(0, sample[-1], 1000)
    other = np.unique(np.concatenate([heard, extra]))
    reference = Annotations(sample, np.full(len(sample), "N"), 360.0)
    test = Annotations(other, np.full(len(other), "N"), 360.0)

    def wfdb_beats() -> object:
        from wfdb.processing import compare_annotations

        return compare_annotations(sample, other, 54)

    runs: dict[str, Work | str] = {
        f"{OURS}: EC57, all classes": lambda: compare(reference, test),
        "wfdb: compare_annotations (where, not what)": wfdb_beats,
    }
    return in_turn("100,000 beats scored", runs, rounds=min(rounds, 3))


SUBJECTS: dict[str, Callable[[int], list[Timed]]] = {
    "training": train_epochs(512),
    "training-128": train_epochs(128),
    "onnx": latency(1),
    "onnx-batch": latency(1024),
    "decomposition": decomposition,
    "montecarlo": monte_carlo,
    "annotation": annotation,
    "score": score,
}


def main() -> None:
    """Print a table a subject, and draw all ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--draw", type=Path, default=None, help="folder for peers.png")
    parser.add_argument("--json", type=Path, default=None, help="file for all times")
    given = parser.parse_args()
    warnings.simplefilter("ignore")  # peers print messages and warnings
    torch.set_num_threads(1)
    print(machine())
    rows = []
    for name in given.only:
        rows.append(SUBJECTS[name](given.rounds))
        show(rows[-1])
    if given.json is not None:
        keep(given.json, [row for table in rows for row in table])
    if given.draw is not None:
        from benchmarks.charts import draw_ratios

        draw_ratios(given.draw / "peers.png", rows)


if __name__ == "__main__":
    main()
