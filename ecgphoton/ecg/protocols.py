"""Protocols divide records into training, validation and test; by name or from a file.

References
----------
.. [1] de Chazal et al. 2004, IEEE TBME 51(7):1196, DOI 10.1109/TBME.2004.827359 (DS1 and DS2).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecgphoton.ecg.records import BEAT_SYMBOLS, LABELS, LabelScheme, label_scheme
from ecgphoton.errors import InputError
from ecgphoton.intake import check_table, one_line, parse_toml, read_text
from ecgphoton.settings import nearest
from ecgphoton.wording import count


def names(text: str) -> tuple[str, ...]:
    """Return the names in a text with spaces between them."""
    return tuple(text.split())


USUAL_FOLDS = 5
"""Folds where a protocol file names neither validation nor folds; fewer with fewer patients."""
SAME_SUBJECT: Mapping[str, str] = {"202": "201"}
"""Records taken from the subject of another record."""


@dataclass(frozen=True)
class Protocol:
    """Division of records into training, validation and test."""

    name: str
    train: tuple[str, ...]
    validation: tuple[str, ...]
    """Whole records; empty with a validation fraction or folds."""
    test: tuple[str, ...]
    test_name: str
    validation_fraction: float = 0.0
    """Share of the training beats drawn for validation: other beats of the same patients, and so
    no estimate for new ones."""
    folds: int = 0
    """Folds of whole training patients, each scored by a student of the others; 0 for none."""
    same_subject: Mapping[str, str] = field(default_factory=lambda: dict(SAME_SUBJECT))
    """Record to the name of its subject, where that is not the record's own name."""
    labels: LabelScheme | None = None
    """Labels the protocol is for; None leaves the choice to the recipe."""
    lead: str | None = None
    """Lead the protocol is for; None leaves the choice to the recipe."""
    annotator: str | None = None
    """Annotator of its labels, see `labels.label_file`; None leaves the choice to the dataset."""

    def __post_init__(self) -> None:
        names = (*self.train, *self.validation, *self.test)
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if names.count(name) > 1})
            raise InputError(f"protocol {self.name!r} uses {twice} twice; name each record once")
        if bool(self.validation) + (self.validation_fraction > 0) + (self.folds != 0) != 1:
            raise InputError(
                f"protocol {self.name!r} has {len(self.validation)} validation records, a "
                f"validation share of {self.validation_fraction} and {self.folds} folds; give "
                "exactly one of them"
            )
        if self.folds and not 2 <= self.folds <= self.patients:
            raise InputError(
                f"protocol {self.name!r} has {count(self.folds, 'fold')} of "
                f"{count(self.patients, 'training patient')}; two or more folds are needed, and a "
                "patient for each: name more records, or give a validation_fraction instead"
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
        return {name: _subject(name, self.same_subject) for name in self.records}

    @property
    def patients(self) -> int:
        """Number of training patients."""
        return len({_subject(name, self.same_subject) for name in self.train})

    @property
    def unproven(self) -> tuple[str, ...]:
        """Validation records whose subject also trains."""
        subjects = self.subjects
        known = {subjects[name] for name in self.train}
        return tuple(name for name in self.validation if subjects[name] in known)

    @property
    def leaking(self) -> tuple[str, ...]:
        """Test records whose subject also trains or validates."""
        subjects = self.subjects
        known = {subjects[name] for name in (*self.train, *self.validation)}
        return tuple(name for name in self.test if subjects[name] in known)


def _subject(record: str, same: Mapping[str, str]) -> str:
    """Return the subject of a record, which may be given as the subject of another record."""
    seen = [record]
    while (subject := same.get(seen[-1], seen[-1])) not in seen:
        seen.append(subject)
    return min(seen[seen.index(subject) :])  # the last, or the first of those that name each other


PROTOCOLS: Mapping[str, Protocol] = {
    "reference": Protocol(
        name="reference",
        train=names(
            "100 101 102 103 104 105 107 108 109 111 112 113 115 117 121 122 123 200 201 202 "
            "203 207 209 210 212 213 219 222 223 230 231 232"
        ),
        validation=(),
        test=names("106 114 116 118 119 124 205 208 214 215 220 221 228 233 234"),
        test_name="generalization",
        validation_fraction=0.2,
    ),
    # DS1 and DS2 without the paced records 102, 104, 107 and 217.
    "inter-patient": Protocol(
        name="inter-patient",
        train=names(
            "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 "
            "223 230"
        ),
        validation=(),
        test=names(
            "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 "
            "233 234"
        ),
        test_name="DS2",
        folds=5,
    ),
}
"""Evaluation protocols by name."""

_SETS = ("train", "validation", "test")
_KEYS: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(_SETS, list),
    **dict.fromkeys(("name", "test_name", "lead", "annotator"), str),
    "validation_fraction": (int, float),
    "folds": int,
    "subjects": dict,
    "labels": (str, dict),
}
"""Keys of a protocol file, and what they may be."""


def protocol_of(protocol: str | Path | Protocol) -> Protocol:
    """Return a protocol by name or from its file (``*.toml``), or the value itself.

    ::

        name = "clinic"
        train = ["01", "02", "03"]
        folds = 3                  # or: validation = ["04"], or: validation_fraction = 0.2
        test = ["05", "06"]
        labels = "aami"            # or a table [labels]: classes, and symbol = class number
        lead = "II"                # optional
        annotator = "csv"          # optional: where the labels are
        [subjects]                 # optional: records of one person
        "03" = "02"

    Without validation, validation_fraction and folds there are 5 folds, or as many as there are
    training patients where these are fewer.

    Raises
    ------
    InputError
        If there is no such protocol, or its file is damaged or names something twice or unknown.
    """
    if isinstance(protocol, Protocol):
        return protocol
    path = Path(protocol)
    if path.suffix == ".toml":
        what = f"protocol {path}"
        found = protocol_from(parse_toml(read_text(path), what), what, name=path.stem)
        check_subjects(found.same_subject, found.records, what)
        return found
    if str(protocol) in PROTOCOLS:
        return PROTOCOLS[str(protocol)]
    raise InputError(
        f"there is no protocol {str(protocol)!r}; choose one of {', '.join(PROTOCOLS)}, or give a "
        "protocol file (FILE.toml)"
    )


def check_subjects(subjects: Iterable[str], records: Sequence[str], what: str) -> None:
    """Refuse a subject of what is no record, since its patient would be on both sides unnoticed."""
    for name in subjects:
        if name not in records:
            raise InputError(
                f"{what}: subjects.{name[:40]} names no record of it; {nearest(name, records)}"
            )


def protocol_from(data: Mapping[str, Any], what: str, *, name: str = "protocol") -> Protocol:
    """Make a protocol of the values of its file, or of what `protocol_values` gave.

    Raises
    ------
    InputError
        If a value is missing, unknown or of the wrong kind; `what` begins the message.
    """
    check_table(data, _KEYS, what, texts=(*_SETS, "subjects"))
    lacking = [key for key in ("train", "test") if not data.get(key)]
    if lacking:
        raise InputError(f"{what} has no {lacking[0]} records; name some: {lacking[0]} = [...]")
    labels = data.get("labels")
    scheme = (
        scheme_from(labels, what) if isinstance(labels, dict) else labels and label_scheme(labels)
    )
    same_subject, folds = dict(data.get("subjects", {})), data.get("folds", 0)
    if not any(data.get(key) for key in ("validation", "validation_fraction", "folds")):
        patients = {_subject(record, same_subject) for record in data["train"]}
        folds = min(USUAL_FOLDS, len(patients))
    return Protocol(
        name=data.get("name", name),
        train=tuple(data["train"]),
        validation=tuple(data.get("validation", ())),
        test=tuple(data["test"]),
        test_name=data.get("test_name", "test"),
        validation_fraction=float(data.get("validation_fraction", 0.0)),
        folds=folds,
        same_subject=same_subject,
        labels=scheme or None,
        lead=data.get("lead"),
        annotator=data.get("annotator"),
    )


def protocol_values(protocol: Protocol) -> dict[str, Any]:
    """Return the JSON-ready values that `protocol_from` takes."""
    labels = protocol.labels
    values = {
        "name": protocol.name,
        "train": list(protocol.train),
        "validation": list(protocol.validation),
        "test": list(protocol.test),
        "test_name": protocol.test_name,
        "validation_fraction": protocol.validation_fraction,
        "folds": protocol.folds,
        "subjects": dict(protocol.same_subject),
        "labels": labels and (labels.name if labels.name in LABELS else scheme_values(labels)),
        "lead": protocol.lead,
        "annotator": protocol.annotator,
    }
    return {key: value for key, value in values.items() if value is not None}


def scheme_values(scheme: LabelScheme) -> dict[str, Any]:
    """Return the JSON-ready values of a label scheme."""
    return {"name": scheme.name, "classes": list(scheme.classes), **scheme.mapping}


def scheme_from(values: Mapping[str, Any], what: str) -> LabelScheme:
    """Make a label scheme of a table: name, classes, and the class number of every symbol.

    Raises
    ------
    InputError
        If the table gives no symbol to a class, or a class that is not named.
    """
    mapping = {key: value for key, value in values.items() if key not in ("name", "classes")}
    classes = values.get("classes")
    if not isinstance(classes, list) or not all(isinstance(name, str) for name in classes):
        raise InputError(
            f"{what}: labels.classes is {one_line(classes)!r}; give names, the normal one first"
        )
    for symbol, number in mapping.items():
        if symbol not in BEAT_SYMBOLS or type(number) is not int or not 0 <= number < len(classes):
            raise InputError(
                f"{what}: labels.{symbol[:40]} is {one_line(number)!r}; give beat symbols of WFDB "
                f"and numbers from 0 to {len(classes) - 1}"
            )
    if len(classes) < 2 or set(mapping.values()) != set(range(len(classes))):
        raise InputError(f"{what}: labels must give every one of two or more classes a symbol")
    name = str(values.get("name", "own"))
    if name in LABELS:
        raise InputError(f"{what}: labels {name!r} are there already; choose another name")
    return LabelScheme(name, tuple(classes), mapping)
