"""Where a database is looked for, and which folders can be one."""

import shutil

import pytest
from fake_physionet import fill

from ecgphoton.ecg.database import is_published, locate, missing, parse_sums, status, verify
from ecgphoton.ecg.databases import DATASETS
from ecgphoton.ecg.dataset import SUMS
from ecgphoton.ecg.physionet import fetch
from ecgphoton.errors import InputError


def test_a_folder_of_databases_is_searched_by_name(tmp_path, monkeypatch):
    """The variable may name a folder that holds databases by name; they are not mixed."""
    (tmp_path / "all").mkdir()
    fill(tmp_path / "all" / "mitdb")
    monkeypatch.setenv("ECGPHOTON_DATA", str(tmp_path / "all"))
    monkeypatch.setenv("ECGPHOTON_CACHE", str(tmp_path / "cache"))
    assert locate() == tmp_path / "all" / "mitdb"
    svdb = DATASETS["svdb"]
    assert locate(dataset=svdb) is None
    assert "svdb" in missing(dataset=svdb)
    with pytest.raises(InputError, match=r"no SHA256SUMS\.txt .* in \S+all.svdb,"):
        fetch(None, svdb, offline=True)
    assert [path.name for path in (tmp_path / "all").iterdir()] == ["mitdb"]
    with pytest.raises(InputError, match="other records than svdb"):
        fetch(tmp_path / "all" / "mitdb", svdb, offline=True)
    monkeypatch.setenv("ECGPHOTON_DATA", str(tmp_path / "all" / "mitdb"))
    with pytest.raises(InputError, match=r"ECGPHOTON_DATA \S+mitdb holds other.*\(mitdb, svdb\)"):
        fetch(None, svdb, offline=True)


def test_impossible_folders(tmp_path):
    """A file in place of a folder is answered in one sentence."""
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="not a folder"):
        verify(tmp_path / "file")
    with pytest.raises(InputError, match="not a folder"):
        fetch(tmp_path, from_dir=tmp_path / "file")
    with pytest.raises(InputError, match="cannot write"):
        fetch(tmp_path / "file" / "db")
    with pytest.raises(InputError, match="does not list"):
        parse_sums(b"0" * 64 + b" 100.dat\n")


def test_where_data_is_looked_for(tmp_path, monkeypatch):
    """A folder that was named, by option or variable, is the only one; else the user's cache is."""
    monkeypatch.setenv("ECGPHOTON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ECGPHOTON_DATA", str(tmp_path / "named"))
    (tmp_path / "named").mkdir()
    assert locate() is None
    assert [place.role for place in status().places] == ["$ECGPHOTON_DATA"]
    (tmp_path / "cache").mkdir()
    fill(tmp_path / "cache" / "mitdb")
    assert locate() is None  # an empty folder that was named is not passed over
    fill(tmp_path / "named")
    assert locate() == tmp_path / "named"
    assert status().to_dict()["found"] == str(tmp_path / "named")
    assert locate(tmp_path / "elsewhere") is None
    assert str(tmp_path / "elsewhere") in missing(tmp_path / "elsewhere")
    (tmp_path / "named" / "234.atr").unlink()
    assert status().places[0].records == 47
    assert locate() == tmp_path / "named"
    shutil.rmtree(tmp_path / "named")
    assert locate() is None
    monkeypatch.delenv("ECGPHOTON_DATA")
    assert locate() == tmp_path / "cache" / "mitdb"


@pytest.mark.mitdb
def test_the_real_database_is_the_published_one(mitdb):
    """The copy in use matches PhysioNet's checksums, and these match the pinned fingerprint."""
    report = verify(mitdb)
    assert report.ok
    assert report.published
    assert is_published(parse_sums((mitdb / SUMS).read_bytes()))
