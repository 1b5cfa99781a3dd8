"""What a cached teacher adds to a training step of the student, in CPU time.

    python -m benchmarks distillation_cost

Plain and distilled steps alternate on the same made-up beats, so that other load cancels out.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from ecgphoton.legacy.distill import Distillation, distilled
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs
from ecgphoton.training.judge import Outputs
from ecgphoton.training.parts import Batch, Control, Examples, Parts, Shuffled, plain_forward

BEATS, BATCH, STEPS, SKIPPED = 42_240, 512, 80, 10


def main() -> None:
    """Time both kinds of step and print the ratio."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    torch.set_num_threads(1)
    draw = torch.Generator().manual_seed(0)
    label = torch.randint(2, (BEATS,), generator=draw)
    window = torch.rand(BEATS, 360, generator=draw) * 2 - 1
    beats = Examples(Inputs(window), label, np.full(BEATS, "100"))
    outputs = Outputs(torch.randn(BEATS, 2, generator=draw), torch.randn(BEATS, 32, generator=draw))
    plain = Parts(Shuffled(BEATS))
    settings = Distillation(warm_up=0, confidence=0.0)
    kinds = {"plain": plain, "distilled": distilled(plain, outputs, label, settings)}
    student = SegmentStudent()
    parameters = [*student.parameters(), *kinds["distilled"].extra]
    optimiser = torch.optim.Adam(parameters, lr=1e-3, fused=True)
    spent = dict.fromkeys(kinds, 0.0)
    for step, index in enumerate(torch.split(torch.randperm(BEATS, generator=draw), BATCH)[:STEPS]):
        for name, parts in kinds.items():
            began = time.thread_time()
            logits, feature = plain_forward(student, beats.inputs.rows(index), draw)
            loss, terms = parts.loss(
                Batch(logits, feature, label[index], index, None, 20, Control())
            )
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            _ = [float(value) for value in terms.values()]
            if step >= SKIPPED:
                spent[name] += time.thread_time() - began
    for name, seconds in spent.items():
        print(f"{name}: {1000 * seconds / (STEPS - SKIPPED):.2f} ms CPU per step of {BATCH} beats")
    print(f"ratio {spent['distilled'] / spent['plain']:.2f}")


if __name__ == "__main__":
    main()
