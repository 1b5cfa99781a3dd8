"""Chips before calibration are driven by codes that undo the crosstalk of their layout."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgphoton.hwsim.blame import _mzis, matrix_errors
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.conditions import conditions, recoded
from ecgphoton.hwsim.effects import EFFECTS
from ecgphoton.hwsim.meshchips import mesh_source
from ecgphoton.hwsim.profile import Profile
from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.mesh.crosstalk import Crosstalk

HEAT = {"dac.bits": 0, "heater.crosstalk": 0.01, "heater.crosstalk_length": 150.0}
SPREAD = {"heater.crosstalk_spread": 0.2}
BARE = {key: value for key, value in HEAT.items() if key == "dac.bits"}


@pytest.fixture(scope="module")
def made(program, inputs):
    """Return a maker of chips by the numbers of their profile."""

    def make(numbers, carried=program):
        return mesh_source(carried, inputs, Foundry(Profile(numbers)))

    return make


def size(source, chips=8):
    """Root mean square of what the matrices of chips differ by from the program."""
    return float(np.sqrt((matrix_errors(source, 0, chips)[..., :4] ** 2).mean()))


def test_chips_of_the_layout_perform_the_program(made) -> None:
    """Without a spread only what cannot be undone is left, the same in all chips.

    Driven at the phases of the program themselves, they would be ten times as far off.
    """
    source = made(HEAT)
    assert source.program.crosstalk == Crosstalk(0.01, 150.0)
    drawn = source.draw(0, 0, 3).stack.matrices
    assert (drawn == drawn[:1]).all()
    undone = replace(source, volts=source.wanted)
    assert size(source) < 0.1 * size(undone)
    perfect = source.nominal().stack.matrices[0].numpy()
    assert np.abs(perfect - source.program.targets).max() < 1e-4


def test_a_spread_is_not_undone(made) -> None:
    """Chips differ in proportion to it, each from all others, whatever the batch."""
    source, half = (made(HEAT | {"heater.crosstalk_spread": size}) for size in (0.1, 0.05))
    wide, narrow = (one.draw(0, 0, 16).stack.matrices.std(0).norm() for one in (source, half))
    assert float(wide / narrow) == pytest.approx(2, rel=0.1)
    drawn = source.draw(0, 0, 4).stack.matrices
    assert (drawn[2] == source.draw(0, 2, 1).stack.matrices[0]).all()
    assert len(drawn.flatten(1).unique(dim=0)) == 4


def test_the_coupling_of_a_chip_is_its_draw(program) -> None:
    """1 + N(0, spread) of the nominal one, never below 0; all other draws stay."""
    site = HEAT | {"phase.offset": 0.02, "splitter.sigma": 0.02}
    with_, without = (
        Foundry(Profile(numbers)).chips(3, 0, 400, program).normals
        for numbers in (site | {"heater.crosstalk_spread": 0.3}, site)
    )
    drawn = with_["heater.crosstalk"].numpy()
    assert drawn.shape == (400, 1, 1)
    assert (drawn.mean(), drawn.std()) == pytest.approx((1, 0.3), abs=0.05)
    assert drawn.min() >= 0
    assert (without["heater.crosstalk"] == 1).all()
    for name in ("phase.offset", "splitter.sigma"):
        assert (with_[name] == without[name]).all()


def test_a_bundle_for_another_layout_keeps_its_codes(made, program) -> None:
    """The difference acts and is said; a bundle that undoes none has that of the profile undone."""
    other = replace(program, crosstalk=Crosstalk(0.02, 150.0))
    source = made(HEAT, other)
    assert source.program.crosstalk == other.crosstalk
    half = made(HEAT | {"heater.crosstalk": 0.01})
    assert size(source) > 10 * size(half)
    profile = Profile(HEAT)
    assert "chips of the profile have 0.01 at 120 um" in recoded(profile, other)
    assert "the difference remains" in recoded(Profile(BARE), other)
    driven = profile.driving(program)
    assert recoded(profile, program).endswith(f"exactly, without codes; {driven.undone}")
    alike = recoded(Profile(HEAT | {"dac.bits": program.dac.bits}), program)
    assert alike.startswith("the codes of the program undo no crosstalk, and are not used; ")
    fitting = replace(program, crosstalk=profile.crosstalk)
    own = {key: value for key, value in HEAT.items() if key != "dac.bits"}
    assert recoded(Profile(own), fitting) is None
    assert "crosstalk" not in recoded(profile, fitting)
    assert size(made(BARE, other)) > 10 * size(half)


def test_the_error_budget_counts_what_undoing_leaves(made, program) -> None:
    """Other sources are as without crosstalk; its own source is there where codes alone have it."""
    source, offset = made(HEAT | SPREAD | {"phase.offset": 0.02}), EFFECTS["phase.offset"]
    plain = made(BARE | {"phase.offset": 0.02})
    np.testing.assert_array_equal(
        matrix_errors(source.only(offset), 0, 4), matrix_errors(plain.only(offset), 0, 4)
    )
    crosstalk = EFFECTS["heater.crosstalk"]
    assert size(source.only(crosstalk)) == pytest.approx(size(made(HEAT | SPREAD)))
    other = made(BARE, replace(program, crosstalk=Crosstalk(0.02, 150.0)))
    assert size(other.only(crosstalk)) == pytest.approx(size(other))


def test_uneven_pairs_are_an_error_of_their_own(made) -> None:
    """Alone they come with the crosstalk of the layout, which codes undo; without it with none."""
    pairs, numbers = EFFECTS["heater.crosstalk_pairs"], {"heater.crosstalk_pairs": 0.2}
    source = made(HEAT | SPREAD | numbers)
    assert size(source.only(pairs)) == pytest.approx(size(made(HEAT | numbers)))
    assert size(source.only(EFFECTS["heater.crosstalk"])) == pytest.approx(
        size(made(HEAT | SPREAD))
    )
    assert size(made(BARE | numbers)) == size(made(BARE))


def test_no_mzi_has_an_error_from_shot_to_shot(made) -> None:
    """Jitter and crosstalk are no lasting errors of an MZI; a static phase is."""
    jitter = HEAT | {"time.jitter": 0.01}
    assert not list(_mzis(made(jitter)))
    assert len(list(_mzis(made(jitter | {"phase.offset": 0.02})))) == 16 * len(
        made(HEAT).program.blocks
    )


@pytest.mark.parametrize("name", ["foundry-thermo-optic", "nitride-thermo-optic", "pessimistic"])
def test_shipped_profiles_do_not_know_their_crosstalk_exactly(name) -> None:
    """Their chips spread by a fifth, which every result says."""
    profile = load_profile(name)
    assert profile["heater.crosstalk_spread"] == 0.2
    assert "crosstalk that spreads by 20 % over chips" in conditions(profile)
    assert "crosstalk" not in conditions(load_profile("mems"))
