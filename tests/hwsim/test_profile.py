"""Profiles: what a file may say about drivers and states, and what becomes of a program."""

import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from ecgphoton.errors import InputError
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.meshchips import mesh_source
from ecgphoton.hwsim.profile_file import FOLDER, load_profile, profiles
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.mesh.heater import HeaterDac

DRIVERS = (
    HeaterDac(4.0, 4.4, 8, "linear", -4.4),
    HeaterDac.of_table([[0, 0], [1, 0.3], [3, 2.2], [4, 3.8], [6, 7.2]]),
)


@pytest.mark.parametrize("name", profiles())
def test_shipped_profiles_are_dated_and_sourced(name):
    """Each has a date, and every number stands in a group below a comment."""
    text = (FOLDER / f"{name}.toml").read_text()
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", load_profile(name).date)
    assert load_profile(name).name == name
    for section in text.split("\n[")[1:]:
        assert section.splitlines()[1].startswith("#"), section


@pytest.mark.parametrize("driver", DRIVERS, ids=lambda driver: driver.law)
def test_a_perfect_chip_of_any_law_is_its_program(program, inputs, driver):
    """Driven exactly, the matrices are the program's to 1e-12; with codes, near them."""
    profile = replace(load_profile("ideal"), driver=driver)
    source = mesh_source(program, inputs, Foundry(profile))
    matrices = source.perfect.matrices(source.wanted)[0].numpy()
    assert np.abs(matrices - program.targets).max() < 1e-4  # 16-bit codes of the weights
    exact = np.stack([block.matrix for block in program.blocks])
    assert np.abs(matrices - exact).max() < 1e-12
    coded = Foundry(profile.with_value("dac.bits", 14)).chip(0, 0, source.program)
    rough = coded.matrices(coded.driven(source.wanted))[0].numpy()
    assert 0 < np.abs(rough - exact).max() < 0.01


def test_a_file_states_the_drivers(tmp_path):
    """The three laws in TOML; the widths of codes stay with dac.bits."""
    path = tmp_path / "own.toml"
    path.write_text('[driver]\nlaw = "linear"\nv_pi = 3.0\nv_min = -3.2\nv_max = 3.2\n')
    assert load_profile(path).driver == HeaterDac(3.0, 3.2, 8, "linear", -3.2)
    path.write_text('[driver]\nlaw = "table"\ntable = [[0, 0], [4, 3], [6, 7.5]]\n')
    assert load_profile(path).driver.phase_at(5.0) == pytest.approx(5.25)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("driver = 3", "driver is 3; it must be a table"),
        ("[driver]\nbits = 8", "driver.bits is not a setting of a profile; state dac.bits"),
        ("[driver]\nv_pie = 8", "did you mean driver.v_pi"),
        ('[driver]\nlaw = "table"', "driver.table is"),
        ('[driver]\nlaw = "table"\ntable = [[0, "a"]]', "driver.table is 'a'"),
        ('[driver]\nlaw = "table"\nv_pi = 3\ntable = [[0, 0], [1, 7]]', "driver.v_pi is given"),
        ('[driver]\nlaw = "linear"\nv_max = 5', "all phases of a turn"),
        ('[phase]\nstatic = "yes"', "phase.static is 'yes'"),
        ('[driver]\nlaw = "table"\ntable = [[0, 0], [nan, 7]]', "driver.table is"),
        ('[driver]\nlaw = "table"\ntable = [[0, 0], [1, 2]]', "driver.table is"),
        ("state = 3\n[phase]\noffset = 0.1", "state is 3; it must be a table of states"),
        ("[phase]\noffset = 0.1\n[state.hot]\nphase = 3", "state.hot must hold sections"),
        ('train = ["p1"]', "no section [train]; allowed: "),
        ("# numbers follow\n[splitter]\n", "states no number; perfect chips are those of 'ideal'"),
    ],
)
def test_wrong_drivers_are_one_sentence(text, message, tmp_path):
    """What cannot be is refused, and nothing stated is left out."""
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(InputError, match=re.escape(message)):
        load_profile(tmp_path / "own.toml")


def test_two_states_of_one_profile(student, inputs, label, point, tmp_path):
    """As fabricated, static phases are anywhere: simulated, chips are useless without trimming."""
    path = tmp_path / "own.toml"
    path.write_text("[splitter]\nsigma = 0.02\n")
    trimmed, raw = load_profile(path), load_profile(f"{path}:as-fabricated")
    stated = trimmed.with_value("phase.static", 0.3).as_fabricated()
    assert stated["phase.static"] == 0.3
    assert (trimmed.trimmed, raw.trimmed) == (True, False)
    assert raw.name == "own:as-fabricated"
    settings = {"chips": 4, "max_miss": 0.3, "max_fpr": 0.3}
    good, bad = (simulate(student, inputs, label, point, profile=p, **settings)
                 for p in (trimmed, raw))  # fmt: skip
    assert good.auc.min() > bad.auc.max()
    assert not bad.passed


@pytest.mark.parametrize("name", sorted({*profiles()} - {"ideal"}))
def test_the_light_path_in_full_is_a_state(name):
    """`NAME:full-link` has receivers with powers from the link, and modulators that leak."""
    plain, full = load_profile(name), load_profile(f"{name}:full-link")
    assert (plain.receiver, full.receiver) == ("homodyne", "balanced")
    assert full.name == f"{name}:full-link"
    assert plain["link.extinction_db"] == full["detector.noise"] == 0 < full["link.extinction_db"]
    wanted = {**dict(full.numbers), **dict(plain.numbers)}
    changed = {key for key in wanted if wanted[key] != full[key]}
    assert changed == {"detector.noise", "detector.rin"}
    assert full["receiver.bandwidth"] == full["link.rate"] / 2
    both = load_profile(f"{name}:full-link:as-fabricated")
    assert both.name == f"{name}:full-link:as-fabricated"
    assert not both.trimmed


@pytest.mark.parametrize(
    ("state", "text", "message"),
    [
        (
            "full-lnk",
            "[state.full-link.receiver]",
            "has no state 'full-lnk'; did you mean full-lin",
        ),
        ("hot", "[phase]\noffset = 0.1", "has no state 'hot'; allowed: as-fabricated"),
        ("hot", "[state.hot.receiver]\nkind = ['hybrid']", "there is no receiver ['hybrid']"),
        ("hot", "[state.hot]\nphase = 3", "state.hot must hold sections of a profile"),
        ("hot", "[state.hot.phase]\nofset = 3", "a profile has no 'phase.ofset'"),
    ],
)
def test_a_state_that_is_not_there_is_refused(state, text, message, tmp_path):
    """A misspelt state, and one that states what no profile has."""
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(message)):
        load_profile(f"{path}:{state}")


@pytest.mark.parametrize("asked", ["", ":cold"])
@pytest.mark.parametrize(
    "wrong", ["[state.hot.phase]\nofset = 3", "[state.hot.fase]\noffset = 3",
              "[state.hot.phase]\noffset = 30"]
)  # fmt: skip
def test_a_wrong_state_is_found_whatever_is_asked_for(wrong, asked, tmp_path):
    """What no profile can state in one of its states is refused when the file is read."""
    path = tmp_path / "own.toml"
    path.write_text(f"[phase]\noffset = 0.1\n[state.cold.phase]\noffset = 0.2\n{wrong}")
    with pytest.raises(InputError, match=r"own\.toml:hot: .*(ofset|fase|offset is 30)"):
        load_profile(f"{path}{asked}")


def test_a_state_may_need_another(tmp_path):
    """Numbers of a receiver that another state names: used with it, and alone refused by name."""
    path = tmp_path / "own.toml"
    path.write_text(
        "[phase]\noffset = 0.1\n[state.iq.receiver]\niq_gain = 0.1\n"
        "[state.full.receiver]\nkind = 'hybrid'\n"
    )
    assert load_profile(path).receiver == "homodyne"
    both = load_profile(f"{path}:full:iq")
    assert (both.receiver, both["receiver.iq_gain"], both.name) == ("hybrid", 0.1, "own:full:iq")
    with pytest.raises(InputError, match=r"own\.toml:iq: .*'balanced' has no receiver\.iq_gain"):
        load_profile(f"{path}:iq")
    path.write_text(path.read_text().replace("hybrid", "intensity"))
    with pytest.raises(InputError, match=r"own\.toml:iq: .*'balanced' has no receiver\.iq_gain"):
        load_profile(path)


@pytest.mark.parametrize("order", [*itertools.permutations(["far", "full", "both"])])
def test_a_state_may_need_two_others(order, tmp_path):
    """In whatever order the file states them."""
    texts = {
        "far": "[state.far.driver]\nlaw = 'linear'\n",
        "full": "[state.full.receiver]\nkind = 'hybrid'\n",
        "both": "[state.both.driver]\nv_min = -5\n[state.both.receiver]\niq_gain = 0.1\n",
    }
    path = tmp_path / "my.toml"
    path.write_text("[phase]\noffset = 0.1\n" + "".join(map(texts.get, order)))
    both = load_profile(f"{path}:far:full:both")
    assert both["receiver.iq_gain"] == 0.1
    assert both.driver.v_min == -5


@pytest.mark.parametrize("state", ["", ":as-fabricated"])
def test_defaults_of_a_receiver_are_not_stated(state, tmp_path):
    """A file that leaves its powers out takes those of a laser that is chosen for one call."""
    path = tmp_path / "own.toml"
    path.write_text("[receiver]\nkind = 'balanced'\ncmrr = 30\n")
    read = load_profile(f"{path}{state}")
    assert {**read.stated, "phase.static": 1} == {"receiver.cmrr": 30, "phase.static": 1}
    lit = read.with_settings(["link.laser=10", "link.oscillator=0.5", "link.rate=2e6"])
    assert lit["receiver.lo_power"] == pytest.approx(1.25)


def test_a_section_that_is_none_is_no_fault_of_a_state(tmp_path):
    """The profile itself is named, whichever of its states would change that section."""
    path = tmp_path / "own.toml"
    path.write_text("phase = 3\n[state.hot.phase]\noffset = 0.1\n")
    with pytest.raises(InputError, match="phase is 3; it must be a table"):
        load_profile(path)


def test_a_state_of_every_profile_is_not_hidden(tmp_path):
    """A file that states ``as-fabricated`` of its own is refused, whatever state is asked for."""
    path = tmp_path / "own.toml"
    path.write_text("[phase]\noffset = 0.1\n[state.as-fabricated.phase]\noffset = 0.2\n")
    for asked in (str(path), f"{path}:as-fabricated"):
        with pytest.raises(InputError, match="every profile has a state 'as-fabricated'"):
            load_profile(asked)


def test_new_effects_of_size_zero_change_no_chip(program):
    """A foundry chip without temperature, wavelength and die has the matrices it always had."""
    new = ("temperature.", "wavelength.", "die.", "waveguide.", "splitter.dispersion")
    stated = load_profile("foundry-thermo-optic")
    silent = replace(stated, numbers={
        key: 0.0 if key.startswith(new) else value for key, value in stated.numbers.items()
    })  # fmt: skip
    without = replace(stated, numbers={
        key: value for key, value in stated.numbers.items() if not key.startswith(new)
    })  # fmt: skip
    volts = torch.as_tensor(program.device.dac.volts_for(program.phases))[None]
    a, b, all_of_them = (Foundry(p).chips(0, 0, 2, program) for p in (silent, without, stated))
    assert torch.equal(a.matrices(volts), b.matrices(volts))
    assert not torch.equal(a.matrices(volts), all_of_them.matrices(volts))
    for name, drawn in b.normals.items():
        assert torch.equal(drawn, all_of_them.normals[name])
