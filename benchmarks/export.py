"""Export and its checks: seconds, bytes, and how close the forms of one student are.

    python -m benchmarks.export RUN [--threads 1] [--repeat 5]

Times are medians with the best and the worst run; imports are not counted.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from ecgphoton.export.bundle import export_bundle, load_bundle
from ecgphoton.export.golden import arrays_of, synthetic_inputs
from ecgphoton.export.runtime import runner
from ecgphoton.export.verify import verify
from ecgphoton.student.network import predict
from ecgphoton.student.propagate import Inputs


def timed(label: str, work: Callable[[], object], repeat: int) -> float:
    """Print the median time of some work and return it."""
    times = []
    for _ in range(repeat):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    median = statistics.median(times)
    print(f"{label:<44} {median:8.3f} s  [{min(times):.3f}..{max(times):.3f}]")
    return median


def main() -> None:
    """Time export, verification and the three ways to classify 30,000 beats."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "bundle"
        timed("export", lambda: export_bundle(options.run, out, force=True), options.repeat)
        timed("verify without SAX", lambda: verify(out, sax=False), options.repeat)
        timed("verify with SAX", lambda: verify(out), 1)
        files = [path for path in out.rglob("*") if path.is_file()]
        plain = sum(path.stat().st_size for path in files if "drawings" not in path.parts)
        print(f"{'bundle without pictures':<44} {plain:8,} bytes")
        bundle = load_bundle(out)
        part = synthetic_inputs(bundle.program.architecture, beats=60)
        columns = {name: torch.as_tensor(v).repeat(56, 1) for name, v in arrays_of(part).items()}
        beats = Inputs(**columns)
        print(f"{len(beats):,} beats:")
        feed = arrays_of(beats)
        base = timed("  torch, float", lambda: predict(bundle.student, beats), options.repeat)
        for label, name in (("float", "student.onnx"), ("integer", "student_integer.onnx")):
            run = runner((out / name).read_bytes(), "onnxruntime")
            found = timed(f"  onnxruntime, {label} graph", lambda r=run: r(feed), options.repeat)
            print(f"{'':<44} {found / base:8.1f} x torch")
        found = timed("  QuantizedStudent", lambda: bundle.quantized.predict(beats), options.repeat)
        print(f"{'':<44} {found / base:8.1f} x torch")
        for row in verify(out).rows():
            print("  " + " | ".join(row))


if __name__ == "__main__":
    main()
