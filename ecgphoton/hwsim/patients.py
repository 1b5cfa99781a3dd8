"""What other patients change in a verdict on chips: both are resampled."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ecgphoton.mesh.arrays import Bools, Floats, Integers
from ecgphoton.metrics import resampled

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
            Share of the resampled values that an interval holds.

        Returns
        -------
        For ``miss``, ``fpr`` and ``yield`` the percentile intervals over ``chips``, over
        ``patients`` and over ``both``.
        """
        rng, chips = np.random.default_rng(SEED), len(self.wrong)

        def values(times: Floats) -> Floats:
            """(3, draws, chips) with every record counted some times, (draws, P)."""
            fpr, miss = (
                (self.wrong[:, one] @ times.T / np.maximum(self.beats[one] @ times.T, 1)).T
                for one in (0, 1)
            )
            return np.stack([miss, fpr, good(miss, fpr)])

        drawn: dict[str, list[Floats]] = {"chips": [], "patients": [], "both": []}
        as_they_are = values(np.ones((1, self.patients)))
        times = resampled(self.patients, seed=SEED)
        times = times[(self.beats @ times.T > 0).all(0)]  # else there is no rate
        for at in range(0, len(times), AT_ONCE):
            other = values(times[at : at + AT_ONCE])
            picks = rng.integers(chips, size=(1, other.shape[1], chips))
            drawn["patients"].append(other.mean(2))
            drawn["both"].append(np.take_along_axis(other, picks, 2).mean(2))
            same = np.broadcast_to(as_they_are, other.shape)
            drawn["chips"].append(np.take_along_axis(same, picks, 2).mean(2))
        ends = [(1 - confidence) / 2, (1 + confidence) / 2]
        found = {over: np.quantile(np.concatenate(all_, 1), ends, axis=1).T.tolist()
                 for over, all_ in drawn.items()}  # fmt: skip
        return {
            name: {over: pairs[row] for over, pairs in found.items()}
            for row, name in enumerate(("miss", "fpr", "yield"))
        }


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
