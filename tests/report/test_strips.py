"""The picture of an annotated record, however short it is."""

from __future__ import annotations

import numpy as np
import pytest
from recordings import ecg

from ecgphoton.ecg.annotate import BeatCalls
from ecgphoton.ecg.reading import open_signal
from ecgphoton.report import strips

FS = 250
NOTE = "student 014b94d9f72b on chip 3, foundry-thermo-optic, uncalibrated" * 2 + ": Q is abnormal"


def drawn(folder, seconds, keep=None, name="a"):
    """Draw a record of some seconds, with some of its beats, of which the fourth is abnormal."""
    signal, beats = ecg(seconds, FS)
    np.savez(folder / f"{name}.npz", signal=signal, fs=FS, unit="mV")
    beats = beats[:keep]
    abnormality = np.where(np.arange(len(beats)) == 3, 0.9, 0.1).astype(np.float32)
    calls = BeatCalls(
        open_signal(folder / f"{name}.npz"), beats, np.column_stack([1 - abnormality, abnormality]),
        np.full(len(beats), ""), "atr",
    )  # fmt: skip
    figure = strips.draw_record(calls, np.where(abnormality > 0.5, "Q", "N"), abnormality, NOTE)
    overview, _, *papers = figure.axes
    return figure, overview, papers, beats


def test_a_long_name_is_written_smaller_instead_of_cut(tmp_path):
    """Title and counts end within the picture, whatever the file is called."""
    figure, *_ = drawn(
        tmp_path, 3, name="clinic-2026-11-27_holter_24h_export_of_the_first_visit_" * 2
    )
    assert NOTE in ": ".join(line.get_text() for line in figure.texts)
    for line in figure.texts:
        assert line.get_window_extent().x1 <= figure.bbox.x1


def begins(paper):
    """Return the second at which a strip begins, from its label."""
    (label,) = (text.get_text() for text in paper.texts if ":" in text.get_text())
    hours, minutes, seconds = label.split(":")
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


@pytest.mark.parametrize("seconds", [3, 7, 20, 30])
def test_a_short_record_is_shown_once_and_whole(seconds, tmp_path):
    """Strip follows strip to the end; every beat is marked once."""
    figure, _, papers, beats = drawn(tmp_path, seconds)
    assert [begins(paper) for paper in papers] == [5.0 * i for i in range(-(-seconds // 5))]
    marks = [text for paper in papers for text in paper.texts if text.get_text() in "NQ"]
    assert len(marks) == len(beats)
    assert any("the whole record" in text.get_text() for text in figure.texts)


@pytest.mark.parametrize("seconds", [31, 45, 120])
def test_no_strip_shows_what_another_shows(seconds, tmp_path):
    """Six strips that do not overlap, one of which holds the abnormal beat."""
    _, _, papers, _ = drawn(tmp_path, seconds)
    starts = [begins(paper) for paper in papers]
    assert len(starts) == 6
    assert min(np.diff(starts)) >= 4.9  # times are rounded to 0.1 s
    assert starts[-1] <= seconds - 4.9
    assert sum(text.get_text() == "Q" for paper in papers for text in paper.texts) == 1


@pytest.mark.parametrize("seconds", [3, 20, 120])
def test_every_strip_has_the_scale_of_the_paper(seconds, tmp_path):
    """25 mm are a second and 10 mm a mV, also where a record ends within a strip."""
    figure, _, papers, _ = drawn(tmp_path, seconds)
    across, up = figure.get_size_inches()
    for paper in papers:
        (left, right), (low, high) = paper.get_xlim(), paper.get_ylim()
        place = paper.get_position()
        assert place.width * across * 25.4 == pytest.approx(25 * (right - left))
        assert place.height * up * 25.4 == pytest.approx(10 * (high - low))


@pytest.mark.parametrize(
    ("seconds", "keep", "unit", "points"),
    [
        (3, None, "s", 1),
        (20, None, "s", 22),
        (240, None, "min", 290),
        (700, None, "min", 110),
    ],
)
def test_the_heart_rate_is_a_line_of_the_beats(seconds, keep, unit, points, tmp_path):
    """Every interval is a point of a short record; a long one has a median a column."""
    _, overview, _, beats = drawn(tmp_path, seconds, keep)
    (line,) = overview.lines
    rate = line.get_ydata()
    assert np.isfinite(rate).sum() >= points
    if seconds < 600:
        assert len(rate) == len(beats) - 1
    assert unit in [text.get_text() for text in overview.texts]
    assert np.nanmedian(rate) == pytest.approx(75, rel=0.05)


def test_one_beat_has_no_heart_rate(tmp_path):
    """It is said, in the place of an empty panel."""
    _, overview, _, _ = drawn(tmp_path, 3, keep=1)
    assert "no interval between beats" in [text.get_text() for text in overview.texts]
