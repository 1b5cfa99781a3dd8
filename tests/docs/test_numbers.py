"""Tables of results: their statistics, and how they come onto a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks._pages import BLOCK, fill, table
from benchmarks._runs import Judged, Spread, auc, fpr, missed, precision, sensitivity
from benchmarks.levers import Found, levers, patients, sizes
from benchmarks.trees import neighbours
from ecgphoton.ecg.beats import load_splits
from ecgphoton.ecg.protocols import protocol_of
from ecgphoton.ecg.splits import kinds_of
from ecgphoton.metrics import auc_by_rank, patients_alike
from ecgphoton.recipe import override, read
from ecgphoton.recipes import FLAGSHIP
from ecgphoton.report.scores import Scores

ROOT = Path(__file__).parents[2]
MADE = {
    "main", "classes", "goals", "looks", "readme", "levers", "sizes", "chips", "bits",
    "patients DS2", "patients svdb", "symbols DS2", "patients", "trees",
}  # fmt: skip


@pytest.fixture
def judged():
    """Beats of four patients with scores that rank most of them right."""
    rng = np.random.default_rng(3)
    symbol = rng.choice(["N", "A", "V", "F"], 400, p=[0.7, 0.1, 0.15, 0.05])
    label = (symbol != "N").astype(np.int64)
    score = np.clip(0.3 * label + rng.random(400) * 0.7, 0, 1).astype(np.float32)
    record = rng.choice(["100", "101", "103", "105"], 400)
    scores = Scores(np.stack([1 - score, score], 1), label, record, np.arange(400), symbol)
    return Judged(scores, (score >= 0.5).astype(np.int64), kinds_of(symbol, label))


def test_without_resampling_the_rates_are_those_of_the_beats(judged) -> None:
    """Miss, FPR, sensitivity, precision and area over all patients, or some kinds of beats."""
    label, called = judged.scores.label > 0, judged.called > 0
    once = np.ones((1, 4))
    assert missed()(judged, once) == (label & ~called).sum() / label.sum()
    of = np.isin(judged.scores.symbol, ["A", "V"])
    assert missed("S", "V")(judged, once) == (of & ~called).sum() / of.sum()
    assert fpr(judged, once) == (~label & called).sum() / (~label).sum()
    assert sensitivity(1)(judged, once) == pytest.approx(1 - missed()(judged, once))
    assert precision(1)(judged, once) == (label & called).sum() / called.sum()
    score = judged.scores.probability[:, 1]
    assert auc(judged, once) == pytest.approx(auc_by_rank(score[label], score[~label]), abs=1e-3)
    assert np.isnan(missed("Q")(judged, once))


def test_the_interval_holds_patients_and_seeds(judged) -> None:
    """Equal seeds have no deviation; another seed widens the interval."""
    other = Judged(judged.scores, np.zeros_like(judged.called), judged.kind)
    alike = Spread.of([judged, judged], missed())
    apart = Spread.of([judged, other], missed())
    assert alike.deviation == 0
    assert alike.low < alike.mean < alike.high
    assert apart.high - apart.low > alike.high - alike.low
    assert alike.text().startswith(f"{100 * alike.mean:.1f} ± 0.0 [")


def test_a_variant_is_judged_by_patients_weighted_alike(judged) -> None:
    """The area is that of the package; the threshold lets at most 5 % of normal beats through."""
    scores = judged.scores
    score = scores.probability[:, 1].astype(float)
    weight = patients_alike(scores.record, scores.label)
    found = Found(score, scores.label, scores.record, judged.kind, weight).numbers(draws=20)
    label = scores.label > 0
    expected = auc_by_rank(score[label], score[~label], (weight[label], weight[~label]))
    assert found["AUC"][0] == pytest.approx(expected)
    at = min(t for t in score if weight[~label & (score >= t)].sum() <= 0.05 * weight[~label].sum())
    lost = label & (score < at)
    miss = weight[lost].sum() / weight[label].sum()
    assert found["miss at 5 % FPR"][0] == pytest.approx(miss, abs=0.02)
    assert {len(values) for values in found.values()} == {21}


def test_every_variant_is_a_recipe() -> None:
    """Settings are read; sizes go from 150 to about 1,000 parameters; no delay means none."""
    recipe = read(FLAGSHIP)
    students = {
        name: override(recipe, changes).student
        for name, changes in {**levers(recipe), **sizes(recipe)}.items()
    }
    assert students["as it ships"] == recipe.student
    assert students["no delay"].delay == 0
    counts = [students[name].parameters for name in sizes(recipe)]
    assert (min(counts), max(counts)) == (150, 1010)


def test_other_numbers_of_folds_are_protocols(tmp_path: Path) -> None:
    """The records are those of the flagship, in which other shares of the patients teach."""
    recipe = read(FLAGSHIP)
    own = protocol_of(recipe.data.protocol)
    made = {
        name: protocol_of(override(recipe, changes).data.protocol)
        for name, changes in patients(recipe, tmp_path).items()
    }
    assert [(name, one.folds) for name, one in made.items()] == [
        ("11 patients", 2),
        ("15 patients", 3),
        ("18 patients, as it ships", 5),
        ("20 patients", 11),
    ]
    assert {(one.train, one.test) for one in made.values()} == {(own.train, own.test)}


def test_neighbours_are_of_the_same_record() -> None:
    """Features of the beat before, the beat and the beat after; 0 beyond the record."""
    beats = load_splits(data="synthetic").train
    found = neighbours(beats, 1).reshape(len(beats), 3, -1)
    at = int(np.flatnonzero(beats.record[1:] != beats.record[:-1])[0])  # last of the first record
    assert (found[:, 1] == beats.patient).all()
    assert (found[at - 1, [0, 2]] == beats.patient[[at - 2, at]]).all()
    assert not found[at, 2].any()
    assert not found[at + 1, 0].any()


def test_numbers_replace_numbers_alone(tmp_path: Path) -> None:
    """Text around a block stays, a block without new numbers too, and filling twice is once."""
    page, rows = tmp_path / "page.md", table(["a"], [[1]])
    kept = "<!-- numbers: kept -->\n\nold\n\n<!-- end of numbers -->\n"
    page.write_text(f"Before\n\n<!-- numbers: new -->\n<!-- end of numbers -->\n\n{kept}After\n")
    assert fill(page, {"new": rows, "other": "x"}) == ["new", "kept"]
    once = page.read_text()
    assert f"Before\n\n<!-- numbers: new -->\n\n{rows}\n<!-- end" in once
    assert once.endswith(f"{kept}After\n")
    fill(page, {"new": rows})
    assert page.read_text() == once


def test_every_block_of_numbers_has_a_command() -> None:
    """No page waits for a table that nothing makes."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    names = {match[1] for page in pages for match in BLOCK.finditer(page.read_text())}
    assert names == MADE


@pytest.mark.filterwarnings("ignore:.benchmarks.levers. found in sys.modules")
@pytest.mark.parametrize("call", [["nowhere"], ["levers", "levers", "--recipe", "nowhere"]])
def test_what_a_benchmark_cannot_use_is_refused_in_one_line(call, monkeypatch, capsys):
    """An unknown benchmark and an unknown recipe are named, without a traceback."""
    monkeypatch.setattr("sys.argv", ["benchmarks", *call])
    assert main() == 2
    assert "'nowhere'" in capsys.readouterr().err
