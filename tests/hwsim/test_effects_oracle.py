"""Effects have the moments that docs/physics.md states, by formulas that share no code."""

import effects_moments as oracle
import numpy as np
import pytest
import torch

from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.effects import number_of
from ecgphoton.hwsim.profile import Profile

CHIPS = 1500
WAVELENGTHS = (1.545, 1.55, 1.555)  # um
STATED = {
    "dac.bits": 0,
    "waveguide.mismatch": 7.0,
    "waveguide.thermo_optic": 2e-4,
    "waveguide.arm": 80.0,
    "waveguide.group_index": 3.9,
    "waveguide.per_width": 0.003,
    "waveguide.per_thickness": 0.005,
    "splitter.dispersion": 0.006,
    "splitter.per_width": 0.001,
    "splitter.per_thickness": 0.002,
    "die.length": 1.3,
}


@pytest.fixture(scope="module")
def drawn(program):
    """Return a function from a key and its size to changes of phases and angles of splitters."""

    def draw(key, size):
        chips = Foundry(Profile({**STATED, key: size})).chips(0, 0, CHIPS, program)
        volts = torch.as_tensor(program.device.dac.volts_for(program.phases))[None]
        phases = chips.phases(volts)
        alpha, beta = chips.elements(phases)[:2]
        assert torch.equal(alpha, beta)
        return (phases - torch.as_tensor(program.phases)).numpy(), alpha.numpy()

    return draw


def variances(values, wanted):
    """Assert means of 0 and variances (n,) of values (chips, n)."""
    wanted = np.broadcast_to(wanted, values.shape[1:])
    assert (np.abs(values.mean(0)) < 5 * np.sqrt(wanted / CHIPS)).all()
    assert (np.abs((values**2).mean(0) - wanted) < 5 * wanted * np.sqrt(3 / CHIPS)).all()


def covariances(values, wanted):
    """Assert the covariance matrix (n, n) of normal values (chips, n)."""
    found = values.T @ values / CHIPS
    scale = np.outer(np.diag(wanted), np.diag(wanted)) + wanted**2
    assert (np.abs(found - wanted) < 5 * np.sqrt(scale / CHIPS)).all()


def test_a_change_of_temperature(drawn):
    """Every phase scatters by 2 pi / lambda dn/dT times the mismatch; splitters stay."""
    phases, angles = drawn("temperature.change", 3000.0)
    variances(phases, oracle.change_deviation(3000.0, 7.0, 2e-4) ** 2)
    assert not angles.any()
    pair = phases[:, 0, [3, 9]]
    covariances(pair, np.diag(np.full(2, oracle.change_deviation(3000.0, 7.0, 2e-4) ** 2)))


def test_a_gradient_of_temperature(drawn, program):
    """The further from the middle of the die, the more; what arms share is alike everywhere."""
    phases, _ = drawn("temperature.gradient", 800.0)
    device = program.device
    y = device.die(len(program.blocks))[..., 1]
    wanted = oracle.gradient_variance(800.0, y, device.mode_pitch, 7.0, 2e-4, 80.0)
    assert np.abs(phases.mean(0)).max() < 5 * np.sqrt(wanted.max() / CHIPS)
    # a product of two normals: the fourth moment is that of both
    assert (np.abs((phases**2).mean(0) / wanted - 1) < 5 * np.sqrt(8 / CHIPS)).all()
    shared = oracle.gradient_covariance(800.0, device.mode_pitch, 2e-4, 80.0)
    products = phases[:, 0, 2] * phases[:, -1, 5]
    assert abs(products.mean() - shared) < 5 * products.std() / np.sqrt(CHIPS)


def test_an_offset_of_the_wavelength(drawn):
    """Phases scatter by n_g and the mismatch; all splitters turn by the same angle, exactly."""
    phases, angles = drawn("wavelength.offset", 300.0)
    variances(phases, oracle.offset_deviation(300.0, 7.0, 3.9) ** 2)
    assert np.abs(angles - oracle.offset_angle(300.0, 0.006)).max() < 1e-12


def test_temperature_and_wavelength_share_the_paths(drawn):
    """One chip has one mismatch of each path: the two changes are proportional, to 1e-12."""
    warm, _ = drawn("temperature.change", 1000.0)
    detuned, _ = drawn("wavelength.offset", 100.0)
    ratio = oracle.offset_deviation(100.0, 7.0, 3.9) / oracle.change_deviation(1000.0, 7.0, 2e-4)
    assert np.abs(detuned + ratio * warm).max() < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize("name", ["width", "thickness"])
def test_widths_and_thicknesses_over_the_die(drawn, program, name):
    """Covariances of phases and of splitters between blocks are those of the process."""
    phases, angles = drawn(f"die.{name}", 3.0)
    device, blocks = program.device, len(program.blocks)
    die = device.die(blocks)
    place = [(0, 0), (0, 7), (0, device.drivers - 1), (blocks // 2, 4), (blocks - 1, 0)]
    at = tuple(np.array(place).T)
    stated = STATED[f"waveguide.per_{name}"]
    wanted = oracle.die_phase_covariance(3.0, die[at], device.mode_pitch, 1.3, 80.0, stated)
    covariances(phases[(slice(None), *at)], wanted)
    mzis = np.array([0, 0, blocks - 1]), np.array([0, 8, 2])
    thetas = [device.mzis[mzi].drivers[0] for mzi in mzis[1]]
    where, turned = die[mzis[0], thetas], angles[(slice(None), *mzis)]
    per_angle = STATED[f"splitter.per_{name}"]
    covariances(turned, oracle.die_angle_covariance(3.0, where, device.mode_pitch, 1.3, per_angle))


def test_uneven_pairs_of_heaters(program):
    """Each phase scatters by the heat of its neighbours; a pair is alike in both directions.

    The crosstalk of the layout is that of all chips, and no other draw of them changes.
    """
    nominal = {"dac.bits": 0, "heater.crosstalk": 0.02, "heater.crosstalk_length": 90.0,
               "heater.crosstalk_spread": 0.3, "phase.offset": 0.01}  # fmt: skip
    even = Foundry(Profile(nominal)).chips(0, 0, 3, program)
    uneven = Foundry(Profile({**nominal, "heater.crosstalk_pairs": 0.2})).chips(0, 0, 3, program)
    drawn = uneven.normals["heater.crosstalk_pairs"]
    assert torch.equal(drawn, drawn.transpose(-1, -2))
    assert all(torch.equal(each, uneven.normals[name]) for name, each in even.normals.items())
    alone = {**nominal, "heater.crosstalk_spread": 0.0, "phase.offset": 0.0}
    volts = torch.as_tensor(program.device.dac.volts_for(program.phases))[None]
    found = [
        Foundry(Profile({**alone, "heater.crosstalk_pairs": size})).chips(0, 0, CHIPS, program)
        for size in (0.0, 0.2)
    ]
    without, with_ = (chips.phases(volts)[:, 0].numpy() for chips in found)
    wanted = oracle.crosstalk_deviation(
        0.2, 0.02, 90.0, program.device.positions, program.phases[0]
    )
    variances(with_ - without, wanted**2)


def test_static_phases_as_fabricated(drawn):
    """Uniform over a turn: mean pi, variance pi^2 / 3, no first moment of the field."""
    phases, _ = drawn("phase.static", 1.0)
    assert phases.min() > -1e-12
    assert phases.max() < 2 * np.pi + 1e-12
    assert abs(phases.mean() - np.pi) < 5 * np.pi / np.sqrt(3 * phases.size)
    assert abs(phases.var() / (np.pi**2 / 3) - 1) < 5 / np.sqrt(phases.size)
    assert abs(np.exp(1j * phases).mean()) < 5 / np.sqrt(phases.size)


@pytest.mark.slow
@pytest.mark.sax
def test_splitters_disperse_as_the_coupler_that_is_named() -> None:
    """4.3 mrad/nm is the slope of SAX's model where it splits in halves, by finite differences."""
    coupler, length = pytest.importorskip("sax").models.coupler, 14.4
    ports = ("in0", "out1")
    angles = [np.arcsin(abs(complex(coupler(wl=wl, length=length)[ports]))) for wl in WAVELENGTHS]
    assert angles[1] == pytest.approx(np.pi / 4, abs=2e-3)
    slope = (angles[2] - angles[0]) / (WAVELENGTHS[2] - WAVELENGTHS[0])
    assert slope == pytest.approx(oracle.coupler_slope(length), rel=2e-3)
    assert number_of("splitter.dispersion").default == pytest.approx(1e-3 * slope, rel=0.01)
