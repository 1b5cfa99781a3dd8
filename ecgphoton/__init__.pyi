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
from ecgphoton.version import __version__ as __version__
