"""Sets of made-up patients, smaller than those of a training, and a protocol of four of them."""

from ecgphoton.ecg.patients import BEATS
from ecgphoton.ecg.protocols import protocol_of
from ecgphoton.ecg.records import label_scheme
from ecgphoton.ecg.splits import assemble
from ecgphoton.ecg.synthetic import PATIENTS, extracted, stand_in

FOUR_RECORDS = """train = ["s01", "s02"]
validation = ["s03"]
test = ["s04"]
labels = "aami"
"""
"""Protocol file of the recordings in `wfdb_folder`."""


def synthetic_splits(
    seed=0,
    *,
    protocol="reference",
    labels="literal",
    patients=PATIENTS,
    beats=BEATS,
    split_seed=0,
    stratified=False,
):
    """Training, validation and test beats of made-up patients, about `patients` x `beats`."""
    chosen = stand_in(protocol_of(protocol), patients=patients)
    made = extracted(chosen.records, seed=seed, beats=beats)
    return assemble(
        chosen, label_scheme(labels), made, split_seed=split_seed, stratified=stratified
    )
