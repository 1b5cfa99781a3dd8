"""Take a heartbeat classifier from training to photonic hardware, with a statistical verdict.

>>> import ecgphoton as ep
>>> beats = ep.load_splits(data="synthetic").test  # 360 samples a beat, 360 Hz, in [-1, 1]
>>> student = ep.SegmentStudent(seed=0)  # 150 parameters
>>> ep.predict(student, beats).shape == (len(beats), 2)
True
>>> ep.run.simulate("inter-patient", noise=0.02, chips=200)  # doctest: +SKIP

``ep.run`` and ``ep.study`` hold what the commands do, by the same names and parameters.
Names are imported on first use, so that ``import ecgphoton`` stays instant.
"""

import sys
from typing import TYPE_CHECKING

from ecgphoton.lazy import Lazy
from ecgphoton.version import __version__ as __version__

if TYPE_CHECKING:
    from ecgphoton import run as run, study as study
    from ecgphoton.calibration.calibrate import calibrate as calibrate
    from ecgphoton.decision import (
        OperatingPoint as OperatingPoint,
        ThresholdPolicy as ThresholdPolicy,
    )
    from ecgphoton.ecg.beats import BeatSet as BeatSet, load_splits as load_splits
    from ecgphoton.ecg.dataset import Dataset as Dataset
    from ecgphoton.ecg.formats import read as read
    from ecgphoton.ecg.recording import Recording as Recording
    from ecgphoton.errors import (
        EcgphotonError as EcgphotonError,
        InputError as InputError,
        VerificationError as VerificationError,
    )
    from ecgphoton.export.bundle import export_bundle as export_bundle, load_bundle as load_bundle
    from ecgphoton.export.verify import verify as verify
    from ecgphoton.hwsim.simulate import simulate as simulate
    from ecgphoton.recipe import Recipe as Recipe
    from ecgphoton.run.annotator import Annotator as Annotator, Beats as Beats, annotate as annotate
    from ecgphoton.runs import load as load
    from ecgphoton.student.architecture import Architecture as Architecture
    from ecgphoton.student.network import SegmentStudent as SegmentStudent, predict as predict
    from ecgphoton.student.propagate import inputs_of as inputs_of

HOMES = {
    name: f"ecgphoton.{home}"
    for name, home in {
        "Annotator": "run.annotator",
        "Architecture": "student.architecture",
        "Beats": "run.annotator",
        "BeatSet": "ecg.beats",
        "Dataset": "ecg.dataset",
        "EcgphotonError": "errors",
        "InputError": "errors",
        "OperatingPoint": "decision",
        "Recipe": "recipe",
        "Recording": "ecg.recording",
        "SegmentStudent": "student.network",
        "ThresholdPolicy": "decision",
        "VerificationError": "errors",
        "annotate": "run.annotator",
        "calibrate": "calibration.calibrate",
        "export_bundle": "export.bundle",
        "inputs_of": "student.propagate",
        "load": "runs",
        "load_bundle": "export.bundle",
        "load_splits": "ecg.beats",
        "predict": "student.network",
        "read": "ecg.formats",
        "run": "run",
        "simulate": "hwsim.simulate",
        "study": "study",
        "verify": "export.verify",
    }.items()
}
"""Public names and the modules they live in."""

sys.modules[__name__].__class__ = Lazy
