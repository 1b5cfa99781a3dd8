"""A program whose codes undo crosstalk says so in its file."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ecgphoton.errors import InputError
from ecgphoton.export.bundle_folder import MESH
from ecgphoton.mesh.crosstalk import LARGEST, Crosstalk
from ecgphoton.models import bundle
from ecgphoton.program.program_file import (
    from_dict,
    program_text,
    read_program,
    schema_text,
    to_dict,
)

KNOWN = Crosstalk(0.01, 150.0)


@pytest.fixture(scope="module")
def undoing():
    """Return a program that undoes crosstalk, with fine codes."""
    program = read_program(bundle("inter-patient") / MESH)
    return replace(program.with_bits(16), crosstalk=KNOWN)


def test_codes_and_volts_are_of_what_heaters_give_themselves(undoing) -> None:
    """Phases stay those of the program; its codes perform them with the crosstalk."""
    plain = replace(undoing, crosstalk=Crosstalk())
    np.testing.assert_array_equal(undoing.phases, plain.phases)
    assert (undoing.codes < plain.codes).mean() > 0.9
    away = np.abs(np.exp(1j * undoing.coded_phases) - np.exp(1j * undoing.phases))
    assert away[undoing.shifts > 0].max() < 1e-3
    heater = to_dict(undoing)["blocks"][0]["optics"]["meshes"]["V"]["mzis"][0]["theta"]
    volts = undoing.dac.volts_for(undoing.shifts)[0, heater["driver"]]
    assert (heater["voltage"], heater["phase"]) == (round(volts, 6), undoing.phases[0, 0])


def test_the_file_holds_share_and_length(undoing) -> None:
    """It comes back as it was; a program without crosstalk has a file and a schema without it."""
    data = json.loads(program_text(undoing))
    assert data["heater"]["crosstalk"] == {"share": 0.01, "length": 150.0}
    assert "X_ij = share exp" in data["convention"]["crosstalk"]
    again = from_dict(data)
    assert again.crosstalk == KNOWN
    assert program_text(again) == program_text(undoing)
    plain = replace(undoing, crosstalk=Crosstalk())
    assert not {"crosstalk"} & {*to_dict(plain)["heater"], *to_dict(plain)["convention"]}
    known = [json.loads(schema_text(p))["properties"]["heater"] for p in (undoing, plain, None)]
    assert ["crosstalk" in heater["properties"] for heater in known] == [True, False, True]
    share = known[0]["properties"]["crosstalk"]["properties"]["share"]
    assert share["maximum"] == LARGEST


@pytest.mark.parametrize("value", [{"share": 0.02, "length": 150.0}, {"share": 0.0, "length": 1.0}])
def test_a_file_with_other_crosstalk_than_its_codes_is_refused(undoing, value) -> None:
    """The codes imply it; without any the key is absent."""
    data = json.loads(program_text(undoing))
    data["heater"]["crosstalk"] = value
    with pytest.raises(InputError, match=r"\$\.(blocks|heater\.crosstalk)"):
        from_dict(data)
    del data["heater"]["crosstalk"]
    with pytest.raises(InputError, match=r"\$\.blocks\[0\].*the rest of the file implies"):
        from_dict(data)


def test_what_is_undone_is_said(undoing) -> None:
    """With the number of phases that are not, and how far they are off at most."""
    off = undoing.device.phases_at(undoing.shifts)[undoing.shifts == 0]
    wrong = (off - undoing.phases[undoing.shifts == 0])[off > 1e-6]
    said = f"but for {len(wrong)} of {undoing.phases.size} phases, which are off by up to"
    assert said in undoing.undone
    assert f"{wrong.max():.3f} rad" in undoing.undone
    assert undoing.undone.startswith("crosstalk of 0.01 at 120 um, falling by e over 150 um")
    assert not replace(undoing, crosstalk=Crosstalk()).undone
