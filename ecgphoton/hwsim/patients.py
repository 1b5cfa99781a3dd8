"""What other patients and other chips would change in a verdict."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ecgphoton.errors import InputError
from ecgphoton.intervals import joined, mean_interval, proportion_interval, resampled
from ecgphoton.mesh.arrays import Bools, Floats, Integers

SEED = 20
"""Of the resampling; it has nothing to do with the seed of the chips."""
AT_ONCE = 20  # draws that are computed together, which bounds the memory


@dataclass(frozen=True, eq=False)
class ByPatient:
    """Wrong calls of every chip, record by record; a record stands for a patient."""

    wrong: Floats
    """(chips, 2, P) false alarms and missed beats."""
    beats: Floats
    """(2, P) normal and abnormal beats."""

    @classmethod
    def of(cls, counts: Floats, label: Bools, record: Integers | None) -> "ByPatient | None":
        """Shape rows (chips, 2 P) of `counted`; None where the records are not known."""
        if record is None:
            return None
        return cls(counts.reshape(len(counts), 2, -1), counted(np.ones_like(label), label, record))

    @property
    def patients(self) -> int:
        """Number of records."""
        return len(self.beats[0])

    @property
    def holders(self) -> dict[str, int]:
        """Number of records with normal beats, and of those with abnormal ones."""
        found = (self.beats > 0).sum(1).tolist()
        return dict(zip(("normal", "abnormal"), found, strict=True))

    def intervals(
        self, good: Callable[[Floats, Floats], Bools], confidence: float
    ) -> dict[str, dict[str, list[float]]]:
        """Return intervals of the mean miss rate, the mean FPR and the yield.

        Parameters
        ----------
        good
            Which chips of some miss rates and FPRs are within the limits.
        confidence
            Of the intervals.

        Returns
        -------
        For ``miss``, ``fpr`` and ``yield`` the intervals over ``chips``, over ``patients`` and over
        ``both``. Over chips they are those of `mean_interval` and, of the yield, of
        `proportion_interval`, so they hold for two chips as well; over patients, percentiles of the
        mean of these chips, with all records drawn anew; over both, the two `joined`.
        """

        def values(times: Floats) -> Floats:
            """(3, draws, chips) with every record counted some times, (draws, P)."""
            fpr, miss = (
                (self.wrong[:, one] @ times.T / np.maximum(self.beats[one] @ times.T, 1)).T
                for one in (0, 1)
            )
            return np.stack([miss, fpr, good(miss, fpr)])

        here = values(np.ones((1, self.patients)))[:, 0]
        times = resampled(self.patients, seed=SEED)
        times = times[(self.beats @ times.T > 0).all(0)]  # else there is no rate
        parts = [values(times[at : at + AT_ONCE]).mean(2) for at in range(0, len(times), AT_ONCE)]
        ends = [(1 - confidence) / 2, (1 + confidence) / 2]
        others = np.quantile(np.concatenate(parts, 1), ends, axis=1).T.tolist()
        found = {}
        for name, each, (low, high) in zip(("miss", "fpr", "yield"), here, others, strict=True):
            chips = (
                proportion_interval(int(each.sum()), len(each), confidence=confidence)
                if name == "yield"
                else mean_interval(each, confidence=confidence)
            )
            if chips is None:
                raise InputError("one chip tells nothing of others; simulate at least 2")
            over = {"chips": chips, "patients": (low, high)}
            over["both"] = joined(each.mean(), *over.values())
            found[name] = {kind: np.clip(pair, 0, 1).tolist() for kind, pair in over.items()}
        return found


def counted(wrong: Bools, label: Bools, record: Integers) -> Floats:
    """(2, P) how many beats of every record are wrong: normal ones, then abnormal ones.

    Parameters
    ----------
    wrong, label, record
        (B,); records are numbered from 0.
    """
    patients = int(record.max()) + 1
    cells = (record + patients * label)[wrong]
    return np.bincount(cells, minlength=2 * patients).reshape(2, patients).astype(float)
