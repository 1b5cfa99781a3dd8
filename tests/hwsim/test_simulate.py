"""A simulation refuses settings that contradict each other, and says what it compares with."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from ecgphoton.cli import main
from ecgphoton.decision import ThresholdPolicy, abnormal_of
from ecgphoton.errors import InputError
from ecgphoton.hwsim.simulate import simulate
from ecgphoton.report.pieces import part


@pytest.mark.parametrize("changed", ["receiver.kind=balanced", "splitter.sigma=0.1"])
def test_settings_need_a_profile(changed: str, tmp_path) -> None:
    """Without a device profile there is nothing to change; the error names what to add."""
    asked = ["simulate", "inter-patient", "--data", "synthetic", "--set", changed]
    done = CliRunner().invoke(main, [*asked, "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "name a profile" in done.output
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("carried", "given", "words"),
    [
        ("student", {"noise": 0.01}, "the weights are the student's own"),
        ("program", {"noise": 0.01}, "the matrices are those of the bundle's DAC codes"),
        ("program", {"profile": "ideal"}, "every phase is set exactly"),
    ],
)
def test_it_says_what_the_perfect_chip_performs(
    carried, given, words, request, inputs, label, point
) -> None:
    """It depends on what is simulated, and on how."""
    model = request.getfixturevalue(carried)
    found = simulate(model, inputs, label, point, chips=1, **given).to_dict()
    assert found["perfect"] == f"perfect: the chip without errors and noise; {words}"


@pytest.mark.slow
@pytest.mark.usefixtures("short_records")
def test_settings_change_what_chips_answer(tmp_path) -> None:
    """Another receiver and another number give other chips; the receiver stands in the file."""
    rows, receivers = set(), []
    for changed in ("receiver.kind=homodyne", "receiver.kind=balanced", "splitter.sigma=0.1"):
        asked = ["simulate", "inter-patient", "--data", "synthetic", "--chips", "2"]
        more = ["--profile", "pessimistic", "--set", changed]
        CliRunner().invoke(main, [*asked, *more, "--out", str(tmp_path / changed)])
        rows.add((tmp_path / changed / "chips.csv").read_text())
        receivers.append(
            json.loads((tmp_path / changed / "simulation.json").read_text())["receiver"]
        )
    assert len(rows) == 3
    assert receivers == ["homodyne", "balanced", "homodyne"]


@pytest.mark.slow
def test_limits_and_noise_are_printed_as_they_are_given(tmp_path) -> None:
    """A limit of 12.5 % is not shown as 12 %, and noise beside a profile is named."""
    asked = ["simulate", "inter-patient", "--data", "synthetic", "--chips", "1", "--noise", "0.01"]
    limits = ["--limit", "miss", "0.125", "--limit", "yield", "0.995"]
    more = ["--profile", "ideal", *limits, "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, [*asked, *more])
    assert "miss <= 12.5 % and FPR <= 10 %; wanted 99.5 %" in done.stdout
    assert "1 chip, ideal, noise 0.01," in done.stdout
    page = part("simulation", json.loads((tmp_path / "out" / "simulation.json").read_text()))
    page = page.replace("\xa0", " ")
    assert "≤ 12.5 % and an FPR ≤ 10 %; 99.5 % are required" in page
    assert "(ideal, noise 0.01)" in page


@pytest.mark.parametrize("label", [[0.0, 0.3], [0, np.inf], [0, -1], ["N", "V"], [[0, 1]]])
def test_labels_that_are_no_classes_are_refused(label) -> None:
    """Probabilities, symbols and beats outside the scheme would all count as abnormal."""
    with pytest.raises(InputError, match="one row of classes is needed"):
        abnormal_of(label)
    if np.shape(label) == (2,):
        with pytest.raises(InputError, match="one row of classes is needed"):
            ThresholdPolicy().fit({"any": (np.array([0.1, 0.9]), np.array(label))})
    with pytest.raises(InputError, match="1 of 2 values are masked"):
        abnormal_of(np.ma.masked_array([0, 1], mask=[False, True]))
    assert abnormal_of([0.0, 1.0]).tolist() == abnormal_of([False, True]).tolist()
