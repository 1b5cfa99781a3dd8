"""A named collection of recordings: a published database, or one's own folder."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Self

from ecgphoton.arguments import bound, strict
from ecgphoton.ecg.formats import Hints, find_file, needs_hints, record_names
from ecgphoton.ecg.protocols import check_subjects
from ecgphoton.ecg.records import BEAT_SYMBOLS
from ecgphoton.errors import InputError
from ecgphoton.intake import check_table, expecting, parse_toml, read_text
from ecgphoton.settings import convert, hints_of

SUMS = "SHA256SUMS.txt"
KINDS = ("hea", "dat", "atr")
"""Files of a record of a published database: header, signal and labels."""


@dataclass(frozen=True)
class Dataset:
    """Recordings, their subjects, and how to read their leads and labels."""

    name: str
    records: tuple[str, ...]
    folder: str | None = None
    """Where one's own recordings are; None for a published database, which is searched for."""
    same_subject: Mapping[str, str] = field(default_factory=dict)
    """Record to the name of its subject, where that is not the record's own name."""
    leads: tuple[str, ...] = ()
    """In order of preference: a later one is used where a record lacks the first."""
    annotator: str | None = None
    """Where the labels are, see `labels.label_file`; None takes the first usual one."""
    symbols: Mapping[str, str] = field(default_factory=dict)
    """Words of the labels to WFDB symbols."""
    hints: Hints = field(default_factory=Hints)
    """Rate, unit and column, for files that do not state them."""
    title: str = ""
    doi: str = ""
    licence: str = ""
    url: str = ""
    """Where the files are, with a final slash."""
    megabytes: int = 0
    """Size of all files."""
    published: str = ""
    """SHA-256 over the published checksums of `record_files`: identifies the release.
    Each line is ``checksum name``, in the order of `record_files`."""

    def __post_init__(self) -> None:
        for name, kind in hints_of(Dataset).items():
            given = getattr(self, name)
            given = fspath(given) if name == "folder" and isinstance(given, PathLike) else given
            object.__setattr__(self, name, convert(given, kind, name))
        if twice := sorted({one for one in self.records if self.records.count(one) > 1}):
            raise InputError(f"dataset {self.name!r} names record {twice[0]} twice; once is enough")
        wrong = sorted(set(self.symbols.values()) - BEAT_SYMBOLS)
        if wrong:
            raise InputError(
                f"dataset {self.name!r} maps words to {' '.join(wrong)}; WFDB beat symbols are "
                f"{' '.join(sorted(BEAT_SYMBOLS))}"
            )

    @property
    def source(self) -> str:
        """Source of beats of this dataset; it does not depend on the folder."""
        return self.name if self.folder is None else f"{self.name} (own recordings)"

    @property
    def record_files(self) -> tuple[str, ...]:
        """Files of a published database that hold its records."""
        return tuple(f"{name}.{kind}" for name in self.records for kind in KINDS)

    @property
    def files(self) -> tuple[str, ...]:
        """What is fetched of a published database besides its checksums."""
        return (*self.record_files, "RECORDS", "ANNOTATORS")

    @classmethod
    @strict
    def from_folder(cls, path: str | Path, **values: Any) -> Self:  # noqa: ANN401
        """Make a dataset of all recordings in a folder, of any format that is read.

        Parameters
        ----------
        values
            Further fields, such as ``annotator="csv"`` or ``leads=("II",)``, and ``fs``, ``unit``
            and ``column`` for files that do not state them.

        Raises
        ------
        InputError
            If it is not a folder or holds no recording.

        Examples
        --------
        >>> Dataset.from_folder("clinic", annotator="csv")  # doctest: +SKIP
        """
        folder = Path(path).resolve()
        records = values.pop("records", record_names(folder))
        given = {key: values.pop(key) for key in ("fs", "unit", "column") if key in values}
        values["hints"] = replace(values.get("hints") or Hints(), **given)
        call = bound(cls, (values.pop("name", folder.name), records, str(folder)), values)
        made = cls(*call.args, **call.kwargs)
        if made.hints.given and not any(
            needs_hints(find_file(folder / name)) for name in made.records
        ):
            raise InputError(
                f"the recordings in {folder} state their rate, units and leads; leave out "
                + ", ".join(made.hints.given)
            )
        return made

    @classmethod
    def from_file(cls, path: str | Path) -> Self:
        """Read a dataset file.

        ::

            name = "clinic"
            folder = "recordings"      # beside this file; default: where this file is
            records = ["01", "02"]     # default: all in the folder
            leads = ["II"]             # in order of preference
            annotator = "csv"          # 01.csv beside 01.edf; or atr, labels.csv, edf+
            fs = 250                   # for text and NumPy files: rate, unit, column
            unit = "uV"
            column = "II"
            [subjects]                 # records of one person
            "02" = "01"
            [symbols]                  # words of the labels to WFDB symbols
            normal = "N"

        Raises
        ------
        InputError
            If the file is missing or damaged, or a key is unknown or of the wrong kind.
        """
        path = Path(path)
        data = parse_toml(read_text(path), f"dataset {path}")
        check_table(data, _KEYS, f"dataset {path}", texts=(*_LISTS, *_TABLES))
        folder = path.parent / data.pop("folder", ".")
        values = {key: tuple(v) if isinstance(v, list) else v for key, v in data.items()}
        values["same_subject"] = values.pop("subjects", {})
        values.setdefault("name", path.stem)
        found = cls.from_folder(folder, **values)
        check_subjects(found.same_subject, found.records, f"dataset {path}")
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` needs to find and read the same recordings again.

        A published database is its name; records that no protocol used are not listed.
        """
        if self.folder is None:
            return {"name": self.name}
        kept = ("name", "folder", "same_subject", "leads", "annotator", "symbols", "hints")
        return {key: value for key, value in asdict(self).items() if key in kept and value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], records: tuple[str, ...]) -> Self:
        """Rebuild one's own dataset from `to_dict`.

        Raises
        ------
        InputError
            If the values are not of the form of `to_dict`.
        """
        with expecting("the description of a dataset", "whole", "restore the run, or train anew"):
            hints, leads = Hints(**values.get("hints", {})), tuple(values.get("leads", ()))
            return cls(records=records, **{**values, "hints": hints, "leads": leads})

    def moved(self, folder: str | Path | None) -> Self:
        """Return one's own dataset with its recordings in another folder, if one is given."""
        if folder is None or self.folder is None:
            return self
        return replace(self, folder=str(Path(folder).resolve()))


_LISTS, _TABLES = ("records", "leads"), ("subjects", "symbols")
_KEYS: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("name", "folder", "annotator", "unit", "column"), str),
    **dict.fromkeys(_LISTS, list),
    **dict.fromkeys(_TABLES, dict),
    "fs": (int, float),
}
"""Keys of a dataset file, and the types of their values."""
