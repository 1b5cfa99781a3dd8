"""Journeys: a student by name or path comes in; a result and the files it is written to go out.

Every function does what the command of its name does, with the same parameters.
"""

import sys
from typing import TYPE_CHECKING

from ecgphoton.lazy import Lazy

if TYPE_CHECKING:
    from ecgphoton.ecg.physionet import fetch as fetch
    from ecgphoton.run.annotate import annotate as annotate
    from ecgphoton.run.budget import budget as budget
    from ecgphoton.run.bundle import export as export, verify as verify
    from ecgphoton.run.calibrate import calibrate as calibrate
    from ecgphoton.run.evaluate import evaluate as evaluate
    from ecgphoton.run.listing import models as models, recipes as recipes, runs as runs
    from ecgphoton.run.report import report as report
    from ecgphoton.run.score import score as score
    from ecgphoton.run.simulate import simulate as simulate
    from ecgphoton.run.train import distill as distill, train as train

HOMES = {
    "annotate": "ecgphoton.run.annotate",
    "budget": "ecgphoton.run.budget",
    "calibrate": "ecgphoton.run.calibrate",
    "distill": "ecgphoton.run.train",
    "evaluate": "ecgphoton.run.evaluate",
    "export": "ecgphoton.run.bundle",
    "fetch": "ecgphoton.ecg.physionet",
    "models": "ecgphoton.run.listing",
    "recipes": "ecgphoton.run.listing",
    "report": "ecgphoton.run.report",
    "runs": "ecgphoton.run.listing",
    "score": "ecgphoton.run.score",
    "simulate": "ecgphoton.run.simulate",
    "train": "ecgphoton.run.train",
    "verify": "ecgphoton.run.bundle",
}
"""Journeys and the modules they live in."""

sys.modules[__name__].__class__ = Lazy
