"""A bench around simulated chips: only their readings are accessible, not their errors."""

from dataclasses import replace

import numpy as np
import torch

from ecgphoton.arguments import check_seed
from ecgphoton.calibration.bench import Cost, Kind, Readings, check_request, cost_of
from ecgphoton.hwsim.chip import Chip
from ecgphoton.hwsim.receivers import PHOTODIODE
from ecgphoton.mesh.arrays import Floats, Integers

SETTINGS = 64
"""Settings simulated at a time."""


class SimulatedBench:
    """C simulated chips and their noise.

    Where modulators leak, every field is read for x, for -x and without light, and answered as
    ``(r(x) - r(-x)) / 2 + r(0)``: the leak is the same for both signs. Its cost is that of three.
    Receivers that read some of the square of a field leave the product of signal and leak.

    Parameters
    ----------
    chip
        The chips. Readings are normalised by the mean loss of their profile.
    seed, first
        Noise of chip k is drawn from (seed, first + k): it does not depend on the batch.
    bits
        Width of the DACs.
    kinds
        What it reads with: ``field``, ``power`` or both.
    """

    def __init__(
        self,
        chip: Chip,
        *,
        bits: int = 12,
        seed: int = 0,
        first: int = 0,
        kinds: tuple[Kind, ...] = ("field", "power"),
    ) -> None:
        check_seed(seed)
        self.shape = (len(chip), len(chip.scales), chip.device.drivers)
        self.bits, self.kinds, self.cost = bits, kinds, Cost()
        self._dac = replace(chip.device.dac, bits=bits)
        self._chip = chip
        self._leaking = bool(chip.modulators.leak.any())
        self._generators = [_generator(seed, first + k) for k in range(len(chip))]

    @torch.no_grad()
    def read(self, codes: Integers, vectors: Floats, kind: Kind = "field") -> Readings:
        """See `Bench.read`."""
        check_request(self, codes, vectors, kind)
        times = 3 if self._leaking and kind == "field" else 1
        self.cost += cost_of(codes, np.repeat(vectors, times, 0), kind)
        codes = np.broadcast_to(codes, (len(codes), *self.shape))
        shape = (*codes.shape[:3], len(vectors), 4)
        answer = np.empty(shape, complex if kind == "field" else float)
        for chip in range(len(self._chip)):  # each from its own stream, whatever the batch
            single = self._chip[chip : chip + 1]
            for at in range(0, len(codes), SETTINGS):
                part = slice(at, at + SETTINGS)
                volts = self._dac.voltage_of(codes[part, chip])
                answer[part, chip] = self._shoot(single, volts, vectors, kind, chip)
        return answer

    def _shoot(
        self,
        chip: Chip,
        volts: Floats,
        vectors: Floats,
        kind: Kind,
        k: int,
    ) -> Readings:
        """(S, K, N, 4) readings of one chip at S settings, volts (S, K, drivers)."""
        inputs = torch.as_tensor(vectors.T.copy())

        def seen(light: torch.Tensor) -> Floats:
            if kind == "field":  # the oscillator turned by 90 degrees is light turned the other way
                light = torch.cat([light, -1j * light], -1)
            return chip.respond(
                volts,
                light,
                generator=self._generators[k] if chip.noisy else None,
                receiver=PHOTODIODE if kind == "power" else None,
            ).numpy()

        readings = seen(chip.sent(inputs))
        if kind == "field" and self._leaking:
            readings = (readings - seen(chip.sent(-inputs))) / 2 + seen(0j * inputs)
        boost = chip.boost if kind == "field" else chip.boost**2
        readings = np.moveaxis(readings, -1, -2) * boost
        if kind == "power":
            return readings
        n = len(vectors)
        return np.asarray(readings[:, :, :n] + 1j * readings[:, :, n:])


def _generator(seed: int, chip: int) -> torch.Generator:
    """Return the stream of one chip's readings, apart from that of its fabrication."""
    state = np.random.SeedSequence([seed, chip, 5]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state) >> 1)
