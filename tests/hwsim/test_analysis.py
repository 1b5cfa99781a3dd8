"""Sweeps, budgets, certificates, traces, worst chips and the surrogate agree with Monte Carlo."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgphoton.errors import InputError
from ecgphoton.hwsim.adversary import worst_chip
from ecgphoton.hwsim.blame import RISES, blame, matrix_errors
from ecgphoton.hwsim.certify import certify, margin_bounds
from ecgphoton.hwsim.montecarlo import margin, rates, run
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.requirement import solve
from ecgphoton.hwsim.sensitivity import margins, sensitivity, surrogate, threshold_margin
from ecgphoton.hwsim.simulate import trial_of
from ecgphoton.hwsim.sweep import parse_sweep, run_sweep
from ecgphoton.hwsim.trace import trace
from ecgphoton.intervals import mean_interval
from ecgphoton.report.chips import draw_chips, draw_sweep
from ecgphoton.report.style import save


@pytest.fixture(scope="module")
def trial(student, inputs, label, point):
    """Weights level at 1 %."""
    return trial_of(student, inputs, label, point, seed=2, noise=0.01)


@pytest.fixture(scope="module")
def slopes(trial):
    """Its derivatives."""
    return sensitivity(trial)


def test_slopes_are_those_of_automatic_differentiation(student, inputs, trial, slopes):
    """Central differences through the simulator equal autograd through the student."""
    one = inputs.rows(slice(5, 6))
    logits, _ = student.run(one)
    weight = student.raw_weight
    value = torch.logsumexp(logits[0, :, 1:], -1) - logits[0, :, 0]
    (grad,) = torch.autograd.grad(value.sum(), weight)
    through_tanh = 1 - torch.tanh(weight).square()  # slopes are by the bounded weight
    exact = (grad / through_tanh).detach().numpy()
    assert np.abs(slopes.slope[5, :, :, :4] - exact).max() < 0.01 * np.abs(exact).max()


def test_gradient_budget_predicts_monte_carlo(trial, slopes):
    """Margin scatter over exact chips is the predicted one, and the rates follow it."""
    errors = matrix_errors(trial.source, trial.seed, 64)
    exact = margins(trial, trial.source.nominal().stack.moved(torch.as_tensor(errors)))
    moves = slopes.moves(errors)
    assert np.median(exact.var(0) / moves.var(0)) == pytest.approx(1, abs=0.1)
    predicted = np.array(slopes.rates(moves.mean(0), moves.var(0)))
    wrong = np.stack([(exact[:, trial.label] < 0).mean(), (exact[:, ~trial.label] >= 0).mean()])
    assert np.abs(predicted - wrong).max() < 0.03


@pytest.mark.slow
def test_no_mzi_is_blamed_where_none_has_errors(student, inputs, label, point):
    """Errors of receivers alone give no rows of zeros for hundreds of MZIs."""
    noisy = Profile({"detector.gain_sigma": 0.01, "dac.bits": 0})
    part = trial_of(student, inputs, label, point, profile=noisy)
    assert {share.kind for share in blame(part, chips=1)} == {"source", "block"}


@pytest.mark.slow
def test_blame_finds_the_guilty_part(student, inputs, label, point):
    """Both columns of the budget agree, blocks are all there, and a loud source comes first."""
    loud = Profile({"phase.offset": 0.03, "splitter.sigma": 0.002, "dac.bits": 0})
    mesh = trial_of(student, inputs, label, point, profile=loud)
    steps = []
    shares = blame(mesh, chips=12, progress=lambda *done: steps.append(done))
    assert steps[-1][0] == steps[-1][1] == len(steps)
    names = {kind: [s.name for s in shares if s.kind == kind] for kind in ("source", "block")}
    assert names["source"][0] == "phase.offset"
    assert set(names["block"]) == set(student.architecture.blocks)
    sources = [share for share in shares if share.kind == "source"]
    for share in sources:
        assert share.lost_sensitivity == pytest.approx(share.lost_sensitivity_gradient, abs=0.05)
        assert share.added_fpr == pytest.approx(share.added_fpr_gradient, abs=0.05)
        row = share.to_dict()
        for name in RISES:
            low, high = row[f"{name}_low"], row[f"{name}_high"]
            assert low <= row[name] <= high
            assert row[name] == pytest.approx((low + high) / 2)
        # Both intervals are of the same mean, the gradient's of more chips.
        assert row["added_fpr_low"] < row["added_fpr_gradient_high"]
        assert row["added_fpr_gradient_low"] < row["added_fpr_high"]
    mzis = [share for share in shares if share.kind == "mzi"]
    assert len(mzis) == 8 * 16
    assert mzis[0].lost_sensitivity is mzis[0].to_dict()["added_fpr_low"] is None
    json.dumps([share.to_dict() for share in shares])


@pytest.mark.slow
def test_intervals_of_a_budget_are_those_of_paired_differences(program, inputs, label, point):
    """Chip by chip against the perfect chip with the same converters; one chip has none."""
    profile = Profile({"phase.offset": 0.1, "dac.bits": 0, "detector.noise": 0.0})
    made = trial_of(program, inputs, label, point, profile=profile, readout="digital")
    part = replace(made, inputs=made.inputs.rows(slice(80)), label=made.label[:80])
    (found,) = (one for one in blame(part, chips=4, by_mzi=False) if one.kind == "source")
    perfect = rates(part.perfect()[None], part.label, part.point)
    rises = (np.concatenate([*run(part, 4)]) - perfect)[:, :2].T
    for name, values in zip(RISES, rises, strict=False):
        assert getattr(found, name) == pytest.approx(values.mean())
        assert found.intervals[name] == pytest.approx(mean_interval(values))
    (lone,) = (one for one in blame(part, chips=1, by_mzi=False) if one.kind == "source")
    assert lone.intervals["added_fpr"] is None
    assert lone.to_dict()["added_fpr_low"] is None


@pytest.mark.slow
def test_weights_level_budget(trial):
    """Weights, biases and detector noise are told apart, and every block is named."""
    shares = blame(trial, chips=1)
    sources = {share.name for share in shares if share.kind == "source"}
    assert sources == {"static weights", "static biases", "detector noise"}
    assert sum(share.kind == "block" for share in shares) == 8


def test_certified_beats_are_never_flipped(trial):
    """No chip within epsilon leaves its interval; nothing is certified falsely; 0 is exact."""
    centre = margins(trial, trial.source.nominal().stack)[0]
    zero = margin_bounds(trial, 0.0)
    assert np.allclose(zero, centre, atol=2e-5)
    epsilon = 0.004
    low, high = margin_bounds(trial, epsilon)
    draw = np.random.default_rng(0).choice([-1.0, 1.0], (40, 8, 4, 5)) * epsilon
    stack = trial.source.nominal().stack.moved(torch.as_tensor(draw)).clamped(trial.carrier.scale)
    seen = margins(trial, stack)
    assert (seen >= low - 1e-4).all()
    assert (seen <= high + 1e-4).all()
    rows = certify(trial, (0.0, 0.001, 0.01))
    shares = [row["certified"] for row in rows]
    assert shares[0] == 1
    assert shares[0] > shares[1] > shares[2]
    assert rows[0]["worst_miss"] <= rows[1]["worst_miss"] <= rows[2]["worst_miss"]
    for value, said in ((-1.0, "from 0 to 1"), (5.0, "5 % is 0.05"), (np.nan, "from 0 to 1")):
        with pytest.raises(InputError, match=f"epsilon is .*{said}"):
            certify(trial, (value,))
    with pytest.raises(InputError, match="one or more numbers"):
        certify(trial, ())


def test_a_trace_adds_up_to_the_simulated_decision(trial):
    """Stage losses sum to the whole loss, and the end is the margin of the full simulation."""
    beat = 270  # in the second block of beats
    found = trace(trial, 6, beat)
    chips = trial.source.draw(trial.seed, 4, 4)
    full = trial.score(chips, 4, margin)[2, beat] - threshold_margin(trial.point)
    assert found.margin == pytest.approx(float(full), abs=1e-6)
    total = sum(stage.static + stage.shot for stage in found.stages)
    assert found.perfect + total == pytest.approx(found.margin, abs=1e-6)
    assert [stage.block for stage in found.stages] == list(trial.carrier.architecture.blocks)
    json.dumps(found.to_dict())
    with pytest.raises(InputError, match="beat is 300; it must be from 0 to 299"):
        trace(trial, 0, 300)


@pytest.mark.slow
def test_the_adversary_is_worse_than_chance(trial):
    """The chip found by gradient is within tolerance, worse than all drawn, and says where."""
    table = np.concatenate([*run(trial, 40)])
    with torch.no_grad():  # of the program around; the search computes gradients all the same
        worst = worst_chip(trial, sigmas=3.0)
    assert np.abs(worst.errors).max() <= 0.03 + 1e-6
    assert worst.miss + worst.fpr > (table[:, 0] + table[:, 1]).max()
    use = worst.to_dict()["use"]
    assert set(use) == set(trial.carrier.architecture.blocks)
    assert list(use.values()) == sorted(use.values(), reverse=True)
    assert all(0 < share <= 1 + 1e-6 for share in use.values())


@pytest.mark.slow
def test_the_adversary_of_a_profile_stays_where_its_chips_are(student, inputs, label, point):
    """Every weight lies within three standard deviations around the mean of drawn chips."""
    subject = student, inputs, label, point
    made = trial_of(*subject, seed=2, profile="pessimistic")
    drawn = made.source.draw(5, 0, 400).stack.minus(made.source.nominal().stack)
    worst = worst_chip(made, sigmas=3.0)
    reach = np.abs(worst.errors - drawn.mean(0).numpy()) / drawn.std(0).numpy()
    assert np.quantile(reach, 0.95) < 3.5
    table = np.concatenate([*run(made, 10)])
    assert worst.miss + worst.fpr > (table[:, 0] + table[:, 1]).max()
    with pytest.raises(InputError, match=r"receiver\.kind=homodyne"):
        worst_chip(trial_of(*subject, profile="mems:full-link"))


@pytest.mark.slow
def test_surrogate_is_close_and_second_order_is_closer(trial):
    """Margins of exact chips: second order beats first; rates are within its stated error."""
    errors = 2.5 * matrix_errors(trial.source, trial.seed, 32)
    exact = margins(trial, trial.source.nominal().stack.moved(torch.as_tensor(errors)))
    gaps = []
    for order in (1, 2):
        guess = surrogate(trial, order=order)
        gaps.append(np.sqrt(((guess.margins(errors).numpy() - exact) ** 2).mean()))
    assert gaps[1] < gaps[0] < 0.2 * (exact - exact.mean(0)).std()
    stated = guess.error(0.01, 0.01)
    table = np.concatenate([*run(trial, 16)])
    assert np.abs(guess.rates(16, 0.01, 0.01)[:, :2] - table[:, :2]).mean() < 0.02
    assert stated < 0.03


@pytest.mark.slow
@pytest.mark.pictures
def test_sweep_shows_the_fall_of_yield(student, inputs, label, point, tmp_path):
    """Yield falls along a sweep, the table is complete, and both pictures are written."""
    sweep = parse_sweep("noise=0:0.2:3")
    assert sweep.values == (0.0, 0.1, 0.2)
    steps = []
    report = run_sweep(
        sweep,
        student,
        inputs,
        label,
        point,
        chips=8,
        progress=lambda done, total: steps.append((done, total)),
    )
    rows = report.rows()
    assert rows[0]["yield"] == 1.0
    assert rows[-1]["yield"] < 1.0
    assert rows[0]["miss_p95"] < rows[-1]["miss_p95"]
    assert steps == [(1, 3), (2, 3), (3, 3)]
    json.dumps(report.to_dict(), allow_nan=False)
    last = report.reports[-1]
    for figure in (
        draw_sweep(report.to_dict(), report.rows()),
        draw_chips(last.to_dict(), last.chip_rows()),
    ):
        save(figure, tmp_path / "picture.png")
        assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


def test_profile_parameters_can_be_swept(student, inputs, label, point):
    """Any key of a profile works, from the ideal one when none is given."""
    sweep = parse_sweep("phase.offset=0,0.2")
    report = run_sweep(sweep, student, inputs, label, point, chips=4)
    assert report.rows()[1]["miss_mean"] + report.rows()[1]["fpr_mean"] > 0.08
    assert report.reports[0].perfect == report.reports[1].perfect


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noise",
        "noise=",
        "noise=a:b:c",
        "noise=0:1",
        "noise=0:1:0",
        "noise=0:1:1",
        "noise=-1,0",
        "x=0:1:3",
    ],
)
def test_sweeps_that_cannot_be_read(text):
    """Every unreadable sweep is one clear line that shows how to write it, or what is allowed."""
    with pytest.raises(InputError, match=r"sweep|swept") as error:
        parse_sweep(text)
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_solve_brackets_the_requirement(student, inputs, label, point):
    """The solved noise passes, a little more fails, and impossible limits are said to be so."""
    arguments = (student, inputs, label, point)
    found = solve("noise", *arguments, chips=8, precision=0.2, max_miss=0.12, max_fpr=0.12)
    assert found.report is not None
    assert found.report.passed
    assert 0 < found.value < found.failing
    none = solve("noise", *arguments, chips=4, max_miss=0.0, max_fpr=0.0)
    assert none.value is None
    assert "at most" in found.sentence
    assert "of full scale" in found.sentence
    assert "interval" in found.sentence
    with pytest.raises(InputError, match=r"did you mean dac\.bits"):
        solve("dac.bit", *arguments)


def test_solve_finds_the_fewest_bits(student, inputs, label, point):
    """Of a resource the smallest value that passes is found, one less fails, and JSON has units."""
    found = solve("dac.bits", student, inputs, label, point, chips=4, max_miss=0.1, max_fpr=0.1)
    assert found.value == found.failing + 1
    assert found.report.passed
    assert f"dac.bits must be at least {found.value:g} bits" in found.sentence
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (data["unit"], data["better"]) == ("bits", "more")
    assert data["simulation"]["profile_values"]["dac.bits"] == found.value
