"""SAX is optional: where it is missing or broken, its claim is not checked."""

from __future__ import annotations

import sys

import pytest

from ecgphoton.export.verify import verify


@pytest.mark.parametrize("fault", ["raise ImportError('no TypeVar')", "raise AttributeError('x')"])
def test_a_sax_that_does_not_import_is_not_checked(fault, bundle, tmp_path, monkeypatch):
    """An incompatible SAX makes one claim 'skipped', with the reason, and fails nothing."""
    (tmp_path / "sax.py").write_text(fault)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sax", raising=False)
    report = verify(bundle)
    (claim,) = [row for row in report.rows() if "SAX" in row[0]]
    assert claim[1] == "skipped"
    assert "cannot be imported" in claim[2]
    assert report.ok
