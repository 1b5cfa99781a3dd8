"""Processor times of several ways to do the same task, in turn in one run, and their table."""

from __future__ import annotations

import importlib
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

Work = Callable[[], object]
OURS = "ecgphoton"


@dataclass(frozen=True)
class Timed:
    """What something took, or why it was not timed."""

    subject: str
    who: str
    seconds: tuple[float, ...] = ()
    """Of one unit of work, every round."""
    why_not: str = ""

    @property
    def median(self) -> float:
        """Of all rounds."""
        return median(self.seconds)


def once(work: Work, repeat: int = 1) -> float:
    """Processor seconds of one piece of work, the mean of `repeat` in a row."""
    began = time.process_time()
    for _ in range(repeat):
        work()
    return (time.process_time() - began) / repeat


def in_turn(
    subject: str,
    runs: Mapping[str, Work | str],
    *,
    rounds: int,
    least: float = 0.02,
    scale: Mapping[str, float] | None = None,
) -> list[Timed]:
    """Time every work once a round, in turn, so that other load affects all alike.

    Parameters
    ----------
    runs
        Work by name, or the reason why there is none.
    least
        Seconds a measurement lasts at least; shorter work is repeated.
    scale
        What the time of one call is multiplied by, where a call does another amount of work.
    """
    works = {who: work for who, work in runs.items() if not isinstance(work, str)}
    repeat = {}
    failed: dict[str, str] = {}
    for who, work in works.items():
        try:
            work()  # imports, compilation and caches are not what is timed
            repeat[who] = max(1, round(least / max(once(work), 1e-9)))
        except Exception as error:
            failed[who] = f"did not run: {type(error).__name__}: {error}"
    seconds: dict[str, list[float]] = {who: [] for who in repeat}
    for _ in range(rounds):
        for who, count in repeat.items():
            factor = (scale or {}).get(who, 1.0)
            seconds[who].append(factor * once(works[who], count))
    return [
        Timed(subject, who, tuple(seconds[who]))
        if who in seconds
        else Timed(subject, who, why_not=failed.get(who) or str(work))
        for who, work in runs.items()
    ]


def peer(module: str, work: Callable[[], Work]) -> Work | str:
    """Return the work to be timed, or the reason why the peer is missing."""
    try:
        importlib.import_module(module)
    except ImportError:
        return "not installed"
    try:
        return work()
    except Exception as error:
        return f"did not run: {type(error).__name__}: {error}"


def readable(seconds: float) -> str:
    """Format seconds in a readable unit."""
    unit, size = next(
        ((unit, size) for unit, size in (("s", 1.0), ("ms", 1e-3)) if seconds >= size), ("µs", 1e-6)
    )
    return f"{seconds / size:.3g} {unit}"


def show(rows: list[Timed]) -> None:
    """Print a Markdown table of one subject, ratios by medians, the first row being ours."""
    own = rows[0]
    print(f"\n### {own.subject}\n\n| who | time | range | times ours |\n|---|--:|--:|--:|")
    for row in rows:
        if row.why_not:
            print(f"| {row.who} | {row.why_not} | | |")
            continue
        low, high = min(row.seconds), max(row.seconds)
        ratio = f"{row.median / own.median:.3g}"
        print(
            f"| {row.who} | {readable(row.median)} | {readable(low)} to {readable(high)} "
            f"| {ratio} |",
            flush=True,
        )


def machine() -> str:
    """Describe the machine and the versions, without names of hosts."""
    import torch

    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{os.cpu_count()} cores{load}; Python {platform.python_version()}, "
        f"torch {torch.__version__}, {torch.get_num_threads()} threads"
    )


def keep(path: Path, rows: list[Timed]) -> None:
    """Write all times as JSON."""
    path.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
