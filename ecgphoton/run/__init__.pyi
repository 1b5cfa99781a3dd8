from ecgphoton.ecg.physionet import fetch as fetch
from ecgphoton.run.annotate import annotate as annotate
from ecgphoton.run.budget import budget as budget
from ecgphoton.run.bundle import export as export, verify as verify
from ecgphoton.run.chips import calibrate as calibrate, simulate as simulate
from ecgphoton.run.evaluate import evaluate as evaluate
from ecgphoton.run.listing import models as models, recipes as recipes, runs as runs
from ecgphoton.run.report import report as report
from ecgphoton.run.score import score as score
from ecgphoton.run.train import distill as distill, train as train
