"""The drive table: the estimated errors of chips, and the codes that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ecgphoton import artifacts
from ecgphoton.calibration.beliefs import Beliefs, Finding
from ecgphoton.calibration.bench import Cost
from ecgphoton.calibration.model import Model, matrix
from ecgphoton.errors import InputError
from ecgphoton.intake import expecting, parse_json
from ecgphoton.mesh.arrays import Array, Bools, Floats, Integers
from ecgphoton.mesh.crosstalk import undo
from ecgphoton.mesh.device import WIDTH, Device
from ecgphoton.mesh.heater import drive_of_bent
from ecgphoton.program.program import MeshProgram

FORMAT = "ecgphoton-drive-table/2"
ARRAYS = ("codes", "row_gain", "row_offset", "keep", "force", "noise")
"""Arrays of a table, apart from those of its estimates."""


@dataclass(frozen=True, eq=False)
class DriveTable:
    """Estimated errors of C chips and how to drive and read them. Steps return new tables."""

    program: MeshProgram
    """What the chips have to perform, with the DAC bits of the bench."""
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
    def start(cls, program: MeshProgram, chips: int) -> DriveTable:
        """Return the table of chips before any measurement: the codes of the program."""
        shape = (chips, *program.phases.shape)
        return cls(
            program=program,
            beliefs=Beliefs.none(program, chips),
            codes=np.broadcast_to(program.codes, shape).copy(),
            row_gain=np.ones((*shape[:2], WIDTH)),
            row_offset=np.zeros((*shape[:2], WIDTH)),
            keep=np.full(shape, program.device.dac.top, np.int64),
            force=np.zeros(shape, np.int64),
            noise=np.zeros(shape[:2]),
        )

    def __len__(self) -> int:
        """Return the number of chips."""
        return len(self.codes)

    @property
    def device(self) -> Device:
        """Hardware of every block."""
        return self.program.device

    @cached_property
    def model(self) -> Model:
        """The model of one block."""
        return Model(self.device)

    @cached_property
    def rows(self) -> Beliefs:
        """The estimates as tensors, one row a block."""
        return self.beliefs.rows()

    def with_findings(self, found: Sequence[Finding]) -> DriveTable:
        """Add findings, each once."""
        return replace(self, findings=tuple(dict.fromkeys((*self.findings, *found))))

    def found(
        self,
        kind: str,
        where: Bools,
        parts: Sequence[str],
        detail: Callable[[tuple[int, ...]], str],
    ) -> list[Finding]:
        """Return one finding for every place (chip, block, part) of a mask (C, K, parts)."""
        places = [tuple(map(int, place)) for place in np.argwhere(where)]
        return [
            Finding(kind, at[0], self.program.names[at[1]], parts[at[2]], detail(at))
            for at in places
        ]

    @property
    def broken(self) -> Bools:
        """(C, K, drivers) which drivers do not follow their code."""
        return np.asarray((self.keep != self.device.dac.top) | (self.force != 0))

    def reaching(self, codes: Integers) -> Integers:
        """Codes (S, C, K, drivers) that reach the heaters when `codes` (broadcast) are set."""
        return np.asarray(codes & self.keep | self.force)

    def power(self, codes: Integers) -> Array:
        """Heater powers (C K, S, drivers) when codes (S, C or 1, K or 1, drivers) are set."""
        reaching = np.moveaxis(self.reaching(codes), 0, 2)
        return self.model.power(torch.as_tensor(reaching)).flatten(0, 1)

    @property
    def settings(self) -> Integers:
        """(1, C, K, drivers) the codes as one setting of a bench."""
        return self.codes[None]

    def volts_for(self, phases: Floats) -> Floats:
        """Voltages (..., C, K, drivers) at which the chips should have these actual phases (rad).

        Heaters are set modulo 2 pi; voltages end at that of the largest code.
        """
        device, beliefs = self.device, self.beliefs
        k, low = matrix(device, beliefs.coupling), device.dac.lowest
        heat = undo(k, phases - beliefs.offset, low=low)
        drive = drive_of_bent(heat, beliefs.law, *device.dac.limits)
        return np.asarray(device.dac.volts_of(drive))

    def in_units(self, fields: Floats) -> Floats:
        """Matrices (C, K, 4, 4) in units of W, of real fields (C, K, 4, 4) as they are read."""
        return np.asarray((self.program.scales[:, None] * self.row_gain)[..., None] * fields)

    def predicted(self) -> Floats:
        """(C, K, 4, 4) matrices that the estimates predict for the codes, in units of W."""
        fields = self.model.at(self.rows, self.power(self.settings))[:, 0].real.numpy()
        return self.in_units(fields.reshape(*self.codes.shape[:2], WIDTH, WIDTH))

    def error(self, matrices: Floats, wanted: Floats | None = None) -> Floats:
        """(C, K) Frobenius distance of matrices (C, K, 4, 4) from those `wanted`.

        By default these are the program's, to whose size the distance is relative.
        """
        target = self.program.targets
        size = np.maximum(np.linalg.norm(target, axis=(-2, -1)), 1e-12)
        apart = matrices - (target if wanted is None else wanted)
        return np.asarray(np.linalg.norm(apart, axis=(-2, -1)) / size)

    def mixed(self, other: DriveTable, take: Bools) -> DriveTable:
        """Return `other` with its codes and row gains for the blocks `take` (C, K), else ours."""
        parts = {
            name: np.where(take[..., None], getattr(other, name), getattr(self, name))
            for name in ("codes", "row_gain")
        }
        return replace(other, **parts)

    def with_offsets(self) -> DriveTable:
        """Return the table with the row offsets that its zeros and row gains call for."""
        offset = -self.program.scales[:, None] * self.row_gain * self.beliefs.zero
        return replace(self, row_offset=offset)

    def chips(self, rows: slice) -> DriveTable:
        """Return the table of some chips; findings keep their numbers of the whole batch."""
        numbers = range(len(self))[rows]
        found = tuple(item for item in self.findings if item.chip in numbers)
        parts = {name: part[rows] for name, part in self.arrays().items()}
        return self.holding(parts, findings=found)

    @classmethod
    def joined(cls, tables: Sequence[DriveTable]) -> DriveTable:
        """Return one table of the chips of several; costs are per chip, so the largest counts."""
        found, start = [], 0
        for table in tables:
            found += [replace(item, chip=item.chip + start) for item in table.findings]
            start += len(table)

        every = [table.arrays() for table in tables]
        parts = {name: np.concatenate([each[name] for each in every]) for name in every[0]}
        cost = max((table.cost for table in tables), key=lambda cost: cost.seconds())
        return tables[0].holding(parts, findings=tuple(found), cost=cost)

    def arrays(self) -> dict[str, Any]:
        """Arrays by name, those of the beliefs as ``beliefs.NAME``."""
        beliefs = {f"beliefs.{name}": part for name, part in self.beliefs._asdict().items()}
        return {name: getattr(self, name) for name in ARRAYS} | beliefs

    def holding(self, arrays: Mapping[str, Any], **changes: Any) -> DriveTable:  # noqa: ANN401
        """Return the table with other arrays, named as by `arrays`, and other values."""
        beliefs = Beliefs(*(arrays[f"beliefs.{name}"] for name in Beliefs._fields))
        return replace(self, beliefs=beliefs, **{name: arrays[name] for name in ARRAYS}, **changes)

    def save(self, path: Path | str, **provenance: object) -> None:
        """Write the table as one npz file, atomically."""
        header = {
            "format": FORMAT,
            **_about(self.program),
            "cost": self.cost.to_dict(),
            "findings": [asdict(item) for item in self.findings],
            **provenance,
        }
        text = np.array(artifacts.to_json(header))
        artifacts.write_arrays(path, header=text, **self.arrays())

    @classmethod
    def load(cls, path: Path | str, program: MeshProgram) -> tuple[DriveTable, dict[str, Any]]:
        """Read a table of a program with the bench's DAC bits, and the header of its file.

        Raises
        ------
        InputError
            If the file is missing, damaged, of another version, or of another program.
        """
        arrays = artifacts.read_arrays(path, "a drive table")
        blank = cls.start(program, 0)
        again = "calibrate again with ecgphoton calibrate BUNDLE"
        with expecting(path, "a drive table", again):
            header = parse_json(str(arrays["header"]))
            kind, about = header["format"], _about(program)
            # A table that does not state it was written before codes undid crosstalk.
            held = {"undoes": [0.0, 0.0]} | header
            other = [key for key, value in about.items() if held[key] != value]
            parts = {name: arrays[name] for name in blank.arrays()}
            found = tuple(Finding(**item) for item in header["findings"])
            cost = Cost(header["cost"]["settings"], header["cost"]["readings"])
        if kind != FORMAT:
            raise InputError(f"{path} has the format {kind!r}; {FORMAT!r} is read: {again}")
        top = program.device.dac.top
        if other:
            raise InputError(
                f"{path} is a drive table of another program: {other[0]} is {held[other[0]]}, here "
                f"{about[other[0]]}: {again}"
            )
        _check_like(parts, blank.arrays(), path)
        if any(
            ((parts[name] < 0) | (parts[name] > top)).any() for name in ("codes", "keep", "force")
        ):
            raise InputError(f"{path} holds codes beyond 0 to {top}: {again}")
        return blank.holding(parts, findings=found, cost=cost), header


def _about(program: MeshProgram) -> dict[str, Any]:
    """Return what a drive table states of its program."""
    return {
        "blocks": list(program.names),
        "mesh": program.mesh,
        "dac_bits": program.dac.bits,
        "undoes": [*astuple(program.crosstalk)],
    }


def _check_like(found: dict[str, Any], wanted: dict[str, Any], path: Path | str) -> None:
    """Refuse arrays of another shape (chips apart) or kind than wanted, or not finite."""
    chips = len(found["codes"]) if found["codes"].ndim else 0
    for name, array in wanted.items():
        other, shape = found[name], (chips, *array.shape[1:])
        good = other.shape == shape and other.dtype.kind == array.dtype.kind
        if not (good and np.isfinite(other).all()):
            raise InputError(
                f"{path} is not a drive table: {name} has {other.dtype} {other.shape}, finite "
                f"{array.dtype} {shape} is needed"
            )
