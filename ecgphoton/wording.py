"""Numbers and names in tables and sentences: shares in per cent, counts with their nouns, sets."""

from collections.abc import Iterable, Mapping
from typing import Any

NARROW = 0.02
"""Width of an interval up to which its ends have as many digits as a rate."""


def percent(value: float | None, digits: int | None = 2) -> str:
    """Format a share as per cent, a dash where there is none; without digits, as exact as it is."""
    if value is None:
        return "–"
    text = f"{100 * value:.6g}" if digits is None else f"{100 * value:.{digits}f}"
    return f"{text if float(text) else text.lstrip('-')} %"


def ends(low: float, high: float, *, digits: int | None = None) -> str:
    """Format the ends of an interval of a share, in per cent.

    Without `digits` they have one, in a narrow interval two.
    """
    if digits is None:
        digits = 1 if high - low > NARROW else 2
    low, high = (round(100 * end, digits) + 0.0 for end in (low, high))  # no -0
    return f"[{low:.{digits}f}, {high:.{digits}f}]"


def rise(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Format a difference of rates in percentage points, with its interval where there is one."""
    if value is None:
        return "–"
    text = f"{round(100 * value, 2) + 0.0:+.2f}"
    return text if low is None or high is None else f"{text} {ends(low, high)}"


def count(number: int, what: str) -> str:
    """Return a number of things in words, such as ``1 chip`` or ``20 chips``."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def hardware(found: Mapping[str, Any]) -> str:
    """Return the profile and the noise of simulated chips, from the numbers of their simulation."""
    profile, noise = found.get("profile"), found.get("noise") or 0
    return ", ".join(filter(None, (profile, f"noise {noise:g}" if noise or not profile else "")))


def area(value: float | None) -> str:
    """Format an area under a curve, a dash where there is none."""
    return "–" if value is None else f"{value:.4f}"


def words(name: str) -> str:
    """Return the name of a set or key as it is shown to people."""
    known = {"auc": "AUC", "fpr": "FPR", "miss": "miss rate", "svdb": "SVDB"}
    return known.get(name, name.replace("_", " "))


def listed(names: Iterable[str]) -> str:
    """Return the names of sets or keys as they are shown to people, with commas."""
    return ", ".join(map(words, names))
