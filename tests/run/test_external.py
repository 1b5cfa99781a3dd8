"""A frozen student on a database it has never seen, at its own threshold."""

from __future__ import annotations

import pytest

import ecgphoton as ep
from ecgphoton.ecg.database import locate, missing
from ecgphoton.ecg.databases import DATASETS
from ecgphoton.models import card


@pytest.mark.slow
@pytest.mark.mitdb
def test_a_shipped_student_on_another_database() -> None:
    """All records that are there are used and counted, and the threshold stays the student's.

    The numbers are those of its card.
    """
    if locate(dataset=DATASETS["svdb"]) is None:
        pytest.skip(missing(dataset=DATASETS["svdb"]))
    found = ep.run.evaluate("inter-patient", data="svdb")
    assert set(found.metrics["sets"]) == {"svdb"}
    numbers = found.metrics["sets"]["svdb"]
    assert any("of 78 records of svdb" in note for note in found.metrics["notes"])
    assert found.metrics["operating_point"] == ep.load("inter-patient").point.to_dict()
    assert len(numbers["records"]) <= 78
    if len(numbers["records"]) == 39:  # the half that card and docs/results.md are about
        assert f"91,473 beats | {numbers['auc']:.3f} [" in card("inter-patient")
        assert numbers["beats"] == 91_473
