"""Record lists, subjects, label schemes and evaluation protocols of the MIT-BIH database.

References
----------
.. [1] Moody & Mark 2001, IEEE Eng. Med. Biol. 20(3):45, DOI 10.1109/51.932724 (the database).
.. [2] de Chazal et al. 2004, IEEE TBME 51(7):1196, DOI 10.1109/TBME.2004.827359 (DS1 and DS2).
.. [3] ANSI/AAMI EC57:2012 (the five groups of beats).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal, TypeVar

from ecgphoton.errors import InputError

AamiGroup = Literal["N", "S", "V", "F", "Q"]
_T = TypeVar("_T")

# B, n and r do not occur in MIT-BIH; other WFDB databases have them.
_GROUPS: Mapping[AamiGroup, str] = {
    "N": "NLReBnj",
    "S": "AaJS",
    "V": "VEr",
    "F": "F",
    "Q": "/fQ?",
}
_GROUP_OF: Mapping[str, AamiGroup] = {
    symbol: group for group, symbols in _GROUPS.items() for symbol in symbols
}
BEAT_SYMBOLS = frozenset(_GROUP_OF)
"""WFDB annotation symbols that mark a heart beat; all others mark rhythm, noise or waves."""


def aami_group(symbol: str) -> AamiGroup | None:
    """Return the ANSI/AAMI EC57 group of a WFDB symbol, None when it is not a beat."""
    return _GROUP_OF.get(symbol)


@dataclass(frozen=True)
class LabelScheme:
    """How annotation symbols become class numbers."""

    name: str
    classes: tuple[str, ...]
    """Class names; with two classes, 0 is normal and 1 abnormal."""
    mapping: Mapping[str, int]
    """Symbol to class; a beat with any other symbol is dropped, counted and reported."""
    summary: str = ""


def _by_group(name: str, classes: tuple[str, ...], groups: str, summary: str) -> LabelScheme:
    """Scheme from one digit (class) or '-' (dropped) for each of the groups N, S, V, F, Q."""
    number = dict(zip("NSVFQ", groups, strict=True))
    mapping = {s: int(number[g]) for s, g in _GROUP_OF.items() if number[g] != "-"}
    return LabelScheme(name, classes, mapping, summary)


_BINARY = ("normal", "abnormal")
LABELS: Mapping[str, LabelScheme] = MappingProxyType(
    {
        scheme.name: scheme
        for scheme in (
            LabelScheme(
                "literal",
                _BINARY,
                {"N": 0, "V": 1, "S": 1, "F": 1, "Q": 1},
                "symbols N against V, S, F, Q taken literally; drops L R A a J j E e / f",
            ),
            _by_group("aami", _BINARY, "01111", "AAMI group N against S, V, F, Q"),
            _by_group("aami-svf", _BINARY, "0111-", "AAMI group N against S, V, F; drops Q"),
            _by_group("aami4", ("N", "S", "V", "O"), "01233", "AAMI N, S, V, and O = F or Q"),
        )
    }
)
"""Label schemes by name."""


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MITDB_RECORDS = _names(
    "100 101 102 103 104 105 106 107 108 109 111 112 113 114 115 116 117 118 119 121 122 123 124 "
    "200 201 202 203 205 207 208 209 210 212 213 214 215 217 219 220 221 222 223 228 230 231 232 "
    "233 234"
)
"""The 48 records of MIT-BIH, 47 subjects."""
SAME_SUBJECT: Mapping[str, str] = {"202": "201"}
"""Records taken from the subject of another record."""


@dataclass(frozen=True)
class Protocol:
    """Which records train, which validate, which only test."""

    name: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    """Whole records; empty when validation is a random share of the training beats."""
    test: tuple[str, ...]
    test_name: str
    validation_fraction: float = 0.0
    """Share of the training beats drawn for validation when `validation` is empty."""
    same_subject: Mapping[str, str] = field(default_factory=lambda: dict(SAME_SUBJECT))
    """Record to the name of its subject, where that is not the record's own name."""

    def __post_init__(self) -> None:
        names = (*self.train, *self.validation, *self.test)
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InputError(f"protocol {self.name!r} uses {twice} twice; name each record once")
        if bool(self.validation) == (self.validation_fraction > 0):
            raise InputError(
                f"protocol {self.name!r} has {len(self.validation)} validation records and a "
                f"validation share of {self.validation_fraction}; give exactly one of them"
            )
        if not 0 <= self.validation_fraction < 1:
            raise InputError(
                f"validation share {self.validation_fraction} of protocol {self.name!r}; "
                "give a number in [0, 1)"
            )

    @property
    def records(self) -> tuple[str, ...]:
        """Every record, training first."""
        return (*self.train, *self.validation, *self.test)

    @property
    def subjects(self) -> Mapping[str, str]:
        """Record to subject."""
        return {name: self.same_subject.get(name, name) for name in self.records}

    @property
    def leaking(self) -> tuple[str, ...]:
        """Test records whose subject also trains or validates."""
        return leaking_subjects((*self.train, *self.validation), self.test, self.same_subject)

    def with_validation(self, records: Iterable[str]) -> Protocol:
        """Return the protocol with these of its training or validation records validating.

        Raises
        ------
        InputError
            If a record is not among the training and validation records, or none would train.
        """
        chosen = tuple(records)
        pool = (*self.train, *self.validation)
        unknown = sorted(set(chosen) - set(pool))
        train = tuple(name for name in pool if name not in chosen)
        if unknown or not chosen or not train:
            raise InputError(
                f"validation records {list(chosen)} of protocol {self.name!r}: choose some, "
                f"not all, of {' '.join(sorted(pool))}"
            )
        return replace(self, train=train, validation=chosen, validation_fraction=0.0)


def leaking_subjects(
    train: Iterable[str],
    test: Iterable[str],
    same_subject: Mapping[str, str] = SAME_SUBJECT,
) -> tuple[str, ...]:
    """Return the test records whose subject also has a record in `train`."""
    known = {same_subject.get(name, name) for name in train}
    return tuple(name for name in test if same_subject.get(name, name) in known)


PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {
        "reference": Protocol(
            name="reference",
            train=_names(
                "100 101 102 103 104 105 107 108 109 111 112 113 115 117 121 122 123 200 201 202 "
                "203 207 209 210 212 213 219 222 223 230 231 232"
            ),
            validation=(),
            test=_names("106 114 116 118 119 124 205 208 214 215 220 221 228 233 234"),
            test_name="generalization",
            validation_fraction=0.2,
        ),
        # DS1 and DS2 without the paced records 102, 104, 107 and 217. The five validation records
        # hold 21 % of the beats of DS1, 23 % of its S, 17 % of its V and 34 of its 415 F; 208,
        # with 373 F, has to train.
        "inter-patient": Protocol(
            name="inter-patient",
            train=_names("101 106 108 109 112 115 116 118 119 122 201 203 207 208 209 215 230"),
            validation=_names("114 124 205 220 223"),
            test=_names(
                "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 "
                "233 234"
            ),
            test_name="DS2",
        ),
    }
)
"""Evaluation protocols by name."""


def label_scheme(labels: str | LabelScheme) -> LabelScheme:
    """Return a label scheme by name, or the value itself."""
    if isinstance(labels, LabelScheme):
        return labels
    return _choose(LABELS, labels, "label scheme")


def protocol_of(protocol: str | Protocol) -> Protocol:
    """Return a protocol by name, or the value itself."""
    if isinstance(protocol, Protocol):
        return protocol
    return _choose(PROTOCOLS, protocol, "protocol")


def _choose(table: Mapping[str, _T], name: str, what: str) -> _T:
    try:
        return table[name]
    except KeyError:
        raise InputError(f"unknown {what} {name!r}; choose one of {', '.join(table)}") from None
