"""Blocks of a program: codes, electronics and optics of one 4x4 matrix.

Codes of converters and programmed values are symmetric about zero, rounded half to even.
"""

import math
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, TypeVar

import numpy as np

from ecgphoton.errors import InputError, require
from ecgphoton.mesh.arrays import AnyArray, ArrayLike, Floats, Integers
from ecgphoton.mesh.clements import Phases
from ecgphoton.mesh.device import MZIS, WIDTH
from ecgphoton.settings import Settings, setting

Role = Literal["branch", "rhythm", "mlp"]
Values = TypeVar("Values", bound=Any)
"""Arrays or tensors."""

TABLE_BITS = 16  # width of the digital activation's output; its full scale is 32767


def largest_code(bits: int) -> int:
    """Largest magnitude of a symmetric signed code of `bits` bits: 2^(bits-1) - 1."""
    return (1 << (bits - 1)) - 1


def nearest_codes(values: Values, bits: int, low: float = -1.0, high: float = 1.0) -> Values:
    """Return ``clip(round((x - middle) n / half range), -n, n)``, n = `largest_code`, as floats.

    The one rule by which weights, biases, samples, tokens and tables become codes; arrays and
    tensors keep their type. Two more roundings exist, both in `ecgphoton.export.integers`: that of
    an accumulator to a detector code, and that of a sum of activations to an input code.
    """
    top = largest_code(bits)
    middle, scale = (low + high) / 2, 2 * top / (high - low)
    return ((values - middle) * scale).round().clip(-top, top)  # type: ignore[no-any-return]


def frozen(value: ArrayLike, shape: tuple[int, ...], dtype: type, path: str) -> AnyArray:
    """Return a read-only copy with the shape and type wanted, or an InputError naming `path`."""
    try:
        given = np.array(value)
        array: AnyArray = np.array(value, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path} cannot be read as numbers: {error}") from error
    if array.shape != shape:
        raise InputError(f"{path} has shape {array.shape}; it must be {shape}")
    if given.dtype.kind not in "iuf" or not np.isfinite(given.astype(float)).all():
        raise InputError(f"{path} holds a value that is not a finite number")
    if not np.array_equal(array, given):
        raise InputError(f"{path} holds a value that is not an integer")
    array.setflags(write=False)
    return array


def mesh_phases(phases: Phases, path: str) -> Phases:
    """Return the phases of one 4-mode mesh as arrays that cannot be changed, each in [0, 2 pi)."""
    sizes = {"theta": MZIS, "phi": MZIS, "output": WIDTH}
    given = {name: part for name, part in phases._asdict().items() if part is not None}
    found = {n: frozen(part, (sizes[n],), float, f"{path}.{n}") for n, part in given.items()}
    for name, value in found.items():
        inside = bool(((value >= 0) & (value < 2 * np.pi)).all())
        require(inside, f"{path}.{name}", value.tolist(), "phases in [0, 2 pi)")
    return Phases(**found)


@dataclass(frozen=True, eq=False)
class IntegerBlock(Settings):
    """One 4x4 block in integer arithmetic, with the electronics around it.

    Input codes ``x`` (full scale ``n_x``) meet weight codes ``w``; the exact integer
    ``a = n_b (w @ x) + n_w n_x b - c`` is rounded once to a detector code
    ``clip(rint(a * multiplier), -n_a, n_a)``; the activation is ``table[code + n_a]``.
    """

    name: str
    weight_codes: Integers
    """(4, 4), in [-n_w, n_w] with n_w = 2^(weight_bits-1) - 1."""
    bias_codes: Integers
    """(4,), in [-n_b, n_b]."""
    adc_low: float
    """Value of the lowest detector code, after the gain."""
    adc_high: float
    """Value of the highest detector code, after the gain."""
    table: Integers
    """(2 n_a + 1,) activation of every detector code, full scale 32767 = 1."""
    role: Role = setting(MISSING, "Where the block stands in the student.")
    weight_bits: int = setting(MISSING, "Bits of weight codes.", low=2, high=16)
    bias_bits: int = setting(MISSING, "Bits of bias codes.", low=2, high=16)
    input_bits: int = setting(
        MISSING, "DAC bits of the input; its range is [-1, 1].", low=2, high=16
    )
    adc_bits: int = setting(MISSING, "Bits of detector codes.", low=2, high=16)
    full_scale: float = setting(
        MISSING,
        "Weight and bias of the largest code (1 for a bounded student).",
        low=1e-6,
        high=1e6,
    )
    gain: float = setting(
        MISSING,
        "Amplifier between detection and conversion; the detector's own noise comes before it.",
        low=1e-6,
        high=1e6,
    )

    def __post_init__(self) -> None:
        path = self.name
        super().__post_init__()
        shapes: tuple[tuple[str, tuple[int, ...], int], ...] = (
            ("weight_codes", (WIDTH, WIDTH), self.weight_bits),
            ("bias_codes", (WIDTH,), self.bias_bits),
            ("table", (2 * largest_code(self.adc_bits) + 1,), TABLE_BITS),
        )
        for name, shape, bits in shapes:
            codes = frozen(getattr(self, name), shape, np.int64, f"{path}.{name}")
            worst, largest = int(np.abs(codes).max()), largest_code(bits)
            require(worst <= largest, f"{path}.{name}", worst, f"codes of at most {largest}")
            object.__setattr__(self, name, codes)
        span = (self.adc_low, self.adc_high)
        good = bool(np.isfinite(span).all()) and self.adc_high - self.adc_low >= 1e-6
        good = good and abs(self._middle) < 2**52  # codes are exact integers in double precision
        require(good, f"{path}.adc_low, adc_high", span, "ascending, in reach of the block")

    @property
    def matrix(self) -> Floats:
        """(4, 4) quantized weights."""
        return self.full_scale * self.weight_codes / largest_code(self.weight_bits)

    @property
    def bias(self) -> Floats:
        """(4,) quantized bias, added electronically after detection."""
        return self.full_scale * self.bias_codes / largest_code(self.bias_bits)

    @property
    def adc_step(self) -> float:
        """Width of one detector code, after the gain."""
        return (self.adc_high - self.adc_low) / (2 * largest_code(self.adc_bits))

    @property
    def unit(self) -> float:
        """Value of 1 in the integer accumulator, before the gain."""
        codes = map(largest_code, (self.weight_bits, self.input_bits, self.bias_bits))
        return self.full_scale / math.prod(codes)

    @property
    def _middle(self) -> float:
        return (self.adc_low + self.adc_high) / 2 / (self.gain * self.unit)

    @property
    def offset(self) -> Integers:
        """(4,) integer constant of the accumulator: bias minus the middle of the ADC range."""
        bias = largest_code(self.weight_bits) * largest_code(self.input_bits) * self.bias_codes
        return bias - round(self._middle)

    @property
    def multiplier(self) -> float:
        """Detector codes per accumulator unit: the one rounding of a block."""
        return self.gain * self.unit / self.adc_step


@dataclass(frozen=True, eq=False)
class MatrixBlock(IntegerBlock):
    """An `IntegerBlock` and the optics that carry its matrix.

    ``svd-*``: matrix = ``scale * Re(U A V)``, light meets `v`, `attenuators` (A), `u`.
    ``real-part``: matrix = ``scale * Re(U)``; `v` and `attenuators` are None.
    """

    order: tuple[int, ...] = tuple(range(WIDTH))
    """Which singular value (0 = largest) each optical path carries."""
    u: Phases = field(kw_only=True)
    v: Phases | None = None
    """Without phases at the output: there are no phase shifters."""
    attenuators: Floats | None = None
    """(4,) internal phases of the attenuators, rad in [0, pi]."""
    scale: float = field(kw_only=True)
    """Amplifier factor that restores sigma_max."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("u", "v"):
            if (mesh := getattr(self, name)) is not None:
                object.__setattr__(self, name, mesh_phases(mesh, f"{self.name}.{name}"))
        pair = (self.v is None) == (self.attenuators is None)
        require(pair, f"{self.name}.attenuators", self.attenuators, "given with mesh V, not alone")
        bare = self.v is None or self.v.output is None
        require(bare, f"{self.name}.v.output", "given", "absent: U makes up for its phases")
        require(self.u.output is not None, f"{self.name}.u.output", None, "given")
        if self.attenuators is not None:
            theta = frozen(self.attenuators, (WIDTH,), float, f"{self.name}.attenuators")
            inside = bool(((theta >= 0) & (theta <= np.pi)).all())
            require(inside, f"{self.name}.attenuators", theta.tolist(), "in [0, pi]")
            object.__setattr__(self, "attenuators", theta)
        require(0 <= self.scale <= 1e6, f"{self.name}.scale", self.scale, "from 0 to 1e6")
        object.__setattr__(self, "order", tuple(int(index) for index in self.order))
        wanted = sorted(self.order) == list(range(WIDTH))
        require(wanted, f"{self.name}.order", self.order, "a permutation of 0, 1, 2, 3")

    @property
    def attenuation(self) -> Floats:
        """(4,) field that the attenuators pass, ``sin(theta / 2)``; 1 where there are none."""
        return np.ones(WIDTH) if self.attenuators is None else np.sin(self.attenuators / 2)

    @classmethod
    def of(cls, block: IntegerBlock, **optics: Any) -> "MatrixBlock":  # noqa: ANN401
        """Add optics (`order`, `u`, `v`, `attenuators`, `scale`) to an integer block."""
        values = {item.name: getattr(block, item.name) for item in fields(IntegerBlock)}
        return cls(**values, **optics)
