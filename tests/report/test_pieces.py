"""Parts of a page show any value, and escape what comes from files."""

from __future__ import annotations

from ecgphoton.report.pieces import any_value, part, percent


def test_any_json_becomes_readable() -> None:
    """Tables of objects, lists, nothing, yes and no are all shown."""
    shown = any_value({"a_b": [{"x": 1, "y": None}, {"x": 2.5, "y": True}], "c": [1, [2]], "d": {}})
    for word in ("a b", "2.5", "yes", "–", "1, [2]"):
        assert word in shown
    assert "<span>&lt;b&gt;</span>" in part("rows", ["h", "k"], [["r", "<b>"]])
    assert percent(-1e-9) == "0.00\N{NO-BREAK SPACE}%"
    assert percent(None) == "–"
