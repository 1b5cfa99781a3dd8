"""Tables of patients and of symbols: whose beats, and which, are called wrongly."""

from __future__ import annotations

import numpy as np

from benchmarks._pages import table
from benchmarks._runs import Family, Judged, Spread, Statistic, fpr, missed, ratio

WORST = 10
"""Records that a table of patients shows at most."""


def patient_table(family: Family, name: str) -> str:
    """Records with the most missed beats and false alarms, means over seeds."""
    sets = family.sets[name]
    one = np.eye(len(sets[0].records))
    rows = []
    truth = sets[0].scores.label > 0
    counts = {"abnormal": sets[0].counts(truth), "normal": sets[0].counts(~truth)}
    lost, false = (
        np.nan_to_num(np.mean([rate(judged, one) for judged in sets], 0))
        for rate in (missed(), fpr)
    )
    burden = lost * counts["abnormal"] / counts["abnormal"].sum()
    burden = burden + false * counts["normal"] / counts["normal"].sum()
    for at in np.argsort(-burden)[:WORST]:
        record = sets[0].records[at]
        rows.append(
            [
                record,
                f"{counts['abnormal'][at]:.0f}",
                f"{100 * lost[at]:.1f}",
                _symbols(sets, record, abnormal=True),
                f"{counts['normal'][at]:.0f}",
                f"{100 * false[at]:.1f}",
                _symbols(sets, record, abnormal=False),
            ]
        )
    heads = ["record", "abnormal", "missed %", "missed beats", "normal", "FPR %", "false alarms"]
    return table(heads, rows)


def _symbols(sets: tuple[Judged, ...], record: str, *, abnormal: bool) -> str:
    """Wrongly called beats of a record by symbol, mean over seeds."""
    scores = sets[0].scores
    rows = (scores.record == record) & ((scores.label > 0) == abnormal)
    wrong = {}
    for symbol in np.unique(scores.symbol[rows]):
        own = rows & (scores.symbol == symbol)
        wrong[symbol] = np.mean([((j.called[own] > 0) != abnormal).sum() for j in sets])
    ordered = sorted(wrong.items(), key=lambda pair: -pair[1])[:2]
    return ", ".join(f"{symbol} {count:.0f}" for symbol, count in ordered if count >= 0.5) or "–"


def symbol_table(family: Family, name: str) -> str:
    """Share called abnormal, for every symbol."""
    sets = family.sets[name]
    rows = []
    for symbol in np.unique(sets[0].scores.symbol):
        own: Statistic = _called(symbol)
        mine = sets[0].scores.symbol == symbol
        side = "abnormal" if sets[0].scores.label[mine][0] else "normal"
        rows.append([symbol, side, int(mine.sum()), Spread.of(sets, own).text()])
    return table(["symbol", "is", "beats", "called abnormal %"], rows)


def _called(symbol: str) -> Statistic:
    return ratio(lambda j: j.called > 0, lambda j: j.scores.symbol == symbol)
