"""Every effect of the list has the distribution, the stage and the limits that it declares."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.effects import EFFECTS, Effect, Site, numbers
from ecgphoton.hwsim.effects.effect import unit_normals
from ecgphoton.hwsim.meshchips import mesh_source
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.hwsim.receivers import RECEIVERS
from ecgphoton.hwsim.streams import chip_rng
from ecgphoton.hwsim.sweep import parse_sweep
from ecgphoton.mesh.heater import HeaterDac

CHIPS = 400
SMALL = 1e-3
"""Size of an effect alone, a share of the largest."""
PLACED = [
    effect for effect in EFFECTS.values() if effect.place != "none" and effect.drawn is unit_normals
]
"""Effects of independent normals; what others draw is in test_effects_oracle.py."""
OPTICAL = [effect for effect in PLACED if effect.stage != "reading"]
READ = [effect for effect in PLACED if effect.stage == "reading"]
EXACT = {"dac.bits": 0}
JITTER = {**EXACT, "time.jitter": 0.01}


def named(effect):
    """Name of a test's effect."""
    return effect.name


def alone(effect, share=SMALL):
    """Return a profile with one effect, its further numbers at their default, or 1."""
    more = {key: number.default or 1.0 for key, number in effect.also.items()}
    return Profile({**EXACT, **more, effect.name: share * effect.number.largest})


@pytest.mark.parametrize("effect", PLACED, ids=named)
def test_normals_are_unit_normals(program, effect):
    """Mean, variance and fourth moment over 400 chips are 0, 1 and 3, to five standard errors."""
    device, blocks = program.device, len(program.blocks)
    site = Site(alone(effect).__getitem__, device)
    drawn = effect.draw([chip_rng(0, k, effect.name) for k in range(CHIPS)], site, blocks)
    assert drawn.shape == (CHIPS, *effect.shape(device, blocks))
    for power, moment, scatter in ((1, 0, 1), (2, 1, 2), (4, 3, 96)):
        gap = (drawn**power).mean() - moment
        assert abs(gap) < 5 * math.sqrt(scatter / drawn.size)


@pytest.mark.parametrize("mean", [{}, {"loss.mzi_db": 0.2, "loss.splitter_db": 0.1}])
def test_no_mzi_amplifies(program, mean):
    """Drawn losses end at 0 dB, mean included: half of them are there where the mean is 0."""
    profile = Profile({**EXACT, **mean, "loss.mzi_sigma_db": 0.5})
    chips = Foundry(profile).chips(0, 0, 40, program)
    elements = chips.elements(torch.zeros(1, 1, 1, dtype=torch.float64))
    lost = -20 * torch.log10(elements.transmission) + (0.4 if mean else 0.0)
    assert float(lost.min()) == pytest.approx(0, abs=1e-12)
    assert float((lost < 1e-9).double().mean()) == pytest.approx(0.212 if mean else 0.5, abs=0.03)
    drawn = chips.normals["loss.mzi_sigma_db"] * 0.5 + (0.4 if mean else 0.0)
    assert float((lost - drawn.clamp_min(0)).abs().max()) < 1e-12


def test_no_detector_turns_light_around(program):
    """At the largest spread of responsivities a sixth of the detectors sees nothing, none less."""
    chips = Foundry(Profile({**EXACT, "detector.gain_sigma": 1.0})).chips(0, 0, 100, program)
    gain = chips.reading.gain[..., 0]
    drawn = 1 + chips.normals["detector.gain_sigma"]
    assert torch.equal(gain, drawn.clamp_min(0))
    assert float((gain == 0).double().mean()) == pytest.approx(0.159, abs=0.03)


@pytest.mark.parametrize("law", ["quadratic", "linear"])
@pytest.mark.parametrize("key", ["heater.spread", "heater.curvature"])
def test_no_shifter_shifts_backwards(program, key, law):
    """However much shifters differ, a phase has the sign of its drive; within that, the law's."""
    drivers = {"quadratic": None, "linear": HeaterDac(4.0, 4.4, 8, "linear", -4.4)}[law]
    chips = Foundry(Profile({**EXACT, key: 0.5}, driver=drivers)).chips(0, 0, 100, program)
    dac = chips.device.dac
    volts = torch.linspace(dac.v_min, dac.v_max, chips.device.drivers).double()[None, None]
    drive = dac.phase_at(volts) / math.pi
    phases = chips.phases(volts.expand(1, len(program.blocks), -1)) / math.pi
    bent = drive + 0.5 * chips.normals[key] * (drive if key == "heater.spread" else drive**2)
    assert bool((phases * drive.sign() >= 0).all())
    assert torch.allclose(phases, torch.where(bent * drive < 0, torch.zeros(()).double(), bent))
    assert bool((phases == 0)[..., drive[0, 0] != 0].any())


def test_no_heater_cools_another(program):
    """Whatever spreads over chips and pairs, a phase arrives as heat does: never below 0."""
    sizes = {"heater.crosstalk": 1e-6, "heater.crosstalk_length": 200.0}
    sizes |= {"heater.crosstalk_spread": 1.0, "heater.crosstalk_pairs": 1.0}
    chips = Foundry(Profile({**EXACT, **sizes})).chips(0, 0, 60, program)
    device = chips.device
    one = torch.zeros(1, len(program.blocks), device.drivers).double()
    one[..., 3] = device.dac.v_pi
    arriving = chips.phases(one)
    assert float(arriving.min()) > -1e-9  # where products of two shares remain
    assert 0.1 < float((arriving.abs() < 1e-9).double().mean()) < 0.7


@pytest.mark.parametrize("effect", OPTICAL, ids=named)
def test_fields_scatter_as_the_law_predicts(program, inputs, effect):
    """Mean 0 and the variance of central differences, for every element of every matrix.

    Attenuators pass less than all here: full light is an extreme, where first differences vanish.
    The same differences, of the real part and scaled, are the slopes behind noise and budgets.
    """
    dimmed = tuple(replace(b, attenuators=0.9 * b.attenuators) for b in program.blocks)
    program = replace(program, blocks=dimmed)
    volts = program.device.dac.volts_for(program.phases)[None]
    foundry = Foundry(alone(effect))
    chips = foundry.chips(0, 0, CHIPS, program)
    if effect.shot:
        chips = chips.shot(torch.Generator().manual_seed(0))
    source = mesh_source(program, inputs, foundry)
    shape = effect.shape(program.device, len(program.blocks))
    count = math.prod(shape[1:])
    moves = 0.01 * torch.eye(count).double().reshape(count, 1, *shape[1:]).expand(-1, *shape)
    ends = [replace(chips, normals={effect.name: side * moves}, count=count) for side in (1, -1)]
    up, down = (end.field(end.phases(volts)) for end in ends)
    slopes = (up - down) / 0.02
    error = chips.field(chips.phases(volts)) - source.perfect.field(source.perfect.phases(volts))
    spread = slopes.abs().square().sum(0).sqrt()
    seen = spread > 1e-3 * spread.max()
    ratio = (error.abs().square().mean(0).sqrt() / spread)[seen]
    assert abs(float(ratio.mean()) - 1) < 5 / math.sqrt(2 * CHIPS * len(program.blocks))
    assert float((ratio - 1).abs().max()) < 6 / math.sqrt(2 * CHIPS)
    assert float((error.mean(0).abs() / spread)[seen].max()) < 6 / math.sqrt(CHIPS)
    scale = source.perfect.scale[..., None]
    assert torch.allclose(source.slopes(effect), scale * slopes.real, atol=1e-7)


@pytest.mark.parametrize("effect", READ, ids=named)
def test_receivers_scatter_by_the_size(program, effect):
    """One part of the receivers changes, by unit normals times the size."""
    chips = Foundry(alone(effect)).chips(0, 0, CHIPS, program)
    perfect = Foundry(Profile(EXACT)).perfect(program)
    pairs = zip(chips.reading, perfect.reading, strict=True)
    changes = [torch.as_tensor(a) - torch.as_tensor(b) for a, b in pairs if a is not b]
    moved = [change for change in changes if change.any()]
    assert len(moved) == 1
    size = SMALL * effect.number.largest
    assert torch.allclose(moved[0][..., 0], size * chips.normals[effect.name])


@pytest.mark.parametrize(
    ("name", "level"), [("detector.noise", lambda reading: 1), ("detector.rin", torch.abs)]
)
def test_noise_of_readings(program, volts, name, level):
    """Repeated readings scatter about the silent one by the size: of full scale, or of itself."""
    chip = Foundry(alone(EFFECTS[name], 0.01)).chip(0, 0, program)
    light = torch.full((4, 4000), 0.5)
    silent = chip.respond(volts, light)
    noise = chip.respond(volts, light, generator=torch.Generator().manual_seed(0)) - silent
    unit = noise / (0.01 * level(silent))
    assert abs(float(unit.mean())) < 5 / math.sqrt(unit.numel())
    assert abs(float(unit.std()) - 1) < 5 / math.sqrt(2 * unit.numel())


def test_jitter_is_the_scatter_of_readings(program, inputs, volts):
    """The noise that phase jitter makes on beats is that of readings drawn shot by shot."""
    source = mesh_source(program, inputs, Foundry(alone(EFFECTS["time.jitter"])))
    shots = torch.as_tensor(volts).expand(2000, -1, -1)
    light = torch.full((4, 1), 0.5)
    draw = torch.Generator().manual_seed(1)
    seen = source.perfect.respond(shots, light, generator=draw).std(0)[..., 0]
    slopes = source.slopes(EFFECTS["time.jitter"])
    predicted = (slopes @ light.double())[..., 0].square().sum(0).sqrt() / source.perfect.scale
    assert float((seen / predicted - 1).abs().max()) < 6 / math.sqrt(2 * 2000)
    power = torch.einsum("hkij,kjl,hkil->ki", slopes, source.input_moments, slopes)
    assert torch.allclose(source.additive[0].double(), power.sqrt(), rtol=1e-5)


def test_effects_do_not_share_normals():
    """The streams of any two effects, and of the weights level, are uncorrelated."""
    names = ["", *EFFECTS]
    drawn = np.stack([chip_rng(3, 5, name).standard_normal(4000) for name in names])
    together = np.abs(np.corrcoef(drawn) - np.eye(len(names)))
    assert together.max() < 5 / math.sqrt(4000)


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_without_effects_a_chip_is_its_program(program, volts, receiver):
    """All sizes 0: with every receiver the matrices and biases are the program's, to 1e-12."""
    keys = RECEIVERS[receiver].keys
    light = {key: 1.0 for key in ("receiver.lo_power", "receiver.signal_power") if key in keys}
    zero = {key: 0.0 for key, number in numbers().items() if number.zero}
    silent = Profile({**zero, **light}, receiver=receiver)
    chip = Foundry(silent).chip(0, 3, program)
    wanted = np.stack([block.matrix for block in program.blocks])
    assert np.abs(chip.matrices(chip.driven(volts))[0].numpy() - wanted).max() < 1e-12
    assert chip.bias_errors().abs().max() < 1e-12
    assert not chip.noisy
    assert {effect.name for effect in silent.active} == set(light) - {"receiver.signal_power"}


@pytest.mark.parametrize("name", EFFECTS)
def test_declarations_are_complete(name):
    """Every effect says what it is, where its law comes from, and refuses what is beyond."""
    effect = EFFECTS[name]
    assert effect.number.meaning.endswith(".")
    assert effect.source
    owner = "hybrid" if name.startswith("receiver.") else "homodyne"
    for key, number in effect.numbers.items():
        assert Profile({key: number.largest}, receiver=owner)[key] == number.largest
        for wrong in (number.largest + 0.01 * abs(number.largest), -1, math.nan, "much", True):
            with pytest.raises(InputError, match=rf"{key} is .*; it must be .*to"):
                Profile({key: wrong}, receiver=owner)


def test_another_effect_draws_no_chip_anew(program, volts, monkeypatch):
    """With one more effect in the list, and in the profile, the others keep their normals."""
    before = Foundry.of("foundry-thermo-optic").chips(0, 0, 2, program)
    extra = Effect(
        "extra.offset", EFFECTS["phase.offset"].number, "phase", lambda v, x, _: v + x, "driver"
    )
    listed = {"extra.offset": extra, **EFFECTS}
    monkeypatch.setattr(EFFECTS, "_values", listed)
    profile = before.profile.with_value("extra.offset", 0.1)
    after = Foundry(profile).chips(0, 0, 2, program)
    assert set(after.normals) == set(before.normals) | {"extra.offset"}
    assert all(torch.equal(after.normals[name], part) for name, part in before.normals.items())
    assert not torch.allclose(after.matrices(volts), before.matrices(volts))


def test_any_number_of_torch_threads(student, inputs, label, point):
    """Chips and scores of a profile are the same bits on one thread and on two."""
    from ecgphoton.hwsim.simulate import simulate

    before = torch.get_num_threads()
    reports = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            reports.append(simulate(student, inputs, label, point, chips=4, profile="pessimistic"))
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(reports[0].auc, reports[1].auc)
    assert reports[0].perfect == reports[1].perfect


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[dacc]", r"no section \[dacc\]; did you mean dac\?"),
        ("[splitter]\nsigma = nan", "splitter.sigma is nan"),
        (f"[splitter]\nsigma = {'9' * 400}", "splitter.sigma is 9"),
        ("[dac]\nbits = 1", "dac.bits is 1"),
        ("[dac]\nbits = 2.5", "dac.bits is 2.5"),
    ],
)
def test_a_wrong_profile_is_one_sentence(text, message, tmp_path):
    """Sections that nothing reads and numbers beyond any limit are refused, also empty ones."""
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        load_profile(tmp_path / "own.toml")


def test_a_misspelt_parameter_gets_the_nearest_name():
    """Noise is among them, and spaces around a name do no harm."""
    with pytest.raises(InputError, match="did you mean noise"):
        parse_sweep("nois=0.1")
    with pytest.raises(InputError, match=r"driver\.v_pi is no single number of a chip"):
        parse_sweep("driver.v_pi=3")
    assert parse_sweep(" noise =0.1").parameter == "noise"
    assert dict(Profile({"dac.bits": np.int64(8)}).numbers) == {"dac.bits": 8.0}


def test_a_digital_factor_amplifies_noise_too(program, inputs) -> None:
    """A row that calibration doubles has readings and noise twice as large, chip by chip."""
    source = mesh_source(program, inputs, Foundry(Profile({"detector.noise": 0.01, **JITTER})))
    blocks = len(program.blocks)
    gain = torch.tensor([1.0, 2.0], dtype=torch.float64)[:, None, None].expand(-1, blocks, 4)
    plain, doubled = source.draw(0, 0, 2), replace(source, row_gain=gain).draw(0, 0, 2)
    assert torch.allclose(doubled.stack.matrices[1], 2 * plain.stack.matrices[1])
    assert torch.allclose(doubled.additive, plain.additive * gain.float())


def test_jitter_acts_on_the_fields_that_modulators_send(program, inputs) -> None:
    """Modulators driven in proportion send more than small inputs: so much more noise arrives."""
    sent = inputs.mapped(lambda part: torch.sin(1.5 * part) / math.sin(1.5))
    bent, wanted = (
        mesh_source(program, beats, Foundry(Profile({**JITTER, "link.depth": depth}))).input_moments
        for beats, depth in ((inputs, 1.5), (sent, 0.0))
    )
    first = len(program.architecture.sliding)  # blocks that read beats themselves
    assert torch.allclose(bent[:first], wanted[:first], rtol=1e-5)
