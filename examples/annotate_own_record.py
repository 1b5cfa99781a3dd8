"""Classify the beats of a recording; write annotations, JSON lines and a picture.

    python examples/annotate_own_record.py --out annotated.png

The record is generated; for your own, give `annotate` the path of a recording.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from _start import options

import ecgphoton as ep
from ecgphoton.ecg.score import score_record
from ecgphoton.ecg.synthetic import write_wfdb

given = options(__doc__, beats=1200, seed=0)
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    record = folder / write_wfdb(folder, patients=1, beats=given.beats, seed=given.seed)[-1]
    model = ep.load("inter-patient")
    report = ep.run.annotate(record, out=folder, model=model.path)  # R peaks are detected
    print(report.summary["symbols"], "R peaks from", report.summary["peaks_from"])
    score = score_record(record, start=30.0)  # against its reference annotation, EC57
    print("abnormal beats:", score.rates["abnormal"])
    given.out.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(record.with_suffix(".eph.png"), given.out)
