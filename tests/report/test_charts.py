"""Charts and strips of the report: true to scale, and whole whatever the numbers are."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from html_page import Page

from ecgphoton.report.charts import Series, chart, ecg_strip, ticks
from ecgphoton.report.pieces import any_value, percent, table


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.03, 0.0301), (-5, 1234), (1e-9, 2e-9)])
def test_ticks_are_round_inside_and_few(low, high):
    """Two to eight ticks, all inside, equally far apart."""
    found = ticks(low, high)
    assert 2 <= len(found) <= 8
    assert low - 1e-12 <= found[0] <= found[-1] <= high + 1e-12
    steps = np.diff(found)
    assert steps.max() / steps.min() == pytest.approx(1, rel=1e-2)


def test_charts_survive_odd_numbers():
    """Single points, equal values, infinities and empty series give finite coordinates."""
    odd = [
        Series("line", [(1.0, 2.0)]),
        Series("line", [(0.0, math.inf), (1.0, math.nan), (2.0, 3.0)], 1, "a < b"),
        Series("points", []),
        Series("rule", [(0.0, 2.5)], 2),
    ]
    svg = chart(odd, x_label="x & y", y_label="<y>")
    assert "nan" not in svg
    assert "inf" not in svg
    assert Page(svg).open == []
    assert "a &lt; b" in svg


def test_strip_is_at_true_scale():
    """A second is 25 mm wide, a millivolt 10 mm high, and gaps break the line."""
    trace = np.zeros(720)
    trace[360], trace[500:520] = 1.0, np.nan
    svg = ecg_strip(trace.tolist(), 360, marks=[(1.0, "V", True)])
    assert "width:50.00mm" in svg
    path = re.search(r'class="trace" d="([^"]+)"', svg)[1]
    points = [tuple(map(float, part.split())) for part in re.split("[ML]", path)[1:]]
    assert points[360][0] == pytest.approx(25)
    assert points[0][1] - points[360][1] == pytest.approx(10)
    assert path.count("M") == 2
    assert len(points) == 700


@pytest.mark.parametrize(("low", "high"), [(-0.2, 1.1), (-2.4, 2.4), (3.9, 4.0), (-1.0, 3.2)])
def test_no_strip_cuts_a_signal_it_can_hold(low, high):
    """Signals up to 5 mV lie inside their paper, which is 2 mV high at least."""
    trace = np.tile([low, (low + high) / 2, high], 100)
    svg = ecg_strip(trace.tolist(), 360)
    head, height = map(
        float, re.search(r'y="([\d.]+)" width="[\d.]+" height="([\d.]+)"', svg).groups()
    )
    path = re.search(r'class="trace" d="([^"]+)"', svg)[1]
    rows = [float(part.split()[1]) for part in re.split("[ML]", path)[1:]]
    assert height % 5 == 0
    assert height >= 20
    assert head <= min(rows)
    assert max(rows) <= head + height


def test_any_json_becomes_readable():
    """Tables of objects, lists, nothing, yes and no are all shown."""
    shown = any_value({"a_b": [{"x": 1, "y": None}, {"x": 2.5, "y": True}], "c": [1, [2]], "d": {}})
    for word in ("a b", "2.5", "yes", "–", "1, [2]"):
        assert word in shown
    assert "<td>&lt;b&gt;</td>" in table(["h"], [["r", "<b>"]])
    assert percent(-1e-9) == "0.00 %"
    assert percent(None) == "–"
