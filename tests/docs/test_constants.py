"""Numbers that pages take from the code are those of the code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import ecgphoton as ep
from benchmarks.levers import levers, sizes
from ecgphoton import intake, models
from ecgphoton.calibration import campaign, heaters, laboratory, stuck
from ecgphoton.calibration.bench import HEATER_SECONDS, READING_SECONDS
from ecgphoton.calibration.calibrate import STANDARD, STEPS
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.calibration.table import DriveTable
from ecgphoton.ecg import detect, features, missing, quality, recording, rhythm, shape, traits
from ecgphoton.ecg.annotations import LARGEST_ANNOTATION
from ecgphoton.ecg.formats import wfdb_header
from ecgphoton.ecg.records import LABELS
from ecgphoton.export import bundle_folder, golden, runtime
from ecgphoton.export.onnx_builder import OPSET
from ecgphoton.hwsim import adversary, blame, budget, moments, requirement, sensitivity, streams
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.energy import CORE_WATTS
from ecgphoton.hwsim.montecarlo import GROUP
from ecgphoton.hwsim.profile_file import load_profile, profiles as profiles_shipped
from ecgphoton.intervals import DRAWS, GROUPS
from ecgphoton.legacy.strategies import PRESETS
from ecgphoton.metrics import WHOLE_PATIENT
from ecgphoton.recipe import read
from ecgphoton.recipes import FLAGSHIP
from ecgphoton.run.budget import BUDGET_BEATS, PRECISION
from ecgphoton.run.scope import FEWEST_BEATS
from ecgphoton.runs import load_student
from ecgphoton.study import curves, upkeep
from ecgphoton.training.checks import CHECKS, POOR, POOR_LIMIT
from ecgphoton.training.scope import FEWEST

ROOT = Path(__file__).parents[2]
RATE = int(features.SAMPLING_RATE)
SENTENCES = {
    "docs/physics.md": (
        f"{moments.QUADRATURE}-point Gauss–Hermite quadrature on {moments.NODES} Chebyshev nodes",
        f"{100 * moments.VARIANCE_ERROR:.1f} % of the maximum in V",
        f"no polynomial of degree {moments.LARGEST_POWER} is enough",
        f"groups of {GROUP} chips and blocks of {streams.BEATS} beats",
        f"matrices of {blame.DRAWS} chips",
        f"a jackknife over {GROUPS} groups of the {blame.DRAWS} chips",
        f"over {adversary.DRAWN} chips",
        f"along the {sensitivity.DIRECTIONS} leading directions",
    ),
    "docs/protocols.md": (
        f"{DRAWS:,} resamplings of whole records",
        f"n < {WHOLE_PATIENT} beats",
        f"a window of {features.WINDOW} samples (one second at {RATE} Hz)",
        f"the last {rhythm.RECENT} intervals and the mean of the last {rhythm.LONG_RUN}",
        f"up to {shape.REGULAR_BEATS} earlier ones",
        f"within {100 * rhythm.REGULAR:.0f} % of the usual one",
        f"the last {shape.TEMPLATE_BEATS} beats of any shape",
        f"the median of up to {rhythm.USUAL} before it",
        f"from {detect.BAND[0]:.0f} to {detect.BAND[1]:.0f} Hz within {detect.CENTRE / RATE:.2f} s",
        f"version {features.FEATURES_VERSION} only added features",
    ),
    "docs/howto/own-recording.md": (
        f"every stretch of {quality.LENGTH // RATE} seconds is judged".replace("5", "five"),
        f"a gap of up to {missing.BRIDGED / RATE:.2f} s is bridged",
        f"the median of the last {traits.SUSTAINED} intervals",
        f"rises and falls within {1000 * traits.NARROW / RATE:.0f} ms",
        f"the last 1/{RATE // traits.EDGE} s of a window",
        f"| {100 * POOR_LIMIT:.0f} %, an assumption |",
        f"at least {rhythm.DOUBTFUL} times as long",
        f"fewer than {FEWEST_BEATS} classified beats",
        f"so the first {shape.TEMPLATE_BEATS} beats are less reliable",
        f"over {recording.LARGEST_RECORDING // 2**30} GiB are refused",
        f"fewer than {FEWEST} training patients".replace("5", "five"),
    ),
    "docs/calibration.md": (
        f"a heater response of {1e6 * HEATER_SECONDS:.0f} µs and {1e6 * READING_SECONDS:.0f} µs a",
        f"{campaign.RANGE} chips a file",
        f"exceeds {stuck.ODD} times the usual one",
        f"and {heaters.FAINT} of full scale",
        f"likelier by a factor of e{str(round(stuck.SURE / 2)).translate({48: '⁰', 49: '¹'})}",
        f"Four chips and {upkeep.DRIFT_BEATS:,} beats",
    ),
    "docs/howto/own-bench.md": (f"by more than {100 * laboratory.DIFFERS:.0f} % and",),
    "docs/budget.md": (
        f"by bisection on a logarithmic scale to {100 * PRECISION:.0f} %",
        f"as the mean over {budget.LEAKING} chips",
        f"in a batch of {runtime.BATCH}, measured",
        f"at {CORE_WATTS} W, one of the 40 cores",
        f"at most to {requirement.MOST:.0f} times",
        f"20 chips and {curves.SHEET_BEATS:,} beats at every size",
        f"(40 chips, {BUDGET_BEATS:,} beats)",
    ),
    "docs/formats.md": (
        f"| `golden.npz` | {golden.GOLDEN} generated beats",
        f"Opset {OPSET}, dynamic batch",
        f"recording at {golden.RATE} Hz",
    ),
    "docs/robustness.md": (
        f"| any artefact | {intake.LARGEST_FILE // 2**20} MiB,",
        f"| text written by hand (TOML), header | {intake.LARGEST_TEXT // 2**20} MiB |",
        f"| tables within tables | {intake.DEEPEST} |",
        f"| WFDB record | {wfdb_header.MOST_SIGNALS} signals, ",
        f" {wfdb_header.LARGEST_FRAME:,} samples a frame, skew {wfdb_header.LARGEST_SKEW:,}",
        f"| annotation file | {LARGEST_ANNOTATION // 2**20} MiB ",
        f"| graph | {runtime.MOST_NODES:,} nodes, {runtime.LARGEST_VALUE:,} numbers",
        f"at least {bundle_folder.STALE // 60} minutes later".replace("10", "ten"),
    ),
    "CHANGELOG.md": (f"{len(CHECKS) + 1} checks without labels".replace("12", "twelve"),),
    "CONTRIBUTING.md": (
        f"# {len(levers(read(FLAGSHIP)))} variants, 2 minutes each",
        f"# {len(sizes(read(FLAGSHIP)))} variants, 2 to 15 minutes each",
    ),
}
"""What pages say, by page; numbers up to twelve are written out where the page does."""


def page(name: str) -> str:
    """Text of a page."""
    return (ROOT / name).read_text(encoding="utf-8")


def rows_below(name: str, head: str) -> list[list[str]]:
    """Rows of the table of a page below this head, as cells without code marks."""
    lines = page(name).split(f"{head}\n")[1].splitlines()[1:]
    rows = lines[: next(at for at, line in enumerate([*lines, ""]) if not line.startswith("|"))]
    return [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]


@pytest.mark.parametrize(
    ("name", "sentence"), [(name, one) for name, some in SENTENCES.items() for one in some]
)
def test_a_constant_is_the_same_on_its_page(name: str, sentence: str) -> None:
    """Whoever changes a constant is told of the page that states it."""
    assert sentence in page(name)


def test_tables_have_what_is_registered() -> None:
    """Label schemes, checks, tokens, presets and profiles: all, and nothing else, in order."""
    schemes = rows_below("docs/protocols.md", "| scheme | normal | abnormal | dropped |")
    assert {row[0] for row in schemes} == set(LABELS)
    checks = rows_below("docs/howto/own-recording.md", "| check | value | limit |")
    assert [row[0] for row in checks] == [check.name for check in (*CHECKS, POOR)]
    assert [row[2] for row in checks[:-1]] == [check.side for check in CHECKS]
    tokens = rows_below("docs/protocols.md", "| token | features |")
    for row, token in zip(tokens, read(FLAGSHIP).student.patient, strict=True):
        assert row[0] == token.name
        assert [feature for feature in token.features if f"`{feature}`" not in f"`{row[1]}"] == []
    presets = rows_below(
        "docs/strategies.md",
        "| preset | class weights | sampler | adaptive weight | recall rescue | collapse guard |",
    )
    assert {row[0]: row[3] != "no" for row in presets} == {n: p[2] for n, p in PRESETS.items()}
    head = "| profile | shifters | V_π | loss of an MZI | remarks |"
    profiles = {row[0]: row for row in rows_below("docs/physics.md", head)}
    assert set(profiles) == set(profiles_shipped())
    for name, row in profiles.items():
        assert float(row[3].removesuffix(" dB")) == load_profile(name)["loss.mzi_db"]


def test_cards_and_pages_count_parameters() -> None:
    """Weights and biases, and 4x4 matrices, of every shipped student."""
    for name, folder in models.shipped().items():
        architecture = load_student(folder).student.architecture
        card = (ROOT / "ecgphoton/models" / name / "card.md").read_text(encoding="utf-8")
        assert (
            f": {architecture.parameters} weights and biases, {len(architecture.blocks)} pho"
            in card
        )
    flagship = read(FLAGSHIP).student
    assert f"a classifier of {flagship.parameters} parameters" in page("README.md")
    assert f"{len(flagship.blocks)} matrices and a head of" in page("README.md")


def test_enough_chips_are_as_many_as_the_page_says() -> None:
    """The smallest numbers of chips whose yield of all is shown to be 95 and 99 %."""
    said = re.search(
        r"(\d+) chips without a failure .* 95 %, and (\d+) show 99 %",
        page("docs/howto/read-a-verdict.md"),
    )
    for chips, wanted in zip(map(int, said.groups()), (0.95, 0.99), strict=True):
        bounds = [0.05 ** (1 / count) for count in (chips - 1, chips)]
        assert bounds[0] < wanted <= bounds[1]


@pytest.mark.slow
def test_steps_cost_what_the_page_says() -> None:
    """Settings of every step, and settings and readings of the default ones."""
    program = ep.load_bundle(models.bundle("reference-8")).program
    head = "| step | measures | what it does |"
    said = {row[0]: row[1] for row in rows_below("docs/calibration.md", head)}
    assert {name for names in said for name in re.findall(r"[\w-]+", names)} == set(STEPS)
    bench = SimulatedBench(Foundry.of("foundry-thermo-optic").chip(0, 1, program), bits=12)
    table = DriveTable.start(program, 1)
    for name in STANDARD:
        before = bench.cost.settings
        table = STEPS[name](bench, table)
        measured = bench.cost.settings - before
        assert said[name].removesuffix(" settings") == (str(measured) if measured else "none")
    cost = f"{bench.cost.settings:,} settings and {bench.cost.readings:,} readings"
    assert cost in page("docs/calibration.md")


def test_every_reader_that_is_damaged_is_listed() -> None:
    """The table of robustness names the readers of the test, and no other."""
    tree = ast.parse(page("tests/test_fuzz.py"))
    readers = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "READERS"
    )
    rows = rows_below("docs/robustness.md", "| reader | file | damage |")
    listed = {name.strip() for row in rows for name in row[0].split(",")} - {"and a run of each"}
    assert listed == {key.value for key in readers.keys}
