"""Decide on beats: peaks of the energy of an ECG come in, those that are beats go out."""

from collections import deque
from statistics import median
from typing import NamedTuple

from ecgphoton.ecg.features import SAMPLING_RATE

SECOND = int(SAMPLING_RATE)
"""Samples."""
FLOOR = 0.003
"""Least energy of a QRS, mV: a complex of about 0.05 mV."""
RELEARN_FLOOR = 0.03
"""Least energy of a QRS that is learnt anew, of what was learnt before."""
LEARN, SILENCE = 8 * SECOND, 10 * SECOND
"""Samples to learn from, and without a beat after which the height is learnt anew."""
BEATS, OTHERS, INTERVALS = 9, 15, 8
"""Heights of beats, heights of other peaks, and intervals that are remembered."""
THRESHOLD, LOWER = 0.24, 0.45
"""Threshold from the height of other peaks (0) to that of beats (1); its factor for late beats."""
OVERDUE = 1.28
"""Usual intervals after which a beat is overdue."""
CLEAR, CLEAR_LATE = 3.0, 3.7
"""Least contrast of a beat; and of one that is taken late or that the height is learnt from."""
STANDING_OUT, FEWEST = 8.0, 3
"""Contrast of the beats of a slow rhythm, and how many of them are enough to learn from."""
T_WAVE, T_SLOPE, T_HEIGHT = 140, 0.45, 0.38
"""A T wave comes within 0.39 s, with less slope than the beat, and less energy than the usual."""
USUAL, LONGEST = 288, 720
"""An interval before any is known, and the longest that is remembered, samples."""
TIE = 78
"""Two peaks this near have the same height; the first counts."""


class Peak(NamedTuple):
    """A peak of the energy."""

    sample: int
    height: float
    """mV."""
    contrast: float
    """Height over the quiet quarter of the surroundings."""
    slope: float
    """Steepest slope near it, mV a sample."""


class Rules:
    """Distinguishes beats from other peaks, and keeps what it needs of the signal so far."""

    def __init__(self) -> None:
        """Begin without a learnt height."""
        self._peaks: list[Peak] = []
        self._next = 0  # of the peaks, the first that is not judged
        self._since = 0  # sample of the last beat, else where the height was learnt
        self._last: Peak | None = None  # the last beat
        self._late: list[Peak] = []  # peaks after it that may turn out to be beats
        self._level = 0.0  # usual height of beats, kept over a pause of the signal
        self._beats: deque[float] = deque(maxlen=BEATS)  # empty until learnt
        self._others: deque[float] = deque(maxlen=OTHERS)
        self._intervals: deque[int] = deque(maxlen=INTERVALS)

    def judge(self, peaks: list[Peak], until: int, *, last: bool) -> list[int]:
        """Return samples of the beats that are decided now.

        Parameters
        ----------
        peaks
            The next ones, all up to sample `until`.
        last
            Whether the signal ends there.
        """
        self._peaks += peaks
        found: list[int] = []
        while self._next < len(self._peaks) and (self._beats or self._learn(until, last)):
            peak = self._peaks[self._next]
            self._look_back(peak.sample, found)
            if peak.sample - self._since > SILENCE:
                self._beats.clear()
                self._since = peak.sample - LEARN
            else:
                self._next += 1
                self._judge(peak, found)
        self._look_back(until, found)
        old = next((i for i, one in enumerate(self._peaks) if one.sample > until - 2 * SILENCE), 0)
        del self._peaks[: min(old, self._next)]
        self._next -= min(old, self._next)
        return found

    def _learn(self, until: int, last: bool) -> bool:
        """Learn the height of beats from the first 8 s in which they are seen.

        Most seconds have a clear peak; or, in a slow rhythm, a few have one that stands out.
        """
        while self._since + LEARN <= until or (last and self._since < until):
            stop = min(self._since + LEARN, until)
            heights = self._highest(stop, CLEAR_LATE)
            if len(heights) * 2 * SECOND <= stop - self._since:
                few = self._highest(stop, STANDING_OUT)
                few = [height for height in few if 2 * height > max(few)]
                heights = few if len(few) >= FEWEST else []
            if heights and median(heights) > max(FLOOR, RELEARN_FLOOR * self._level):
                self._level = median(heights)
                self._beats.extend([self._level] * BEATS)
                self._others.extend([0.0] * OTHERS)
                self._intervals.extend([USUAL] * INTERVALS)
                self._last, self._late = None, []
                self._next = sum(peak.sample < self._since for peak in self._peaks)
                return True
            self._since += SECOND
        return False

    def _highest(self, stop: int, contrast: float) -> list[float]:
        """Return the height of the highest peak of such contrast in each second that has one."""
        highest: dict[int, float] = {}
        for peak in self._peaks:
            if self._since <= peak.sample < stop and peak.contrast > contrast:
                second = (peak.sample - self._since) // SECOND
                highest[second] = max(peak.height, highest.get(second, 0.0))
        return list(highest.values())

    def _judge(self, peak: Peak, found: list[int]) -> None:
        since = T_WAVE if self._last is None else peak.sample - self._last.sample
        if since <= TIE:
            return
        t_wave = (
            self._last is not None
            and since < T_WAVE
            and peak.slope < T_SLOPE * self._last.slope
            and peak.height < T_HEIGHT * self._level
        )
        if peak.height > self._threshold() and peak.contrast > CLEAR and not t_wave:
            self._beat(peak, found)
            return
        if peak.contrast > CLEAR_LATE and since > T_WAVE:
            self._late.append(peak)
        self._others.append(min(peak.height, self._level))

    def _look_back(self, now: int, found: list[int]) -> None:
        """Accept the highest of the earlier peaks, as long as a beat is overdue."""
        while (
            self._last
            and self._beats
            and now - self._last.sample > OVERDUE * median(self._intervals)
        ):
            low, after = LOWER * self._threshold(), self._last.sample + T_WAVE
            late = [one for one in self._late if one.sample > after and one.height > low]
            if not late:
                return
            self._beat(max(late, key=lambda one: one.height), found)

    def _threshold(self) -> float:
        other = median(self._others)
        return other + THRESHOLD * (self._level - other)

    def _beat(self, peak: Peak, found: list[int]) -> None:
        if self._last is not None:
            self._intervals.append(min(peak.sample - self._last.sample, LONGEST))
        self._last, self._since = peak, peak.sample
        self._late = [one for one in self._late if one.sample > peak.sample]
        self._beats.append(peak.height)
        self._level = max(median(self._beats), FLOOR)
        found.append(peak.sample)
