"""Cut and describe beats: a lead at 360 Hz comes in, at once or in pieces; its beats go out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.beatset import BeatSet, DropReport, Extracted, count_drops
from ecgphoton.ecg.detect import CENTRE, MARGIN, Centring, Detector, centred, r_peaks
from ecgphoton.ecg.features import HALF, WINDOW
from ecgphoton.ecg.missing import BRIDGED, Gaps
from ecgphoton.ecg.qrs_rules import LEARN
from ecgphoton.ecg.quality import (
    LARGEST,
    LENGTH,
    Quality,
    Stretch,
    Watch,
    mostly_none,
    poor,
    reasons,
    stretches_of,
)
from ecgphoton.ecg.reading import AnnotatedLead
from ecgphoton.ecg.rhythm import LONG_RUN, Rhythm, breaks_before
from ecgphoton.ecg.shape import History
from ecgphoton.ecg.windows import cut, describe

BEFORE = LEARN + 2 * MARGIN + WINDOW + LENGTH + CENTRE + BRIDGED
"""Samples that are kept: a beat may be detected this late, and its window is cut then."""
REMEMBERED = LONG_RUN + 10
"""Beats whose times the features of the next one may need."""
UNDECIDED = "?"
"""WFDB symbol of a beat that is not classified."""


@dataclass(frozen=True, eq=False)
class Found:
    """Beats that have just become known, in order."""

    sample: NDArray[np.int64]
    """``(n,)`` R sample at 360 Hz."""
    reason: NDArray[np.str_]
    """``(n,)`` why a beat has no whole window, empty where it has one."""
    beats: BeatSet
    """Those with a whole window."""


class BeatStream:
    """Cutter of the windows of beats from a signal that comes piece by piece.

    Windows, features and running template are those of training, by the same functions.
    Windows do not depend on how the signal is cut into pieces, and features by rounding at most.

    Parameters
    ----------
    gain
        Units of the signal per mV; detection needs it.
    peaks
        ``(n,)`` R samples at 360 Hz in order; None detects them.
    centring
        Where the student's windows are centred.
    delay
        How many beats must follow one before it is returned: 1 for features that look at the next
        beat (which are 0 with a delay of 0), so that the window of the next beat is complete.
    name, source
        Of the record, for the columns of the beats.
    stretches
        Where the signal is no ECG, where that is known: beats in these stretches are left out, and
        beats are returned at the end. None judges the signal as it comes.
    largest
        Range of a window, mV, above which its scale is wrong, see `cut`.
    """

    def __init__(
        self,
        *,
        gain: float = 1.0,
        peaks: NDArray[np.int64] | None = None,
        centring: Centring = "annotation",
        delay: int = 1,
        name: str = "",
        source: str = "",
        stretches: Sequence[Stretch] | None = None,
        largest: float = LARGEST,
    ) -> None:
        self._detector = Detector(gain) if peaks is None else None
        self._centring, self._delay, self._name, self._source = centring, delay, name, source
        self._signal, self._first = np.empty(0, np.float32), 0
        empty = np.empty(0, np.int64)
        # Beats that wait for their windows, after those that only the features still need.
        self._sample = empty if peaks is None else np.asarray(peaks, np.int64)
        self._middle = empty
        self._breaks = np.empty(0)  # of the beats that are cut, see `Rhythm.of`
        self._dropped = self._done = 0  # missing samples, and beats, before those that are kept
        self._history = History.empty()
        self.gaps = Gaps()
        self._gain, self._watch, self._judged = gain, Watch(gain), stretches is not None
        self._watch.stretches += stretches or ()
        self._largest = largest * gain
        # Beats that wait for the next one: why they have no window, and the windows of the others.
        self._reason = np.empty(0, "<U1")
        self._windows = np.empty((0, WINDOW), np.float32)

    @property
    def stretches(self) -> list[Stretch]:
        """Where the signal so far is no ECG."""
        return self._watch.stretches

    def push(self, piece: NDArray[np.float32], *, last: bool = False) -> Found:
        """Take the next samples and return the beats that are complete now.

        Parameters
        ----------
        piece
            ``(n,)`` at 360 Hz, NaN where nothing was measured.
        last
            Whether the signal ends with it.
        """
        self.gaps.push(piece)
        self._signal = np.concatenate([self._signal, piece])
        end = self._first + len(self._signal)
        self._locate(piece, end, last=last)
        if not self._judged:
            self._watch.push(piece, last=last)
        ready, at = len(self._middle), self._done + len(self._reason)
        if not last:
            judged = min(end - (WINDOW - HALF), self._watch.until - 1 - CENTRE)
            ready = max(at, int(np.searchsorted(self._middle, judged, "right")))
        self._cut(slice(at, ready))
        ends = last or (self._detector is None and ready == len(self._sample))
        found = self._describe(max(0, len(self._reason) - (0 if ends else self._delay)))
        if self._detector and self._done > 2 * REMEMBERED:
            drop = self._done - REMEMBERED
            self._sample, self._middle = self._sample[drop:], self._middle[drop:]
            self._breaks = self._breaks[drop:]
            self._done -= drop
        drop = end - BEFORE - self._first
        if drop > 0:
            self._dropped += int(np.isnan(self._signal[:drop]).sum())
            self._signal, self._first = self._signal[drop:], self._first + drop
        return found

    def _locate(self, piece: NDArray[np.float32], end: int, *, last: bool) -> None:
        """Find R samples and middles of the windows of further beats."""
        if self._detector:
            new = self._detector.push(piece, last=last)
            sample = np.maximum.accumulate(r_peaks(self._signal, new - self._first) + self._first)
            self._sample = np.concatenate([self._sample, sample])
            middle = new if self._centring == "qrs" else sample
        else:
            start, stop = len(self._middle), len(self._sample)
            if not last and self._centring == "qrs":  # which needs what follows the beat
                stop = max(start, int(np.searchsorted(self._sample, end - MARGIN)))
            middle = self._sample[start:stop]
            if self._centring == "qrs":
                middle = centred(self._signal, middle - self._first) + self._first
        self._middle = np.maximum.accumulate(np.concatenate([self._middle, middle]))

    def _cut(self, further: slice) -> None:
        """Cut the windows of further beats; they wait to be described."""
        middle, reason = self._middle[further], reasons(self._sample[further], self.stretches)
        may_be_none = (reason != "") & (self._detector is not None)  # found where it is no ECG
        windows = cut(self._signal, middle, reason, self._first, self._largest)
        begins, missing = [one.first for one in self.stretches], np.isnan(self._signal)
        breaks = self._dropped + breaks_before(missing, middle, begins, self._first)
        self._breaks = np.concatenate([self._breaks, np.where(may_be_none, np.nan, breaks)])
        self._windows = np.concatenate([self._windows, windows])
        self._reason = np.concatenate([self._reason, reason])

    def _describe(self, count: int) -> Found:
        """Return the first of the beats that wait; those behind them are looked ahead at."""
        rows = self._done + np.arange(len(self._reason))
        whole = self._reason == ""
        some = int(whole[:count].sum())
        known = len(self._breaks) if count else 0
        rhythm = Rhythm.of(self._middle[:known], first=self._done, breaks=self._breaks[:known])
        columns, self._history = describe(
            self._windows, rhythm, rows[whole], self._history, gain=self._gain, count=some
        )
        beats = BeatSet(
            **columns,
            label=np.full(some, -1, np.int64),
            symbol=np.full(some, UNDECIDED),
            record=np.full(some, self._name),
            sample=self._sample[rows[whole][:some]],
            source=self._source,
        )
        found = Found(self._sample[rows[:count]], self._reason[:count], beats)
        self._done += count
        self._reason, self._windows = self._reason[count:], self._windows[some:]
        return found


def extract(
    recording: AnnotatedLead,
    *,
    source: str,
    centring: Centring = "annotation",
    quality: Quality = "keep",
    further: bool = False,
) -> Extracted:
    """Cut, normalise and describe every beat of a recording.

    Features of intervals use every beat annotation of the record, dropped or not; the running
    template uses every beat that is kept, of any symbol.

    Parameters
    ----------
    quality
        Whether beats where the lead is no ECG are kept; otherwise they are left out.
    further
        Whether the lead is a further one, of which such beats are also left out if they are most.
    """
    bad = stretches_of(recording.signal, recording.gain)
    if further and mostly_none(recording.samples, bad):
        quality = "drop"
    stream = BeatStream(
        gain=recording.gain,
        peaks=recording.samples,
        centring=centring,
        name=recording.name,
        source="synthetic" if recording.synthetic else source,
        stretches=bad if quality == "drop" else (),
        largest=np.inf,
    )
    found = stream.push(recording.signal, last=True)
    kept = found.reason == ""
    beats = replace(found.beats, symbol=recording.symbols[kept], fs=recording.fs)
    flat = int((~beats.windows.any(axis=1)).sum())
    notes = recording.notes
    if flat:
        notes += (f"{recording.name}: {flat} flat beats became zeros",)
    if quality == "keep" and (said := poor(beats.sample, bad)):
        notes += (f"{recording.name}: {said} of lead {recording.lead} are kept",)
    drops = count_drops(recording.name, recording.symbols[~kept], found.reason[~kept])
    return Extracted(beats, DropReport(drops, notes), recording.lead)
