"""Patient features by their definition, one beat at a time: the oracle of the fast ones."""

from __future__ import annotations

import numpy as np

from ecgphoton.ecg.features import QRS, magnitude, normalise


def _rhythm(i: int, samples: np.ndarray) -> dict[str, float]:
    rr = [None, *np.clip(np.diff(samples) / 360, 0.2, 3.0)]
    lp = [None, *np.log(rr[1:])]

    def usual(k: int) -> float:
        return float(np.median(lp[max(1, k - 30) : k]))

    def least(k: int) -> float:
        return min(abs(lp[k] - lp[j]) for j in range(max(1, k - 3), k))

    found = {}
    if i >= 1:
        found["interval"] = np.tanh(2 * (rr[i] - 0.8))
    if i >= 2:
        found["pre/recent"] = np.tanh(4 * np.log(rr[i] / np.median(rr[max(1, i - 10) : i])))
        found["pre/long-run"] = np.tanh(4 * np.log(rr[i] / np.mean(rr[max(1, i - 250) : i])))
        found["pre/previous"] = np.tanh(4 * np.log(rr[i] / rr[i - 1]))
        earlier = np.array(lp[max(1, i - 30) : i])
        below = (earlier < lp[i]).mean() + 0.5 * (earlier == lp[i]).mean()
        found["interval rank"] = 2 * below - 1
    if i >= 3:
        past = range(max(2, i - 30), i)
        mad = np.median([abs(lp[k] - usual(k)) for k in past])
        found["interval z"] = np.tanh((lp[i] - usual(i)) / (mad + 0.03) / 3)
        found["irregularity"] = np.tanh(np.log(np.median([least(k) for k in past]) + 0.01) + 3)
    if i + 1 < len(samples):
        if i >= 1:
            found["post/pre"] = np.tanh(4 * (lp[i + 1] - lp[i]))
        if i >= 2:
            found["post/usual"] = np.tanh(4 * (lp[i + 1] - usual(i)))
        if i >= 3:
            found["next interval z"] = np.tanh((lp[i + 1] - usual(i)) / (mad + 0.03) / 3)
    return found


def _cosine(one: np.ndarray, other: np.ndarray) -> float:
    return min(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)), 1.0)


def plain_features(samples: np.ndarray, raw: np.ndarray) -> list[dict[str, float]]:
    """Every feature of beats that all have a window; what a beat lacks is left out."""
    windows, size = normalise(raw).astype(float), magnitude(raw).astype(float)
    p_part = windows[:, 60:140].reshape(-1, 16, 5).mean(2)
    t_part = windows[:, 220:340].reshape(-1, 24, 5).mean(2)
    slopes = np.diff(windows[:, QRS], axis=1)
    rows, seen, steady = [], [], []
    for i, qrs in enumerate(windows[:, QRS]):
        past = slice(max(0, i - 32), i + 1)
        template = np.median(windows[past, QRS], axis=0)
        residual = np.clip(qrs - template, -1, 1)
        p = np.abs(p_part[i] - np.median(p_part[past], axis=0)).mean()
        t = np.abs(t_part[i] - np.median(t_part[past], axis=0)).mean()
        w = np.abs(qrs - np.median(windows[i])).mean()
        d = np.abs(residual).mean()
        s = max(abs(slopes[i, k : k + 5].mean()) for k in range(slopes.shape[1] - 4))
        seen.append((d, t, np.log(size[i]), w, np.log(s * size[i])))
        usual = np.median(seen[past], axis=0)
        row = _rhythm(i, samples) | {
            "deviation": np.tanh(np.log((d + 0.03) / (usual[0] + 0.03))),
            "QRS deviation": np.tanh(8 * d - 1),
            "amplitude/usual": np.tanh(3 * (np.log(size[i]) - usual[2])),
            "width/usual": np.tanh(2 * np.log((w + 0.02) / (usual[3] + 0.02))),
            "QRS largest deviation": np.tanh(np.log(np.abs(residual).max() + 0.05) + 1),
            "T deviation/usual": np.tanh(np.log((t + 0.03) / (usual[1] + 0.03))),
            "P deviation": np.tanh(8 * p - 1),
            "unlikeness": np.tanh(2 * np.log(1.02 - _cosine(qrs, template)) + 4),
            "steepness": np.tanh(np.log(s) + 3),
            "steepness/usual": np.tanh(2 * (np.log(s * size[i]) - usual[4])),
        }
        if i + 1 < len(raw):
            c = _cosine(qrs, windows[i + 1, QRS])
            row["unlikeness to next"] = np.tanh(np.log(1.02 - c) + 2)
        # Against the beats in regular rhythm before it, the running template where they are few.
        beats, sizes = [k for k, _ in steady[-65:]], [values for _, values in steady[-65:]]
        few = len(beats) < 5
        template = template if few else np.median(windows[beats, QRS], axis=0)
        residual = np.clip(qrs - template, -1, 1)
        p_usual = np.median(p_part[past] if few else p_part[beats], axis=0)
        usual = usual if few else np.median(sizes, axis=0)
        t_usual = np.median(t_part[past] if few else t_part[beats], axis=0)
        t = np.abs(t_part[i] - t_usual).mean()
        d = np.abs(residual).mean()
        row |= {
            "deviation/regular": np.tanh(np.log((d + 0.03) / (usual[0] + 0.03))),
            "QRS deviation/regular": np.tanh(8 * d - 1),
            "amplitude/regular": np.tanh(3 * (np.log(size[i]) - usual[2])),
            "width/regular": np.tanh(2 * np.log((w + 0.02) / (usual[3] + 0.02))),
            "QRS largest deviation/regular": np.tanh(np.log(np.abs(residual).max() + 0.05) + 1),
            "P deviation/regular": np.tanh(8 * np.abs(p_part[i] - p_usual).mean() - 1),
            "unlikeness/regular": np.tanh(2 * np.log(1.02 - _cosine(qrs, template)) + 4),
            "T deviation/regular": np.tanh(np.log((t + 0.03) / (usual[1] + 0.03))),
        }
        if _regular(i, samples):
            steady.append((i, (d, t, np.log(size[i]), w, np.log(s * size[i]))))
        rows.append(row)
    return rows


def _regular(i: int, samples: np.ndarray) -> bool:
    """Whether the intervals before and after a beat are within 8 % of the usual one."""
    log = np.log(np.clip(np.diff(samples) / 360, 0.2, 3.0))
    earlier = log[max(0, i - 31) : max(0, i - 1)]
    around = log[max(0, i - 1) : i + 1]
    return bool(
        len(earlier) and len(around) == 2 and (abs(around - np.median(earlier)) < 0.08).all()
    )
