"""Training beats once more, in further leads of their records, and in sentences which these are."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from ecgphoton.ecg.beatset import BeatSet, DropReport, Extracted, Further
from ecgphoton.ecg.splits import Splits, labelled
from ecgphoton.wording import count


def with_views(splits: Splits, seen: Sequence[Mapping[str, Extracted]]) -> Splits:
    """Add the training beats in further leads of the records that have them.

    Beats that the division gave to validation stay out. The notes of the report state which leads
    these are, which records have too few, and which beats of a further lead do not teach.

    Parameters
    ----------
    seen
        For each further lead, beats of the training records that have it.
    """
    records, leads = splits.protocol.train, len(seen) + 1
    views: list[BeatSet] = []
    further: list[Further] = []
    notes = []
    for name in records:
        own = splits.train.sample[splits.train.record == name]
        for found in (extracted[name] for extracted in seen if name in extracted):
            beats = labelled(found, splits.labels).beats
            beats = beats.take(np.isin(beats.sample, own) & (beats.label >= 0))
            views.append(beats)
            further.append(Further(name, found.lead, len(beats)))
            alone = [one for one in found.report.notes if one not in splits.report.notes]
            named = f" {found.lead} "
            notes += [one if named in one else f"{one} (lead {found.lead})" for one in alone]
            why = DropReport(found.report.drops - splits.report.drops).by_reason()
            why = why or found.report.by_reason()
            if lost := len(own) - len(beats):
                notes.append(
                    f"{name}: {count(lost, 'beat')} of lead {found.lead} left out of training: "
                    f"{'; '.join(why)}"
                )
    if held := Counter(one.lead for one in further if one.beats).most_common():
        shares = (f"{lead} of {count(number, 'record')}" for lead, number in held)
        notes.insert(
            0,
            f"{sum(map(len, views)):,} further training beats, the same in other leads, which are "
            f"not scored: {', '.join(shares)}",
        )
    short = [name for name in records if sum(one.record == name for one in further) < leads - 1]
    if short:
        notes.append(
            f"{len(short)} of {count(len(records), 'training record')} with fewer than {leads} ECG "
            f"leads (by name, with length and rate of the lead that is scored): "
            f"{' '.join(short[:10])}{' ...' * (len(short) > 10)}"
        )
    report = replace(splits.report, notes=(*splits.report.notes, *notes))
    joined = BeatSet.concat(views) if held else None
    return replace(splits, views=joined, further=tuple(further), report=report)
