"""The report: one file that fetches nothing, names its sources, and is written whole or not."""

from __future__ import annotations

import json
import re
import shutil

import numpy as np
import pytest
from html_page import Page
from made_scores import write_scores
from made_splits import synthetic_splits
from shared import LOOKED_AT

from ecgphoton.artifacts import save_checkpoint, sha256, write_json, write_manifest
from ecgphoton.decision import LargestProbability, OperatingPoint
from ecgphoton.errors import InputError
from ecgphoton.report.html import write_report
from ecgphoton.report.material import gather
from ecgphoton.report.pieces import percent
from ecgphoton.run.evaluate import evaluate_set
from ecgphoton.training.judge import summarise
from ecgphoton.training.parts import EpochRecord

pytestmark = pytest.mark.slow

LIMITS = {"max_miss": 0.1, "max_fpr": 0.1, "min_yield": 0.95, "confidence": 0.95}


def make_run(folder, labels="literal", source="synthetic"):
    """A run folder as `ecgphoton train` leaves it, of a student that guesses well."""
    splits = synthetic_splits(patients=9, beats=40, labels=labels)
    classes = splits.labels.classes
    point = OperatingPoint(0.4, ("validation",)) if len(classes) == 2 else LargestProbability()
    rng, results = np.random.default_rng(0), {}
    folder.mkdir()
    for name, beats in {"validation": splits.validation, "generalization": splits.test}.items():
        probability = write_scores(folder, name, beats, len(classes), rng)
        results[name] = evaluate_set(probability, beats, point, classes)
    write_json(
        folder / "metrics.json",
        {
            "sets": results, "took_part_in_selection": ["training", "validation"], "source": source,
            "operating_point": point.to_dict(), "parameters": 150, "gains": 7, "best_epoch": 2,
            "dropped": {"by_reason": {"outside the labels": {"L": 3}}, "notes": ["a note"]},
        },
    )  # fmt: skip
    summary = summarise(probability, beats.label, point)
    lines = [
        EpochRecord(
            e, 1 / e, 0.5, 0.01, point, {"validation": summary}, events=("rescue <1>",) * 5
        ).to_dict()
        for e in (1, 2, 3)
    ]
    (folder / "history.jsonl").write_text("\n".join(map(json.dumps, lines)))
    save_checkpoint(
        folder / "checkpoint.safetensors",
        {"w": np.zeros(3, np.float32)},
        {
            "classes": list(classes), "labels": labels, "protocol": "reference", "lead": "MLII",
            "source": source, "operating_point": point.to_dict(), "seed": 0, "version": "0",
            "recipe": {"name": "r"}, "data": {"training": "ab" * 32},
        },
    )  # fmt: skip
    write_manifest(folder, kind="ecgphoton-run")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A two-class run of synthetic beats."""
    return make_run(tmp_path_factory.mktemp("report") / "run")


def page_of(folder, out, **options):
    """Text and parts of the page about a folder."""
    text = write_report(gather(folder, **options), out).read_text()
    return text, Page(text)


@pytest.fixture(scope="module")
def page(run, tmp_path_factory, pytestconfig):
    """Text and parts of the page about that run, with its pictures, whichever test asks first."""
    pytestconfig.stash[LOOKED_AT] = True
    return page_of(run, tmp_path_factory.mktemp("page") / "a.html")


@pytest.mark.pictures
def test_page_needs_nothing_from_anywhere(page):
    """No script, no outside reference, every tag closed, every link to a chapter of the page."""
    text, page = page
    assert page.open == []
    assert not page.tags & {"script", "iframe", "object", "embed", "link", "img", "form"}
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)\S+", text) == []
    assert set(re.findall(r"url\(#([\w-]+)\)", text)) <= set(page.ids)
    assert "url(" not in text.replace("url(#", "")
    assert "@import" not in text
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert len(set(page.ids)) == len(page.ids)
    assert "default-src 'none'" in text


def test_page_says_synthetic_and_recorded_ones_do_not(page, tmp_path):
    """Synthetic beats put the banner on the page; recorded ones do not."""
    assert "SYNTHETIC DATA" in page[0]
    recorded = make_run(tmp_path / "recorded", source="/nowhere")
    assert "SYNTHETIC DATA" not in page_of(recorded, tmp_path / "b.html")[0]


def test_page_is_light_dark_and_printable(page):
    """The style sheet knows dark screens, paper and phones."""
    text, _ = page
    for rule in ("prefers-color-scheme: dark", "@media print", "max-width: 30rem", "viewport"):
        assert rule in text


def test_chapters_appear_with_their_files(run, page, tmp_path):
    """A chapter is there exactly when its file is."""
    chapters = ["data", "results", "curves", "decisions", "records", "beats", "provenance"]
    assert page[1].sections == chapters
    less = shutil.copytree(run, tmp_path / "less")
    (less / "history.jsonl").unlink()
    for path in less.glob("*.npz"):
        path.unlink()
    left = page_of(less, tmp_path / "b.html")[1].sections
    assert left == ["data", "results", "records", "provenance"]


@pytest.mark.pictures
def test_four_classes_have_tables_and_curves_of_their_own(tmp_path):
    """Without a threshold there are per-class tables and curves, and a 4 x 4 matrix."""
    text, page = page_of(make_run(tmp_path / "four", labels="aami4"), tmp_path / "a.html")
    assert {"results", "curves", "decisions"} <= set(page.ids)
    assert "macro-F1" in text
    assert text.count(">called</tspan>") + text.count(">called<") >= 2 * 4


def test_the_numbers_are_those_of_the_run(run, page):
    """Rates, intervals, threshold and hashes of the page are those in the files."""
    text, _ = page
    row = json.loads((run / "metrics.json").read_text())["sets"]["generalization"]
    low, high = (100 * value for value in row["interval_95"]["miss"])
    assert f"<b>{percent(row['miss'])}</b>" in text
    assert f"[{low:.1f}, {high:.1f}]" in text
    assert "Threshold 0.4000, fitted on validation" in text
    assert sha256(run / "metrics.json") in text


@pytest.mark.pictures
def test_studies_join_the_page(run, tmp_path):
    """Simulation, sweep, blame, worst cases and calibration in further folders become chapters."""
    study, student = tmp_path / "study", sha256(run / "checkpoint.safetensors")
    about = {"provenance": {"student": student, "date": "2026-01-01T00:00:00Z"}}
    row = {"mean": 0.05, "median": 0.05, "p5": 0.01, "p95": 0.08, "worst": 0.12, "perfect": 0.04}
    write_json(
        study / "simulation.json",
        {
            "chips": 3, "yield": 2 / 3, "yield_interval": [0.1, 0.99], "verdict": "fail",
            "proven": False, "noise": 0.02, "profile": None,
            "limits": LIMITS,
            "metrics": {"miss": row, "fpr": row, "auc": row}, **about,
        },
    )  # fmt: skip
    (study / "chips.csv").write_text("chip,miss,fpr,auc,good\n0,0.05,0.02,,1\n1,0.2,0.3,,0\n")
    ends = ("low", "high")
    swept = [
        {"noise": x, "yield": 1 - x, **{f"yield_{e}": 1 - x for e in ends},
         **{f"{m}_{q}": x for m in ("miss", "fpr") for q in ("p5", "median", "p95")}}
        for x in (0.0, 0.1)
    ]  # fmt: skip
    about_sweep = {"parameter": "noise", "unit": "of full scale", "chips": 3, "limits": LIMITS}
    write_json(study / "sweep.json", {**about_sweep, "rows": swept})
    lines = [swept[0], *(line.values() for line in swept)]
    (study / "sweep.csv").write_text("\n".join(",".join(map(str, line)) for line in lines))
    share = {"kind": "source", "name": "splitters", "lost_sensitivity": None, "added_fpr": 0.1,
             "added_fpr_low": 0.05, "added_fpr_high": 0.15, "added_fpr_gradient": -1e-9,
             "lost_sensitivity_gradient": 0.1}  # fmt: skip
    write_json(study / "blame.json", {"shares": [share]})
    write_json(study / "adversary.json", {"miss": 0.5, "fpr": 0.25, "sigmas": 3.0, "bound": 0.06})
    bound = {"epsilon": 0.01, "certified": 0.75, "worst_miss": 0.2, "worst_fpr": 0.1}
    write_json(study / "certified.json", {"rows": [bound]})
    campaign = tmp_path / "campaign"
    metrics = {"metrics": {"miss": row, "fpr": row, "auc": row}}
    columns = ("near", "miss_mean", "miss_p95", "fpr_mean", "fpr_p95", "error_median", "error_p95")
    table = [{"stage": s, "yield": y, **dict.fromkeys(columns, 0.1)}
             for s, y in (("uncalibrated", 0), ("calibrated", 1))]  # fmt: skip
    write_json(
        campaign / "calibration.json",
        {"chips": 1, "verdict": "pass", "table": table, "limits": LIMITS, "source": "synthetic",
         "stages": {line["stage"]: {"yield": line["yield"], "yield_interval": [0.025, 1.0],
                                    **metrics} for line in table}, **about},
    )  # fmt: skip
    (campaign / "calibrated_chips.csv").write_text(
        "chip,uncalibrated_miss,uncalibrated_fpr,uncalibrated_error,"
        "calibrated_miss,calibrated_fpr,calibrated_error\n7,0.4,0.3,0.1,0.02,0.01,0.001\n"
    )
    text, page = page_of(run, tmp_path / "a.html", also=[study, campaign])
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    assert {"chips", "tolerance", "blame", "extremes", "calibration"} <= set(page.ids)
    assert "within 3 standard deviations, at most 0.06: miss rate 50.00 %" in text
    assert '<td data-name="FPR at most"><span>10.00 %</span></td>' in text
    assert "<title>run, simulation FAIL, calibration PASS, 2026-01-01 · ecgphoton</title>" in text
    header = text[: text.index("<main>")]
    assert {"FAIL", "PASS"} <= set(re.findall("[A-Z]+", header))
    told = "100.0 % [2.5, 100.0] of 1 chip have, after calibration, a miss rate"
    assert "More chips are needed" in text[text.index(told) :]
    worst = '<th>1</th><td data-name="miss rate"><span>20.00 %</span></td>'
    assert worst in text
    assert "<th>0</th>" not in text
    assert "splitters" in text
    assert ">noise, of full scale</text>" in text
    assert '<td data-name="FPR"><span>+10.00 [5.0, 15.0]</span></td>' in text
    assert "-0.00" not in text


def test_a_bundle_finds_the_run_of_its_own_student(run, tmp_path):
    """A folder beside it with the same checkpoint joins in; one with another does not."""
    for name in ("mine", "other"):
        shutil.copytree(run, tmp_path / name)
    other = tmp_path / "other" / "checkpoint.safetensors"
    other.write_bytes(other.read_bytes() + b" ")
    write_manifest(other.parent, kind="ecgphoton-run")
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    shutil.copy(run / "checkpoint.safetensors", bundle)
    text, page = page_of(bundle, tmp_path / "a.html")
    assert "results" in page.ids
    assert "mine/metrics.json" in text
    assert "other/metrics.json" not in text
    assert "Folders left out" in text
    assert "with another student" in text


@pytest.mark.pictures
def test_words_from_files_are_never_markup(run, tmp_path):
    """Hostile names in the files are shown as text."""
    folder = shutil.copytree(run, tmp_path / "hostile")
    metrics = json.loads((folder / "metrics.json").read_text())
    evil = "<script>alert(1)</script>\"'"
    metrics["dropped"]["notes"] = [evil]
    metrics["sets"][evil] = metrics["sets"].pop("validation")
    write_json(folder / "metrics.json", metrics)
    (folder / "recipe.toml").write_text(evil)
    write_manifest(folder, kind="ecgphoton-run")
    text, page = page_of(folder, tmp_path / "a.html")
    assert "script" not in page.tags
    assert "<script" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.pictures
def test_same_folder_same_bytes(run, page, tmp_path):
    """The page depends on the files alone; given a folder, it is its report.html."""
    assert write_report(gather(run), tmp_path) == tmp_path / "report.html"
    assert (tmp_path / "report.html").read_text() == page[0]


def test_only_a_page_is_written_again(run, page, tmp_path):
    """A page may be made anew; any other file, also a page about another student, stays."""
    digest = sha256(run / "checkpoint.safetensors")
    old = page[0].replace(f'<meta name="student" content="{digest}">', "")  # of version 0.1
    for text in (page[0], old):
        (tmp_path / "page").write_text(text)
        assert write_report(gather(run), tmp_path / "page") == tmp_path / "page"
    other = page[0].replace(digest, "0" * 64)
    other = other.replace("</body>", f"made beside {digest}</body>")  # no page about this one
    assert digest in other
    for name, mine in (("notes.txt", "mine"), ("a.html", "<!doctype html>"), ("b.html", other)):
        (tmp_path / name).write_text(mine)
        with pytest.raises(InputError, match=r"page (of ecgphoton|about this)"):
            write_report(gather(run), tmp_path / name)
        assert (tmp_path / name).read_text() == mine


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("metrics.json", b"{"),
        ("metrics.json", b'{"sets": {"validation": {"miss": 1}}}'),
        ("metrics.json", b"[1, 2]"),
        ("history.jsonl", b"\xff\n"),
        ("history.jsonl", b'{"epoch": 1}\n'),
        ("validation_scores.npz", b"PK\x03\x04"),
        ("checkpoint.safetensors", b"no checkpoint"),
        ("manifest.json", b'{"files": {"a": 1}}'),
        ("simulation.json", b'{"chips": "many"}'),
        ("mesh.json", b"{}"),
    ],
)
def test_damaged_files_are_one_sentence(run, tmp_path, name, content):
    """Whatever is in a file, the answer is a page or an input error, and no half page."""
    folder = shutil.copytree(run, tmp_path / "damaged")
    (folder / name).write_bytes(content)
    with pytest.raises(InputError):
        write_report(gather(folder), tmp_path / "a.html")
    assert not (tmp_path / "a.html").exists()
