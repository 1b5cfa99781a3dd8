"""Arrays, classes and operating point of a checkpoint are those of its architecture."""

from __future__ import annotations

import numpy as np
import pytest

from ecgphoton.artifacts import save_checkpoint
from ecgphoton.errors import InputError
from ecgphoton.student.architecture import Architecture
from ecgphoton.student.network import SegmentStudent, filled, read_student

POINT = {"threshold": 0.5, "fitted_on": ["validation"], "feasible": True}


def test_an_array_that_would_not_be_used_as_it_is_is_refused() -> None:
    """One of no part of the student, and weights that were stored as integers."""
    student = SegmentStudent()
    arrays = student.arrays()
    with pytest.raises(InputError, match=r"'raw_further' is none of the architecture"):
        filled(student, {**arrays, "raw_further": arrays["raw_bias"]}, "checkpoint")
    with pytest.raises(InputError, match=r"'raw_bias' holds int64 values"):
        filled(student, {**arrays, "raw_bias": arrays["raw_bias"].astype(int)}, "checkpoint")
    same = {name: value.astype(np.float64) for name, value in arrays.items()}
    np.testing.assert_array_equal(filled(student, same, "x").arrays()["raw_bias"], same["raw_bias"])


@pytest.mark.parametrize(
    ("classes", "changed", "why"),
    [
        (2, {"classes": ["normal", "abnormal", "other"]}, "its architecture has 2"),
        (2, {"classes": ["abnormal", "abnormal"]}, "each with a name of its own"),
        (2, {"classes": [0, 1]}, "classes is 0; it must be a text"),
        (2, {"operating_point": None}, "2 classes and no operating point"),
        (4, {"operating_point": POINT}, "4 classes and an operating point"),
    ],
)
def test_metadata_of_another_student_are_refused(classes, changed, why, tmp_path) -> None:
    """Classes, threshold and architecture belong together: a wrong one would decide otherwise."""
    student = SegmentStudent(Architecture(classes=classes))
    metadata = {
        "architecture": student.architecture.to_dict(),
        "classes": ["N", "S", "V", "F"][:classes],
        "operating_point": POINT if classes == 2 else None,
    }
    save_checkpoint(tmp_path / "good", student.arrays(), metadata)
    assert read_student(tmp_path / "good")[2]["classes"] == metadata["classes"]
    save_checkpoint(tmp_path / "bad", student.arrays(), {**metadata, **changed})
    with pytest.raises(InputError, match=why):
        read_student(tmp_path / "bad")
