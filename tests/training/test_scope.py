"""Limits of what a student knows: fixed on patients left out, in small JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ecgphoton.decision import LargestProbability, OperatingPoint
from ecgphoton.ecg.patient_features import FEATURES
from ecgphoton.ecg.traits import Traits
from ecgphoton.errors import InputError
from ecgphoton.training.checks import CHECKS
from ecgphoton.training.scope import FEWEST, Scope

NAMES = tuple(FEATURES)[:4]
POINT = OperatingPoint(0.4, ("out_of_fold",))


def traits(rng: np.random.Generator, **changed: float) -> Traits:
    """A made-up patient; every value scatters."""
    values = dict.fromkeys((check.name for check in CHECKS), 1.0)
    values |= {
        "abnormal": rng.beta(2, 20),
        "abnormal in rhythm": rng.beta(1, 40),
        "doubtful": rng.beta(1, 30),
        "amplitude": rng.lognormal(0.3, 0.3),
        "spikes": rng.uniform(0.05, 0.2),
        "noise": rng.lognormal(-5, 0.3),
        "baseline": rng.uniform(0.03, 0.2),
        "rate": rng.lognormal(4.3, 0.15),
        "fast rate": rng.lognormal(4.5, 0.15),
    }
    shape = np.sin(np.linspace(0, 6, 36)) + 0.3 * rng.normal(size=36)
    return Traits({**values, **changed}, rng.normal(size=8), shape)


def patients(count: int, seed: int = 0) -> list[Traits]:
    """Return several of them."""
    rng = np.random.default_rng(seed)
    return [traits(rng) for _ in range(count)]


def scope(people: list[Traits]) -> Scope:
    """Return their scope."""
    found = Scope.of(people, NAMES, POINT)
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(5))
def test_one_patient_at_most_is_outside_the_limits_of_all(seed):
    """Of those on whom the limits were fixed; left out, each is compared with wider ones only.

    One of each kind of value: the student's answers, and the recording.
    """
    people = patients(22, seed)
    held = scope(people)
    kinds = {check.name: check.of for check in CHECKS}
    for kind in ("answers", "recording"):
        outside = [
            any(one.beyond and kinds[one.check] == kind for one in held.findings(person))
            for person in people
        ]
        assert sum(outside) <= 1
        assert held.widening[kind] > 0


def test_answers_of_some_patients_do_not_widen_the_limits_of_recordings():
    """A student that says something odd of a few patients still sees an odd recording."""
    people = patients(22)
    odd = [replace(one, values={**one.values, "abnormal": 0.99}) for one in people[3:5]]
    usual, changed = scope(people), scope([*people[:3], *odd, *people[5:]])
    assert changed.widening["answers"] > usual.widening["answers"]
    assert changed.widening["recording"] == usual.widening["recording"]


def test_new_patients_of_the_same_kind_are_rarely_outside():
    """About two of eleven: of each kind two of 22 are no less extreme than the second largest."""
    held = scope(patients(22))
    new = [any(one.beyond for one in held.findings(person)) for person in patients(300, seed=9)]
    assert np.mean(new) < 0.3


@pytest.mark.parametrize(
    ("name", "value"),
    [("abnormal", 1.0), ("abnormal in rhythm", 1.0), ("doubtful", 1.0), ("amplitude", 0.05),
     ("amplitude", 50.0), ("spikes", 1.0), ("noise", 1.0), ("baseline", 3.0),
     ("rate", 10.0), ("rate", 400.0), ("fast rate", 400.0)],
)  # fmt: skip
def test_each_value_has_its_own_limit(name, value):
    """What is beyond it is named with limit and reason, and nothing else is."""
    person = traits(np.random.default_rng(3), **{name: value})
    beyond = [one for one in scope(patients(22)).findings(person) if one.beyond]
    assert [one.check for one in beyond] == [name]
    hint = next(check.hint for check in CHECKS if check.name == name)
    assert beyond[0].sentence.endswith(hint)
    limit = beyond[0].low if value in (0.05, 10.0) else beyond[0].high
    at_limit = traits(np.random.default_rng(3), **{name: limit})
    position = next(p for p in scope(patients(22)).findings(at_limit) if p.check == name).position
    assert position == pytest.approx(1)


def test_a_shape_upside_down_and_foreign_features_are_outside():
    """The two values that compare with the other patients."""
    held = scope(patients(22))
    person = next(
        one for one in patients(9, seed=4) if not any(f.beyond for f in held.findings(one))
    )
    for changed, name in (
        (Traits(person.values, person.features, -person.shape), "shape"),
        (Traits(person.values, person.features + 9, person.shape), "features"),
    ):
        assert [one.check for one in held.findings(changed) if one.beyond] == [name]


def test_it_is_small_json_and_reads_back():
    """The same findings after a file; less than 4 kB for sixteen features."""
    held = scope(patients(22))
    text = json.dumps(held.to_dict())
    assert len(text) < 4096
    again = Scope.from_dict(json.loads(text))
    person = patients(1, seed=5)[0]
    assert again.findings(person) == held.findings(person)


def test_a_student_with_one_widening_for_all_values_keeps_its_limits():
    """As those trained before answers and recordings had limits of their own."""
    held = scope(patients(22))
    older = Scope.from_dict({**held.to_dict(), "widening": 0.5})
    assert older.widening == {"answers": 0.5, "recording": 0.5}
    with pytest.raises(InputError, match="the scope of the student is damaged"):
        Scope.from_dict({**held.to_dict(), "widening": "wide"})


def test_a_student_without_patient_features_has_the_other_checks():
    """And one of more than two classes keeps no threshold."""
    people = [Traits(one.values, np.empty(0), one.shape) for one in patients(9)]
    held = Scope.of(people, (), LargestProbability())
    assert held is not None
    assert held.operating_point is None
    assert CHECKS[-1].name == "features"  # what a student may lack is the last column of all
    names = [one.check for one in held.findings(people[0])]
    assert names == [check.name for check in CHECKS if check.name != "features"]


def test_few_patients_have_no_range():
    """Then a student holds none, and says so."""
    assert Scope.of(patients(FEWEST - 1), NAMES, POINT) is None
