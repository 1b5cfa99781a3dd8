"""Beats of a stream: a lead at 360 Hz comes in piece by piece, its beats and features go out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.beatset import BeatSet
from ecgphoton.ecg.detect import MARGIN, Centring, Detector, centred, r_peaks
from ecgphoton.ecg.extract import AT_EDGE, GAP, PAST_END, Timing, describe
from ecgphoton.ecg.features import HALF, LONG_RUN, WINDOW
from ecgphoton.ecg.qrs_rules import LEARN
from ecgphoton.ecg.quality import LENGTH, Stretch, Watch, reasons
from ecgphoton.ecg.shape import History

BEFORE = LEARN + 2 * MARGIN + WINDOW + LENGTH
"""Samples that are kept: a beat may be detected this late, and its window is cut then."""
REMEMBERED = LONG_RUN + 10
"""Beats whose times the rhythm features of the next one may need."""
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

    Windows, rhythm features and running template are those of training, by the same functions.
    Windows do not depend on how the signal is cut into pieces, and features by rounding at most.

    Parameters
    ----------
    gain
        Units of the signal per mV; detection needs it.
    peaks
        ``(n,)`` R samples at 360 Hz in order; None detects them.
    centring
        Where the student's windows are centred.
    ahead
        Whether features look at the next beat; each beat then waits for it.
    name, source
        Of the record, for the columns of the beats.
    """

    def __init__(
        self,
        *,
        gain: float = 1.0,
        peaks: NDArray[np.int64] | None = None,
        centring: Centring = "annotation",
        ahead: bool = True,
        name: str = "",
        source: str = "",
    ) -> None:
        self._detector = Detector(gain) if peaks is None else None
        self._centring, self._ahead, self._name, self._source = centring, ahead, name, source
        self._signal, self._first = np.empty(0, np.float32), 0
        empty = np.empty(0, np.int64)
        # Beats that wait for their windows, after those that only the features still need.
        self._sample = empty if peaks is None else np.asarray(peaks, np.int64)
        self._middle = empty
        self._done = 0
        self._history = History.empty()
        self._watch = Watch(gain)
        # Window of a beat that still waits for the next one, once its signal is discarded.
        self._waiting: NDArray[np.float32] | None = None

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
        self._signal = np.concatenate([self._signal, piece])
        end = self._first + len(self._signal)
        self._locate(piece, end, last=last)
        self._watch.push(piece, last=last)
        known = len(self._middle)
        if not last:
            more = self._detector is not None or known < len(self._sample)
            judged = min(end - (WINDOW - HALF), self._watch.until - 1)
            ready = int(np.searchsorted(self._middle, judged, "right"))
            known = min(ready, known - 1 if self._ahead and more else known)
        rows = np.arange(self._done, max(known, self._done))
        found = self._cut(rows, end)
        self._done += len(rows)
        if self._detector and self._done > 2 * REMEMBERED:
            drop = self._done - REMEMBERED
            self._sample, self._middle = self._sample[drop:], self._middle[drop:]
            self._done -= drop
        drop = end - BEFORE - self._first
        if drop > 0:
            self._keep_waiting(self._first + drop)
            self._signal, self._first = self._signal[drop:], self._first + drop
        return found

    def _keep_waiting(self, first: int) -> None:
        """Keep the window of a waiting beat that begins before the sample `first`."""
        if self._done < len(self._middle):
            start = int(self._middle[self._done]) - HALF
            if self._first <= start < first:
                self._waiting = self._signal[start - self._first :][:WINDOW].copy()

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

    def _cut(self, rows: NDArray[np.int64], end: int) -> Found:
        """Cut the windows of some beats and describe those that are whole."""
        middle = self._middle[rows]
        reason = reasons(middle, self.stretches)
        reason[(middle < HALF) | (middle + WINDOW - HALF > end)] = AT_EDGE
        reason[middle >= end] = PAST_END
        inside = np.flatnonzero(reason == "")
        windows = np.empty((0, WINDOW), np.float32)
        if len(inside):
            view = np.lib.stride_tricks.sliding_window_view(self._signal, WINDOW)
            start = middle[inside] - HALF - self._first
            windows = view[np.maximum(start, 0)]
            if start[0] < 0 and self._waiting is not None:
                windows[0] = self._waiting
            whole = np.isfinite(windows).all(axis=1)
            reason[inside[~whole]] = GAP
            windows, inside = windows[whole], inside[whole]
        timing = Timing.of(self._middle if len(rows) else rows)
        columns, self._history = describe(windows, timing, rows[inside], self._history)
        count = len(inside)
        beats = BeatSet(
            **columns,
            label=np.full(count, -1, np.int64),
            symbol=np.full(count, UNDECIDED),
            record=np.full(count, self._name),
            sample=self._sample[rows[inside]],
            source=self._source,
        )
        return Found(self._sample[rows], reason, beats)
