"""Annotation files that others can read, and nothing that they cannot."""

from __future__ import annotations

import numpy as np
import pytest

from ecgphoton.ecg.annotations import write_annotations
from ecgphoton.errors import InputError


def test_written_annotation_is_what_rdann_reads(tmp_path):
    """Samples, symbols, rate and the comment survive the file; other readers see a plain beat."""
    import wfdb

    write_annotations(tmp_path, "x", "eph", np.array([0, 5, 9]), list("NQ?"), fs=250, note="by us")
    read = wfdb.rdann(str(tmp_path / "x"), "eph")
    assert read.fs == 250
    assert read.sample.tolist() == [0, 1, 5, 9]
    assert read.symbol == ["N", '"', "Q", "?"]
    assert read.aux_note[1] == "by us"
    assert [path.name for path in tmp_path.iterdir()] == ["x.eph"]


@pytest.mark.parametrize(
    ("name", "annotator", "samples"),
    [
        ("a/b", "eph", [1]),
        ("x", "../e", [1]),
        ("x", "eph2", [1]),
        ("x", "eph", [5, 3]),
        ("x", "eph", [-1]),
    ],
)
def test_names_and_times_wfdb_cannot_hold_are_refused(tmp_path, name, annotator, samples):
    """Nothing is written outside the folder, and no times that run backwards."""
    with pytest.raises(InputError):
        write_annotations(
            tmp_path, name, annotator, np.array(samples), ["N"] * len(samples), fs=360
        )
    assert list(tmp_path.iterdir()) == []
