"""Tables on terminals of any width: no name and no figure is ever cut."""

from __future__ import annotations

import re
import sys

import pytest
from rich.cells import cell_len

from ecgphoton.commands._shared import table
from ecgphoton.commands.study import _cell

NAMES = ["inter-patient", "inter-patient-4", "reference-8", "reference-rhythm"]
SENTENCE = "One rhythm and two shape tokens, trained on noisy chips, on the reference protocol."
TABLES = {
    "names": (["name", "recipe", "parameters"], [[name, name, 190] for name in NAMES]),
    "figures": (
        ["record", *(f"{kind} {share}" for kind in ("QRS", "VEB") for share in ("Se", "+P"))],
        [["208", "99.31 %", "100.00 %", None, "84.60 %"]],
    ),
    "sentences": (["name", "purpose"], [[name, SENTENCE] for name in NAMES]),
    "a long word": (["file", "meaning"], [["drawings/branch_P_layer_0_block_1.svg", SENTENCE]]),
    "intervals": (
        ["set", "beats", "miss [95 %]", "FPR [95 %]", "F1 @ prevalence", "AUC"],
        [
            [name, "49,662", "12.34 % [11.1, 13.2]", "0.34 % [0.10, 0.32]", "0.85 @ 10.9 %", "0.98"]
            for name in ("DS2", "DS2 without 202")
        ],
    ),
    "powers": (
        ["", "phase shifters", "phase drivers", "modulators", "converters", "receivers", "time"],
        [["one block reused, duty-cycled", *["624 uW"] * 5, "190 us, too late"]],
    ),
    "no rows": (["name", ""], []),
}


@pytest.fixture(params=TABLES)
def shown(request):
    """Columns and rows of a table."""
    return TABLES[request.param]


def words(columns, rows):
    """Every word of a table, header and cells."""
    cells = [*columns, *("–" if cell is None else str(cell) for row in rows for cell in row)]
    return [word for cell in cells for word in cell.split()]


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
@pytest.mark.parametrize("width", [0, 20, 40, 60, 80, 200])
def test_a_terminal_cuts_no_word(shown, width, kind, monkeypatch, capsys):
    """Every word is there whole; from 80 columns on no line is longer than the terminal."""
    columns, rows = shown
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", kind)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    table("title", columns, rows)
    printed = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert set(words(columns, rows)) <= set(printed.split())
    assert "…" not in printed
    if width >= 80:
        assert max(map(cell_len, printed.splitlines())) <= width


@pytest.mark.parametrize("width", [40, 60, 80])
@pytest.mark.parametrize("name", ["figures", "intervals", "powers"])
def test_a_narrow_terminal_gets_a_table(name, width, monkeypatch, capsys):
    """Each row stays one: its name stands before its figures, and each figure has its unit."""
    columns, rows = TABLES[name]
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    table("title", columns, rows)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()
    assert max(map(cell_len, lines)) <= width
    for row in rows:
        begun = [line for line in lines if line.startswith(row[0].split()[0])]
        for cell in row[1:]:
            assert any(str("–" if cell is None else cell).split(" [")[0] in one for one in begun)


@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_a_log_has_a_line_for_each_row(shown, kind, monkeypatch, capsys):
    """What is not a terminal gets whole words, also where colours are forced (as CI does)."""
    columns, rows = shown
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", kind)
    table("title", columns, rows)
    printed = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert set(words(columns, rows)) <= set(printed.split())
    assert "…" not in printed


def test_brackets_are_letters(capsys):
    """What a title, a header or a cell holds in brackets is printed, not taken for a style."""
    table("bundles/x[/]y [red] :cat:", ["[bold]name"], [["[/i] :cat:"]])
    printed = capsys.readouterr().out
    for part in ("bundles/x[/]y [red] :cat:", "[bold]name", "[/i] :cat:"):
        assert part in printed


def test_an_interval_has_the_digits_that_its_width_needs():
    """Two where it is narrow, without a minus before nothing; a value without one stands alone."""
    narrow = {"rise": 0.001, "rise_low": -0.00001, "rise_high": 0.0021}
    assert _cell(narrow, "rise", plain=False) == "0.10 % [0.00, 0.21]"
    wide = {"yield": 1.0, "yield_low": 0.6915, "yield_high": 1.0}
    assert _cell(wide, "yield", plain=False) == "100.00 % [69.2, 100.0]"
    assert _cell({"rise": 0.001, "rise_low": None}, "rise", plain=False) == "0.10 %"
    for rate, points in ((-0.00001, "+0.00"), (0.0123, "+1.23"), (-0.0123, "-1.23")):
        assert _cell({"added_fpr": rate}, "added_fpr", plain=False) == points
    assert _cell({"error_rms": 0.0123}, "error_rms", plain=False) == "1.23"  # which has no sign
    assert _cell({"hours": 4.0}, "hours", plain=True) == "4"
