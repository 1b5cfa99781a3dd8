"""Pictures of chips and of their causes."""

from __future__ import annotations

import numpy as np

from ecgphoton.report.chips import draw_bars, draw_chips, draw_lines, draw_sweep
from ecgphoton.report.sheet import draw_sheet
from ecgphoton.report.style import BLUE, VERMILION


def test_bars_show_the_intervals_that_their_table_holds() -> None:
    """A line from end to end at every bar; bars without an interval have none."""
    row = {"name": "splitter.sigma", "rise": 0.02, "rise_low": 0.01, "rise_high": 0.05}
    table = [row, {**row, "name": "one chip", "rise_low": "", "rise_high": ""}]
    figure = draw_bars({}, table, name="name", bars={"rise": "miss rate"})
    (line,) = (one for one in figure.axes[0].collections[0].get_segments() if len(one))
    assert np.allclose(line[:, 0], [0.01, 0.05])
    bare = [{"name": "splitter.sigma", "rise": 0.02}]
    assert not draw_bars({}, bare, name="name", bars={"rise": "miss rate"}).axes[0].collections


def test_the_picture_of_chips_says_of_which_hardware_they_are() -> None:
    """It stands alone: profile, noise and yield are its title."""
    rates = {"perfect": 0.1}
    found = {
        "limits": {"max_miss": 0.1, "max_fpr": 0.1}, "metrics": {"fpr": rates, "miss": rates},
        "yield": 1.0, "yield_interval": (0.5, 1.0), "chips": 1, "profile": "mems", "noise": 0.02,
    }  # fmt: skip
    figure = draw_chips(found, [{"fpr": 0.1, "miss": 0.1}])
    assert "mems, noise 0.02" in figure.axes[0].get_title(loc="left")


def test_bars_say_how_many_rows_they_leave_out() -> None:
    """A picture of the first rows alone states how many there are."""
    rows = [{"name": f"mzi{n}", "rise": 0.1} for n in range(30)]
    for count, said in ((30, "rise\nthe first 24 of 30 rows"), (24, "rise")):
        drawn = draw_bars({}, rows[:count], name="name", bars={"rise": "miss"}, value="rise")
        assert drawn.axes[0].get_xlabel() == said


def test_bars_of_a_kind_have_a_panel_that_leaves_out_its_own_rows() -> None:
    """Few blocks are all shown beside many sources, and the zero of falls and rises is drawn."""
    rows = [{"kind": "sources", "name": f"s{n}", "rise": -0.1} for n in range(30)]
    rows += [{"kind": "blocks", "name": "P", "rise": 0.1}]
    above, below = draw_bars({}, rows, name="name", bars={"rise": "FPR"}, group="kind").axes
    assert len(above.patches) == 24
    assert len(below.patches) == 1
    assert below.get_xlabel() == "the first 24 of 30 sources"
    assert [list(line.get_xdata()) for line in above.lines] == [[0, 0]]


def test_bars_of_ratios_begin_at_one_and_say_where_there_is_none() -> None:
    """A bar to the left is what the profile does not reach; where no size passes, it is said."""
    lines = [{"parameter": f"p{n}", "state": "calibrated", "ratio": ratio}
             for n, ratio in enumerate((0.5, 2.0, None))]  # fmt: skip
    (axes,) = draw_sheet({}, lines).axes
    below, above, nothing = axes.patches
    assert (below.get_x() + below.get_width(), above.get_x()) == (0.5, 1.0)
    assert np.isnan(nothing.get_width())
    assert [text.get_text() for text in axes.texts] == ["none passes"]


LIMITS = {"max_miss": 0.1, "max_fpr": 0.1, "min_yield": 0.9, "confidence": 0.95}


def test_lines_show_intervals_and_the_wanted_yield() -> None:
    """Shares have an axis from 0 to 100 %, so that one chip does not look like a cliff."""
    row = {"hours": 1.0, "good": 1.0, "good_low": 0.7, "good_high": 1.0}
    rows = [row, {**row, "hours": 2.0, "good": 0.9, "good_low": 0.6, "good_high": 0.97}]
    lines = {"good": "after calibration"}
    (axes,) = draw_lines({"limits": LIMITS}, rows, x="hours", lines=lines).axes
    band, _ = axes.collections
    assert np.isclose(band.get_paths()[0].vertices[:, 1].min(), 0.6)
    assert [line.get_ydata()[0] for line in axes.lines] == [1.0, 0.9]
    assert axes.get_ylim() == (-0.02, 1.02)
    assert axes.lines[0].get_color() == BLUE  # as in the picture of a calibration


def test_the_legend_of_a_sweep_hides_no_limit() -> None:
    """The limits are lines of their own near the top, where the largest rate is below them."""
    names = ("noise", "miss_median", "fpr_median", "yield", "yield_low", "yield_high")
    row = dict.fromkeys((*names, "miss_p5", "miss_p95", "fpr_p5", "fpr_p95"), 0.01)
    found = {"limits": LIMITS, "parameter": "noise", "chips": 3, "unit": "of full scale"}
    figure = draw_sweep(found, [row, {**row, "noise": 0.02}])
    figure.draw_without_rendering()
    above = figure.axes[0]
    assert not above.get_legend().get_window_extent().overlaps(above.get_window_extent())
    dashed = {line.get_color() for line in above.lines if line.get_linestyle() == "--"}
    assert dashed == {VERMILION, BLUE}
