"""A student and beats come in; which of them are of patients that it learnt from goes out."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ecgphoton.ecg.beats import BeatSet
from ecgphoton.run.beats import own_protocol
from ecgphoton.runs import CHOOSING
from ecgphoton.wording import count as counted


def learnt_from(metadata: Mapping[str, Any], sets: Mapping[str, BeatSet]) -> list[str]:
    """Return a sentence for every set with records of patients that a student learnt from.

    Parameters
    ----------
    metadata
        Of its run or bundle.
    sets
        Beats by the name of their set; those that chose the student take no part, nor do synthetic
        ones if it was trained on recordings, or the reverse.
    """
    own, synthetic = own_protocol(metadata), metadata["source"] == "synthetic"
    subjects = {own.subjects[name] for name in (*own.train, *own.validation)}
    found = []
    for name, beats in sets.items():
        records, count = np.unique(beats.record, return_counts=True)
        known = [own.same_subject.get(str(one), str(one)) in subjects for one in records]
        if name not in CHOOSING and beats.synthetic == synthetic and any(known):
            few = ", ".join(records[known][:5]) + (" ..." if sum(known) > 5 else "")
            found.append(
                f"{name}: {count[known].sum():,} of {len(beats):,} beats, in "
                f"{counted(sum(known), 'record')} ({few}), are of training patients, judged by "
                "record names: no estimate for new patients"
            )
    return found
