"""Figures become files and parts of pages that are the same every time."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from ecgphoton.report import strips, style
from ecgphoton.report.pieces import part


@style.look()
def a_figure(title="a < b"):
    """Draw a figure with markers, a clipped line and a coloured area."""
    figure = style.new_figure(2.0)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 2], "o-", color=style.BLUE)
    axes.fill_between([0, 1], 0.5, color=style.GREEN)
    axes.set(title=title, xlim=(0.1, 0.9))
    return figure


@pytest.mark.parametrize("top", [0.01, 0.02, 0.18, 0.2, 0.6, 1.0])
def test_ticks_in_per_cent_are_exact(top):
    """The label of every tick is its value, with as many decimals as that takes."""
    with style.look():
        axes = style.new_figure(2.0).subplots()
        axes.set(xlim=(0, top))
        style.percent_axis(axes, "xy")
        axes.figure.canvas.draw()
        for value, label in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True):
            assert float(label.get_text().removesuffix(" %")) == pytest.approx(100 * value)


@pytest.mark.pictures
def test_svg_is_whole_and_has_the_colours_of_the_page():
    """It is one XML element with text as text, whose colours are variables of the page."""
    text = style.svg(a_figure())
    assert ElementTree.fromstring(text).tag == "svg"
    assert "a &lt; b" in text
    assert f"var(--{style.VARIABLES[style.BLUE]})" in text
    assert style.BLUE not in text
    assert "<style" not in text
    assert "<metadata" not in text


@pytest.mark.pictures
def test_svg_is_the_same_every_time_whatever_the_settings():
    """The same figure gives the same text, also where the user changed matplotlib's settings."""
    import matplotlib as mpl

    first = style.svg(a_figure())
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path"}):
        assert style.svg(a_figure()) == first


@pytest.mark.pictures
def test_svg_does_not_depend_on_the_last_bits_of_a_layout():
    """Rounding errors of the layout, which differ between processes, leave the text the same."""
    figures = a_figure(), a_figure()
    for figure, height in zip(figures, (0.8, 0.8 + 1e-13), strict=True):
        figure.axes[0].set_position((0.1, 0.1, 0.8, height))
    assert style.svg(figures[0]) == style.svg(figures[1])


@pytest.mark.pictures
def test_different_figures_share_no_identifier():
    """Pictures of one page do not use each other's clips and markers."""
    ids = [set(re.findall(r' id="([\w-]+)"', style.svg(a_figure(name)))) for name in ("a", "b")]
    assert all(ids)
    assert not ids[0] & ids[1]


def test_a_strip_is_at_true_scale():
    """A second is 25 mm wide, a millivolt 10 mm high."""
    trace = np.zeros(720)
    trace[360] = 1.0
    figure = strips.draw_strip(trace, 360, [(1.0, "V", True)])
    axes = figure.axes[0]
    width, height = (25.4 * inches for inches in figure.get_size_inches())
    assert width == pytest.approx(50)
    box, (low, high) = axes.get_position(), axes.get_ylim()
    assert box.width * width == pytest.approx(25 * np.ptp(axes.get_xlim()))
    assert box.height * height == pytest.approx(10 * (high - low))
    assert "width:50.00mm" in part("picture", figure, "", true_size=True)


@pytest.mark.parametrize(("low", "high"), [(-0.2, 1.1), (-2.2, 2.2), (3.9, 4.0), (-1.0, 3.2)])
def test_no_strip_cuts_a_signal_it_can_hold(low, high):
    """Signals up to 4.5 mV lie inside their paper."""
    axes = strips.draw_strip(np.tile([low, (low + high) / 2, high], 100), 360).axes[0]
    bottom, top = axes.get_ylim()
    assert bottom <= low
    assert high <= top


@pytest.mark.pictures
def test_a_strip_without_signal_is_empty_paper():
    """Where all samples are missing, nothing is drawn and nothing fails."""
    assert "<svg" in style.svg(strips.draw_strip(np.full(360, np.nan), 360))


@pytest.mark.parametrize("top", [0.02, 0.6, 9.0, 1e4])
def test_labels_of_a_decade_axis_do_not_overlap(top):
    """Whatever decades it spans, two values or more are labelled, each readable beside the next."""
    with style.look():
        figure = style.new_figure(2.0)
        axes = figure.subplots()
        axes.plot([0.007, top], [0, 1])
        style.log_axis(axes)
        figure.canvas.draw()
        marks = [*axes.get_xticklabels(), *axes.get_xticklabels(minor=True)]
        inside = axes.get_window_extent()
        boxes = [mark.get_window_extent() for mark in marks if mark.get_text()]
        boxes = sorted((b for b in boxes if inside.x0 - 9 < b.x0 < inside.x1), key=lambda b: b.x0)
        assert len(boxes) > 1
        assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_a_rate_has_one_colour_in_every_picture():
    """Whatever stands beside it; other curves take none of the colours in use."""
    assert style.colours_of(["miss rate", "FPR"]) == [style.VERMILION, style.BLUE]
    three = style.colours_of(["yield", "miss rate, median", "FPR, median"])
    assert three == [style.GREEN, style.VERMILION, style.BLUE]
    others = style.colours_of(["beats", *"abcdefgh", "FPR at most"])
    assert style.BLUE not in others[:-1]
