"""Pictures of chips and of their causes."""

from __future__ import annotations

import numpy as np

from ecgphoton.report.chips import draw_bars


def test_bars_show_the_intervals_that_their_table_holds() -> None:
    """A line from end to end at every bar; bars without an interval have none."""
    row = {"name": "splitter.sigma", "rise": 0.02, "rise_low": 0.01, "rise_high": 0.05}
    table = [row, {**row, "name": "one chip", "rise_low": "", "rise_high": ""}]
    figure = draw_bars({}, table, name="name", bars={"rise": "miss rate"})
    (line,) = (one for one in figure.axes[0].collections[0].get_segments() if len(one))
    assert np.allclose(line[:, 0], [0.01, 0.05])
    bare = [{"name": "splitter.sigma", "rise": 0.02}]
    assert not draw_bars({}, bare, name="name", bars={"rise": "miss rate"}).axes[0].collections


def test_bars_say_how_many_rows_they_leave_out() -> None:
    """A picture of the first rows alone states how many there are."""
    rows = [{"name": f"mzi{n}", "rise": 0.1} for n in range(30)]
    for count, said in ((30, "rise\nthe first 24 of 30 rows"), (24, "rise")):
        drawn = draw_bars({}, rows[:count], name="name", bars={"rise": "miss"}, value="rise")
        assert drawn.axes[0].get_xlabel() == said
