"""Groups of beats and label schemes.

References
----------
.. [1] de Chazal et al. 2004, IEEE TBME 51(7):1196, DOI 10.1109/TBME.2004.827359.
.. [2] ANSI/AAMI EC57:2012 (the five groups of beats).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ecgphoton.errors import InputError
from ecgphoton.registry import Registry

AamiGroup = Literal["N", "S", "V", "F", "Q"]
Grouping = Literal["ec57", "de-chazal"]
"""``ec57``: escape beats e, j and n are S, as in ``bxb``; ``de-chazal``: they are N."""

# B, n and r do not occur in MIT-BIH; other WFDB databases have them.
_DE_CHAZAL: Mapping[AamiGroup, str] = {
    "N": "NLReBnj", "S": "AaJS", "V": "VEr", "F": "F", "Q": "/fQ?"
}  # fmt: skip
_EC57: Mapping[AamiGroup, str] = {**_DE_CHAZAL, "N": "NLRB", "S": "AaJSejn"}


_GROUPS: Mapping[Grouping, Mapping[AamiGroup, str]] = {"de-chazal": _DE_CHAZAL, "ec57": _EC57}
GROUPINGS: Mapping[Grouping, Mapping[str, AamiGroup]] = {
    name: {symbol: group for group, symbols in groups.items() for symbol in symbols}
    for name, groups in _GROUPS.items()
}
"""Symbol to AAMI group. The literature follows de Chazal et al. [1]_, who count the escape beats e,
j and n as N; EC57 [2]_ and WFDB's ``bxb`` count them as S."""
BEAT_SYMBOLS = frozenset(GROUPINGS["de-chazal"])
"""WFDB annotation symbols that mark a heart beat; all others mark rhythm, noise or waves."""


def aami_group(symbol: str, grouping: Grouping = "de-chazal") -> AamiGroup | None:
    """Return the ANSI/AAMI group of a WFDB symbol, None when it is not a beat.

    Raises
    ------
    InputError
        If there is no such grouping.
    """
    if grouping not in GROUPINGS:
        raise InputError(f"unknown grouping {grouping!r}; choose one of {', '.join(GROUPINGS)}")
    return GROUPINGS[grouping].get(symbol)


@dataclass(frozen=True)
class LabelScheme:
    """How annotation symbols become class numbers."""

    name: str
    classes: tuple[str, ...]
    """Class names; with two classes, 0 is normal and 1 abnormal."""
    mapping: Mapping[str, int]
    """Symbol to class; a beat with any other symbol is dropped, counted and reported."""


def _by_group(
    name: str, classes: tuple[str, ...], groups: str, grouping: Grouping = "de-chazal"
) -> LabelScheme:
    """Scheme from one digit (class) or '-' (dropped) for each of the groups N, S, V, F, Q."""
    number = dict(zip("NSVFQ", groups, strict=True))
    mapping = {s: int(number[g]) for s, g in GROUPINGS[grouping].items() if number[g] != "-"}
    return LabelScheme(name, classes, mapping)


_BINARY = ("normal", "abnormal")
LABELS: Registry[LabelScheme] = Registry(
    "label scheme",
    # Symbols N against V, S, F, Q taken literally; drops L R A a J j E e / f.
    LabelScheme("literal", _BINARY, {"N": 0, "V": 1, "S": 1, "F": 1, "Q": 1}),
    _by_group("aami", _BINARY, "01111"),
    _by_group("aami-svf", _BINARY, "0111-"),
    _by_group("aami4-svf", ("N", "S", "V", "F"), "0123-"),
    _by_group("aami4", ("N", "S", "V", "O"), "01233"),
    _by_group("ec57", _BINARY, "01111", "ec57"),  # as aami, but e, j and n are S
)
"""Label schemes by name."""


def label_scheme(labels: str | LabelScheme) -> LabelScheme:
    """Return a label scheme by name, or the value itself."""
    return labels if isinstance(labels, LabelScheme) else LABELS[labels]
