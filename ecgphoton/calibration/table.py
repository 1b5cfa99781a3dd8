"""The drive table: what is believed of chips, and the codes that follow from it."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ecgphoton import artifacts
from ecgphoton.calibration.beliefs import Beliefs
from ecgphoton.calibration.bench import Cost
from ecgphoton.calibration.model import Model, Rows
from ecgphoton.errors import InputError
from ecgphoton.intake import parse_json
from ecgphoton.student.architecture import WIDTH

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ecgphoton.calibration.circuit import Circuit

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

FORMAT = "ecgphoton-drive-table/1"


@dataclass(frozen=True)
class Finding:
    """Something broken, with its name and place."""

    kind: str
    """``dead heater``, ``stuck bit``, ``saturated detector``, ``wrong gain`` or ``poor fit``."""
    chip: int
    """Position in the batch."""
    block: str
    part: str
    """Driver or detector, such as ``V.theta[2]``."""
    detail: str = ""

    def __str__(self) -> str:
        """One line for people."""
        text = f"chip {self.chip}, block {self.block}, {self.part}: {self.kind}"
        return f"{text} ({self.detail})" if self.detail else text

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {name: getattr(self, name) for name in ("kind", "chip", "block", "part", "detail")}


@dataclass(frozen=True, eq=False)
class DriveTable:
    """Beliefs in C chips and how to drive and read them. Frozen: steps return new ones."""

    circuit: Circuit
    beliefs: Beliefs
    codes: Integers
    """(C, K, drivers) DAC codes."""
    row_gain: Floats
    """(C, K, 4) digital factor on every reading."""
    row_offset: Floats
    """(C, K, 4) added to every product ``W x`` after that, in its units."""
    keep: Integers
    """(C, K, drivers) DAC bits that work: what reaches a heater is ``code & keep | force``."""
    force: Integers
    """(C, K, drivers) DAC bits that are always on."""
    noise: Floats
    """(C, K) standard deviation of one reading; 0 before it was measured."""
    findings: tuple[Finding, ...] = ()
    cost: Cost = field(default_factory=Cost)
    """Spent so far on every chip."""

    @classmethod
    def start(cls, circuit: Circuit, chips: int) -> DriveTable:
        """Return the table of chips nobody has measured: the program as it is."""
        blocks = len(circuit.names)
        shape = (chips, blocks, circuit.drivers)
        codes = np.broadcast_to(circuit.dac.codes_for(circuit.phases), shape).astype(np.int64)
        return cls(
            circuit=circuit,
            beliefs=Beliefs.none(circuit, chips),
            codes=codes,
            row_gain=np.ones((chips, blocks, WIDTH)),
            row_offset=np.zeros((chips, blocks, WIDTH)),
            keep=np.full(shape, circuit.dac.top, np.int64),
            force=np.zeros(shape, np.int64),
            noise=np.zeros((chips, blocks)),
        )

    def __len__(self) -> int:
        """Return the number of chips."""
        return len(self.codes)

    def with_findings(self, found: list[Finding]) -> DriveTable:
        """Add findings, each once."""
        return replace(self, findings=tuple(dict.fromkeys((*self.findings, *found))))

    @property
    def broken(self) -> NDArray[np.bool_]:
        """(C, K, drivers) which drivers do not follow their code."""
        return np.asarray((self.keep != self.circuit.dac.top) | (self.force != 0))

    def reaching(self, codes: Integers) -> Integers:
        """Codes (S, C, K, drivers) that reach the heaters when `codes` (broadcast) are set."""
        return np.asarray(codes & self.keep | self.force)

    @property
    def settings(self) -> Integers:
        """(1, C, K, drivers) the codes as one setting of a bench."""
        return self.codes[None]

    def predicted(self) -> Floats:
        """(C, K, 4, 4) matrices that the beliefs predict for the codes, in units of W."""
        model, rows = Model(self.circuit), Rows.of(self.beliefs)
        reaching = self.reaching(self.settings)[0].reshape(-1, 1, self.circuit.drivers)
        heat = model.heat(rows, model.power(torch.as_tensor(reaching)))
        fields = model.matrices(rows, model.phases(rows, heat))[:, 0].real.numpy()
        fields = fields.reshape(*self.codes.shape[:2], WIDTH, WIDTH)
        scale = self.circuit.scale[:, None]
        return np.asarray((scale * self.row_gain)[..., None] * fields)

    def error(self, matrices: Floats) -> Floats:
        """(C, K) relative Frobenius distance of matrices (C, K, 4, 4) from the program's."""
        target = self.circuit.targets
        size = np.maximum(np.linalg.norm(target, axis=(-2, -1)), 1e-12)
        return np.asarray(np.linalg.norm(matrices - target, axis=(-2, -1)) / size)

    def chip(self, index: int) -> DriveTable:
        """Return the table of one chip."""
        return self.chips(slice(index, index + 1))

    def chips(self, rows: slice) -> DriveTable:
        """Return the table of some chips; findings keep their numbers of the whole batch."""
        beliefs = Beliefs(**{name: part[rows] for name, part in self.beliefs.arrays().items()})
        numbers = range(len(self))[rows]
        found = tuple(item for item in self.findings if item.chip in numbers)
        parts = {name: getattr(self, name)[rows] for name in _ARRAYS}
        return replace(self, beliefs=beliefs, findings=found, **parts)

    @classmethod
    def joined(cls, tables: Sequence[DriveTable]) -> DriveTable:
        """Return one table of the chips of several; costs are per chip, so the largest counts."""
        first = tables[0]
        starts = np.cumsum([0, *(len(table) for table in tables)]).tolist()
        found = [
            replace(item, chip=item.chip + start)
            for table, start in zip(tables, starts, strict=False)
            for item in table.findings
        ]
        arrays = [table.beliefs.arrays() for table in tables]
        beliefs = Beliefs(**{name: np.concatenate([a[name] for a in arrays]) for name in arrays[0]})
        parts: dict[str, Any] = {
            name: np.concatenate([getattr(t, name) for t in tables]) for name in _ARRAYS
        }
        cost = max((table.cost for table in tables), key=lambda cost: cost.seconds())
        return replace(first, beliefs=beliefs, findings=tuple(found), cost=cost, **parts)

    def save(self, path: Path | str, **provenance: object) -> None:
        """Write the table as one npz file, whole or not at all."""
        header = {
            "format": FORMAT,
            "blocks": list(self.circuit.names),
            "mesh": self.circuit.kind,
            "dac_bits": self.circuit.dac.bits,
            "cost": self.cost.to_dict(),
            "findings": [item.to_dict() for item in self.findings],
            **provenance,
        }
        arrays = _parts(self)
        arrays |= {f"beliefs.{name}": part for name, part in self.beliefs.arrays().items()}
        buffer = io.BytesIO()
        text = np.array(artifacts.to_json(header))
        np.savez_compressed(buffer, allow_pickle=False, header=text, **arrays)
        artifacts.write_bytes(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path | str, circuit: Circuit) -> tuple[DriveTable, dict[str, Any]]:
        """Read a table of that circuit, and the header of its file.

        Raises
        ------
        InputError
            If the file is missing, damaged, or of another circuit.
        """
        arrays = artifacts.read_arrays(path, "a drive table")
        try:
            header = parse_json(str(arrays["header"]))
            parts: dict[str, Any] = {name: arrays[name] for name in _ARRAYS}
            names = Beliefs.none(circuit, 0).arrays()
            beliefs = Beliefs(**{name: arrays[f"beliefs.{name}"] for name in names})
            found = tuple(Finding(**item) for item in header["findings"])
            cost = Cost(header["cost"]["settings"], header["cost"]["readings"])
            same = header["format"] == FORMAT and header["blocks"] == list(circuit.names)
            same = same and header["dac_bits"] == circuit.dac.bits
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path} is not a drive table: {error}") from error
        if not same or parts["codes"].shape[1:] != circuit.phases.shape:
            raise InputError(
                f"{path} is a drive table of another circuit ({header['blocks']}, "
                f"{header['dac_bits']} bits); calibrate this program again"
            )
        blank = cls.start(circuit, len(parts["codes"]))
        _check_like(parts | beliefs.arrays(), _parts(blank) | blank.beliefs.arrays(), path)
        top = circuit.dac.top
        if any(
            ((parts[name] < 0) | (parts[name] > top)).any() for name in ("codes", "keep", "force")
        ):
            raise InputError(f"{path} holds codes beyond 0 to {top}; calibrate again")
        return cls(circuit, beliefs, findings=found, cost=cost, **parts), header


_ARRAYS = ("codes", "row_gain", "row_offset", "keep", "force", "noise")


def _parts(table: DriveTable) -> dict[str, Any]:
    return {name: getattr(table, name) for name in _ARRAYS}


def _check_like(found: dict[str, Any], wanted: dict[str, Any], path: Path | str) -> None:
    """Refuse arrays of another shape or kind than wanted, or that are not finite."""
    for name, array in wanted.items():
        other = found[name]
        good = other.shape == array.shape and other.dtype.kind == array.dtype.kind
        if not (good and np.isfinite(other).all()):
            raise InputError(
                f"{path} is not a drive table: {name} has {other.dtype} {other.shape}, finite "
                f"{array.dtype} {array.shape} is wanted"
            )
