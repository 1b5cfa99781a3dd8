"""The model of a chip: right against the simulator, and its derivatives against differences."""

import numpy as np
import torch

from ecgphoton.calibration.beliefs import Beliefs
from ecgphoton.calibration.fringe import fit
from ecgphoton.calibration.model import Model, matrix
from ecgphoton.calibration.placement import Task, improve, polish
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.mesh.crosstalk import undo

F64 = torch.float64


def random_rows(program, size=0.02, seed=0):
    """Rows of one chip with errors of that size."""
    draw = torch.Generator().manual_seed(seed)
    rows = Beliefs.none(program, 1).rows()
    return Beliefs(*(size * torch.randn(p.shape, generator=draw, dtype=F64) for p in rows))


def test_model_and_simulator_agree_on_the_design(program) -> None:
    """A chip as designed reads what the model of perfect beliefs says, at any codes."""
    device = program.with_bits(12).device
    bench = SimulatedBench(Foundry.of("ideal").chips(0, 0, 1, program))
    codes = np.random.default_rng(0).integers(0, 2300, (5, 1, 1, program.device.drivers))
    readings = bench.read(codes, np.eye(4))[:, 0]
    model, rows = Model(device), Beliefs.none(program, 1).rows()
    fields = model.at(rows, model.power(torch.as_tensor(codes[:, 0, 0]))[None])
    np.testing.assert_allclose(readings, fields.numpy().transpose(1, 0, 3, 2), atol=1e-12)


def test_slopes_are_derivatives(program) -> None:
    """Every analytic slope equals a central difference."""
    model, rows = Model(program.device), random_rows(program).at(slice(0, 2))
    drivers = program.device.drivers
    phases = 6 * torch.rand(2, 2, drivers, generator=torch.Generator().manual_seed(1), dtype=F64)
    slopes, step = model.slopes(rows, phases), 1e-6
    for driver in range(drivers):
        move = torch.zeros_like(phases)
        move[..., driver] = step
        ends = [model.fields(rows, phases + sign * move) for sign in (1, -1)]
        assert torch.allclose((ends[0] - ends[1]) / (2 * step), slopes["phase"][driver], atol=1e-8)
    for name in ("alpha", "beta", "loss", "gain"):
        part = getattr(rows, name)
        for index in range(part[0].numel()):
            move = torch.zeros_like(part)
            move.flatten(1)[:, index] = step
            ends = [
                model.fields(rows._replace(**{name: part + sign * move}), phases)
                for sign in (1, -1)
            ]
            slope = (ends[0] - ends[1]) / (2 * step)
            assert torch.allclose(slope, slopes[name][index], atol=1e-7), name


def test_slopes_by_power_are_derivatives(program) -> None:
    """What a power does to a matrix, crosstalk and bent laws included, equals a difference."""
    model, rows = Model(program.device), random_rows(program, 0.01).at(slice(0, 1))
    drivers = program.device.drivers
    power = torch.rand(1, drivers, generator=torch.Generator().manual_seed(2), dtype=F64) + 0.2
    free = torch.ones(1, drivers, dtype=torch.bool)
    wanted, gain = torch.zeros(1, 16, dtype=F64), torch.ones(1, 4, dtype=F64)
    task = Task(model, rows, wanted, gain, free)
    _, slope = task.slope(power)
    for driver in range(drivers):
        move = torch.zeros_like(power)
        move[:, driver] = 1e-6
        ends = [-task.left(power + s * move) for s in (1, -1)]
        assert torch.allclose((ends[0] - ends[1]) / 2e-6, slope[..., driver], atol=1e-7)


def test_a_fringe_gives_back_its_heater_law() -> None:
    """Any readings that swing with a bent law give the law back, exactly without noise."""
    draw = torch.Generator().manual_seed(3)
    power = torch.linspace(0, 2.25, 16, dtype=F64).expand(5, -1)
    law = 0.02 * torch.randn(5, 3, generator=draw, dtype=F64)
    u = power[..., None] ** torch.tensor([1.0, 2.0, 3.0], dtype=F64)
    phase = torch.pi * (power + (u * law[:, None]).sum(-1))
    wave = torch.randn(5, 3, 20, generator=draw, dtype=F64)
    basis = torch.stack([torch.ones_like(phase), phase.cos(), phase.sin()], -1)
    fringes = fit(power, basis @ wave, torch.zeros(5), 0.03)
    assert torch.allclose(fringes.law, law, atol=1e-8)
    assert fringes.residual.max() < 1e-9


def test_a_fringe_far_from_the_ideal_law_is_followed() -> None:
    """A law of four standard deviations is found beneath noise: no first step goes too far."""
    draw = torch.Generator().manual_seed(0)
    power = torch.linspace(0, 2.2, 16, dtype=F64).expand(64, -1)
    law = 0.12 * torch.randn(64, 3, generator=draw, dtype=F64).sign()
    law[:, 2] = 0.0
    phase = torch.pi * power * (1 + law[:, :1] + power * law[:, 1:2])
    wave = torch.randn(64, 3, 32, generator=draw, dtype=F64) * 0.2
    basis = torch.stack([torch.ones_like(phase), phase.cos(), phase.sin()], -1)
    noise = 0.014 * torch.randn(64, 16, 32, generator=draw, dtype=F64)
    fringes = fit(power, basis @ wave + noise, torch.full((64,), 0.014, dtype=F64), 0.03)
    assert fringes.residual.max() < 1.2 * 0.014


def test_undone_crosstalk_gives_the_phases_wanted(program) -> None:
    """K P + offset is what was wanted, modulo a turn."""
    device = program.device
    draw = np.random.default_rng(4)
    coupling = draw.normal(0, 0.004, (20, 5))
    offset = draw.normal(0, 0.1, (20, device.drivers))
    wanted = draw.uniform(0, 2 * np.pi, (20, device.drivers))
    k = matrix(device, coupling)
    heat = undo(k, wanted - offset)
    actual = (k @ heat[..., None])[..., 0] + offset
    assert (heat >= 0).all()
    assert heat.max() < 2.3 * np.pi
    assert np.abs(np.exp(1j * actual) - np.exp(1j * wanted)).max() < 1e-9


def test_polish_reaches_what_the_chip_can_do(whole) -> None:
    """From the program's powers, blocks with known errors are brought to their matrices."""
    model, rows = Model(whole.device), random_rows(whole, 0.01)
    rows = rows._replace(loss=0 * rows.loss)
    power = torch.as_tensor(whole.phases / np.pi)
    wanted = torch.as_tensor(0.9 * whole.targets / whole.scales[:, None, None]).flatten(1)
    gain, free = torch.ones(len(power), 4, dtype=F64), torch.ones(power.shape, dtype=torch.bool)
    task = Task(model, rows, wanted, gain, free)
    at = polish(task, power)
    assert task.left(at).abs().max() < 1e-6
    assert (at >= 0).all()


def test_moves_of_codes_only_ever_help() -> None:
    """Greedy moves stay in bounds, never make the error larger, and find an exact answer."""
    draw = torch.Generator().manual_seed(5)
    slope = torch.randn(30, 16, 32, generator=draw, dtype=F64)
    high = torch.full((30, 32), 2.0, dtype=F64)
    left = slope[:, :, 3] - slope[:, :, 20]  # two codes away from right
    moves = improve(left, slope, -high, high)
    assert (left - (slope @ moves[..., None])[..., 0]).norm(dim=1).max() < 1e-9
    noise = torch.randn(30, 16, generator=draw, dtype=F64)
    moves = improve(noise, slope, -high, high)
    assert moves.abs().max() <= 2
    after = (noise - (slope @ moves[..., None])[..., 0]).norm(dim=1)
    assert (after <= noise.norm(dim=1)).all()
    assert improve(noise, slope, 0 * high, 0 * high).abs().max() == 0
