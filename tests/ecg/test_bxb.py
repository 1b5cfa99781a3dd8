"""EC57 comparison against the standard's tool, ``bxb`` of the WFDB software package."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ecgphoton.ecg.annotations import read_annotations, write_annotations
from ecgphoton.ecg.score import score_record
from ecgphoton.errors import InputError
from ecgphoton.run.score import score

HERE = Path(__file__).parent
SAID = (HERE / "bxb.txt").read_text()
"""What ``bxb -L`` printed; 207d is the pair of peaks that were detected, with no flutter marked."""
EDITS = json.loads((HERE / "bxb.json").read_text())
"""How the test annotations of each row differ from the reference annotations of the record."""


def edited(samples, symbols, drop, move, relabel, add):
    """Reference annotations with some dropped, moved, given another symbol, and added."""
    samples, symbols = samples.copy(), symbols.astype("<U1")
    for row, distance in move:
        samples[row] += distance
    for symbol, rows in relabel.items():
        symbols[rows] = symbol
    kept = np.setdiff1d(np.arange(len(samples)), drop)
    samples = np.concatenate([samples[kept], [at for at, _ in add]]).astype(np.int64)
    symbols = np.concatenate([symbols[kept], [symbol for _, symbol in add]])
    order = np.argsort(samples, kind="stable")
    return samples[order], symbols[order]


def cells(line, text):
    """Headings of bxb with two words, joined, and the numbers under them."""
    words = text.splitlines()[0].replace("RR err", "RR_err")
    for kind in "QVS":
        words = words.replace(f"{kind} Se", f"{kind}_Se").replace(f"{kind} +P", f"{kind}_+P")
    heads = [word.replace("_", " ") for word in words.split()]
    return dict(zip(heads, line.split(), strict=True))


@pytest.mark.mitdb
def test_every_cell_is_that_of_bxb(mitdb, tmp_path):
    """Counts, shares and RR error of seven pairs equal what ``bxb -L`` of WFDB printed."""
    for line in SAID.splitlines()[1:]:
        wanted = cells(line, SAID)
        name = wanted.pop("Record")
        record = name.rstrip("d")
        reference = read_annotations(mitdb / record, "atr")
        found = edited(reference.sample, reference.symbol, **EDITS[name])
        write_annotations(tmp_path, record, "tst", *found, fs=reference.fs, note="edited")
        found = score_record(mitdb / record, test="tst", test_folder=tmp_path).bxb()
        cells_found = {
            head: "-"
            if value is None
            else f"{value:.2f}"
            if isinstance(value, float)
            else f"{value}"
            for head, value in found.items()
        }
        assert cells_found == wanted, name


def test_without_a_length_the_reference_ends_the_comparison(tmp_path):
    """As in ``bxb``: what a test marks behind the last beat of the reference is not scored."""
    at = np.arange(100, 5000, 100)
    for annotator, samples in (("atr", at), ("eph", np.append(at + 3, at + 5000))):
        write_annotations(tmp_path, "a", annotator, samples, ["N"] * len(samples), fs=100)
    for length, extra in (("", 0), (" 12000", len(at))):
        (tmp_path / "a.hea").write_text(f"a 0 100{length}\n")
        found = score_record(tmp_path / "a", start=0)
        assert (found.rates["QRS"].tp, found.rates["QRS"].fp) == (len(at), extra)
        assert found.notes == () if length else "scored up to the last beat" in found.notes[0]


def test_a_record_counts_once(tmp_path):
    """A record that is named twice is refused, with or without its extension."""
    for name in "ab":
        (tmp_path / f"{name}.hea").write_text(f"{name} 0 100\n")
    for names in (["a", "a"], ["b", "a.hea", "./a"]):
        with pytest.raises(InputError, match="is named twice"):
            score([tmp_path / name for name in names])
    with pytest.raises(InputError, match=r"there is no recording .*a\.1"):
        score([tmp_path / "a.1", tmp_path / "a.2"])
