"""Fetching from a bad network: whatever happens, only right files get their names."""

import hashlib
import threading
from dataclasses import replace
from http.server import ThreadingHTTPServer

import pytest
from fake_physionet import BIG, CONTENT, Handler, fill

from ecgphoton.ecg.database import locate, status, verify
from ecgphoton.ecg.databases import MITDB
from ecgphoton.ecg.dataset import SUMS
from ecgphoton.ecg.download import Patience
from ecgphoton.ecg.physionet import fetch
from ecgphoton.errors import InputError

FILES, RECORD_FILES = MITDB.files, MITDB.record_files
HASTY = Patience(attempts=3, backoff=0.001, timeout=2)


@pytest.fixture
def server():
    """Run a web server with the made-up database, which can be told to misbehave."""
    web = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.log, web.script, web.lock = [], {}, threading.Lock()
    web.url = f"http://127.0.0.1:{web.server_port}/files/mitdb/1.0.0"
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield web
    web.shutdown()
    thread.join()
    web.server_close()


def get(server, folder, **options):
    """Fetch from the local server, without patience."""
    local = replace(options.pop("dataset", MITDB), url=server.url)
    return fetch(folder, local, patience=HASTY, **options)


def nothing_wrong(folder):
    """Every final name holds exactly the right bytes."""
    for name in CONTENT:
        path = folder / name
        assert not path.exists() or path.read_bytes() == CONTENT[name]


def test_fetch_brings_everything_once(server, tmp_path):
    """All 146 files and the checksums arrive; a second fetch asks for nothing."""
    seen = []
    report = get(server, tmp_path / "db", progress=lambda *state: seen.append(state))
    assert len(report.fetched) == len(FILES) == 146
    assert report.received == sum(map(len, CONTENT.values())) - len(CONTENT[SUMS])
    assert seen[-1] == ("megabytes", sum(map(len, CONTENT.values())) // 10**6, MITDB.megabytes)
    assert verify(tmp_path / "db").ok
    assert locate(tmp_path / "db") == tmp_path / "db"
    requests = len(server.log)
    again = get(server, tmp_path / "db")
    assert (again.kept, again.fetched, len(server.log)) == (146, (), requests)


@pytest.mark.parametrize(
    "script",
    [
        ["drop"],
        ["drop", "drop", "drop", "drop", "drop", "drop"],
        ["short"],
        ["corrupt"],
        ["503", "429"],
        ["drop", "norange"],
        ["drop", "416"],
        ["drop", "othersrange"],
        ["drop", "corrupt"],
        ["drop", "short", "corrupt", "drop"],
    ],
)
def test_a_bad_network_is_survived(server, tmp_path, script):
    """Lost, cut, changed, refused and misplaced answers are asked for again until right."""
    fill(tmp_path, BIG)
    server.script[BIG] = list(script)
    report = get(server, tmp_path)
    assert report.fetched == (BIG,)
    assert report.retries >= 1
    assert verify(tmp_path).ok
    assert not list(tmp_path.glob("*.part"))


def test_a_lost_connection_is_resumed(server, tmp_path):
    """After half a file, exactly the other half is asked for."""
    fill(tmp_path, BIG)
    server.script[BIG] = ["drop"]
    report = get(server, tmp_path)
    half = len(CONTENT[BIG]) // 2
    assert [asked for name, asked in server.log if name == BIG] == [None, f"bytes={half}-"]
    assert (report.received, report.retries, report.resumed) == (len(CONTENT[BIG]), 1, 0)
    assert verify(tmp_path).ok


@pytest.mark.parametrize("part", ["half", "whole", "wrong", "too long"])
def test_a_killed_fetch_is_resumed(server, tmp_path, part):
    """Whatever an earlier run left in .part, the file ends up right; a good half is used."""
    fill(tmp_path, BIG)
    data = CONTENT[BIG]
    left = {"half": data[:1000], "whole": data, "wrong": b"x" * 1000, "too long": data + b"x"}
    (tmp_path / f"{BIG}.part").write_bytes(left[part])
    report = get(server, tmp_path)
    assert verify(tmp_path).ok
    assert report.resumed == {"half": 1000, "whole": len(data)}.get(part, 0)
    assert report.received >= len(data) - report.resumed


def test_a_server_without_range_starts_anew(server, tmp_path):
    """Where the rest of a file cannot be had alone, the whole file is taken, and said so."""
    fill(tmp_path, BIG)
    (tmp_path / f"{BIG}.part").write_bytes(CONTENT[BIG][:1000])
    server.script[BIG] = ["norange"]
    report = get(server, tmp_path)
    assert (report.resumed, report.received) == (0, len(CONTENT[BIG]))
    assert verify(tmp_path).ok


@pytest.mark.parametrize("mode", ["corrupt", "short", "503", "404"])
def test_what_cannot_be_had_leaves_nothing_wrong(server, tmp_path, mode):
    """A server that never gets it right ends in one sentence, and no wrong final file."""
    server.script[BIG] = [mode] * 50
    with pytest.raises(InputError, match=r"100\.dat"):
        get(server, tmp_path)
    assert not (tmp_path / BIG).exists()
    nothing_wrong(tmp_path)
    server.script.clear()
    get(server, tmp_path)
    assert verify(tmp_path).ok


def test_wrong_files_are_replaced(server, tmp_path):
    """A file with one changed byte is fetched again, alone."""
    fill(tmp_path)
    (tmp_path / "234.atr").write_bytes(b"?" + CONTENT["234.atr"][1:])
    assert list(verify(tmp_path).problems) == ["234.atr"]
    assert get(server, tmp_path).fetched == ("234.atr",)
    assert verify(tmp_path).ok


def test_a_damaged_list_of_checksums_is_replaced(server, tmp_path):
    """A cut SHA256SUMS.txt is fetched again; a cut answer for it is not accepted."""
    fill(tmp_path)
    (tmp_path / SUMS).write_bytes(CONTENT[SUMS][:500])
    server.script[SUMS] = ["short"]
    assert get(server, tmp_path).kept == 146
    assert verify(tmp_path).ok


def test_a_list_with_wrong_checksums_is_replaced(server, tmp_path):
    """A list that disagrees with right files does not get them thrown away."""
    fill(tmp_path)
    lines = CONTENT[SUMS].decode().splitlines()
    lines[5] = "0" * 64 + lines[5][64:]
    (tmp_path / SUMS).write_text("\n".join(lines) + "\n")
    assert len(verify(tmp_path).problems) == 1
    assert get(server, tmp_path).kept == 146
    assert verify(tmp_path).ok


def test_a_copy_is_imported_without_the_network(server, tmp_path):
    """Right files come from the copy; a damaged one is refused; nothing is downloaded."""
    fill(tmp_path / "copy", "RECORDS")
    report = get(server, tmp_path / "db", from_dir=tmp_path / "copy")
    assert len(report.imported) == 145
    assert (report.records, report.of_records) == (48, 48)
    (tmp_path / "copy" / BIG).write_bytes(b"wrong")
    with pytest.raises(InputError, match=r"1 files are missing or wrong.*100\.dat"):
        get(server, tmp_path / "other", from_dir=tmp_path / "copy")
    assert server.log == []


def test_a_part_of_a_database_is_usable(server, tmp_path):
    """Of a copy with two whole records both are imported, and every answer says two of 48."""
    fill(tmp_path / "copy", *(f for f in RECORD_FILES if f[:3] not in ("100", "234")))
    report = get(server, tmp_path / "db", from_dir=tmp_path / "copy")
    assert (report.records, report.of_records) == (2, 48)
    checked = verify(tmp_path / "db")
    assert checked.ok
    assert (checked.records, checked.of_records, checked.checked) == (2, 48, 8)
    assert "2 of the 48 records of mitdb" in status(tmp_path / "db").advice
    (tmp_path / "db" / "234.dat").unlink()
    assert verify(tmp_path / "db").problems == {"234.dat": "missing"}
    assert locate(tmp_path / "db") == tmp_path / "db"


def test_offline_never_asks_the_network(server, tmp_path):
    """Offline, a whole copy is enough; anything less is a sentence, and nothing is asked."""
    fill(tmp_path / "copy")
    report = get(server, tmp_path / "db", from_dir=tmp_path / "copy", offline=True)
    assert len(report.imported) == 146
    (tmp_path / "copy" / BIG).unlink()
    with pytest.raises(InputError, match=r"1 files are missing or wrong.*100\.dat"):
        get(server, tmp_path / "other", from_dir=tmp_path / "copy", offline=True)
    nothing_wrong(tmp_path / "other")
    with pytest.raises(InputError, match="and --offline"):
        get(server, tmp_path / "none", offline=True)
    assert server.log == []


def test_a_copy_without_checksums_is_known_by_its_fingerprint(server, tmp_path, monkeypatch):
    """Copies of other tools lack the list; offline they count if all records are as published."""
    fill(tmp_path / "copy", SUMS, "RECORDS", "ANNOTATORS")
    with pytest.raises(InputError, match="not all as published"):
        verify(tmp_path / "copy")
    lines = "".join(
        f"{hashlib.sha256(CONTENT[name]).hexdigest()} {name}\n" for name in RECORD_FILES
    )
    ours = replace(MITDB, published=hashlib.sha256(lines.encode()).hexdigest())
    report = get(server, tmp_path / "db", dataset=ours, from_dir=tmp_path / "copy", offline=True)
    assert len(report.imported) == 144
    assert report.published
    assert verify(tmp_path / "db", ours).ok
    assert server.log == []


def test_stopping_keeps_what_arrived(server, tmp_path):
    """An interrupt in the middle leaves parts and right files; the next fetch goes on."""
    pieces = iter(range(4))  # the list of checksums, twice the first file, half of the second

    def interrupt(stage, done, total):
        if next(pieces, None) is None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        get(server, tmp_path, progress=interrupt, jobs=1)
    nothing_wrong(tmp_path)
    assert not (tmp_path / BIG).exists()
    assert get(server, tmp_path).resumed > 0
    assert verify(tmp_path).ok


def test_a_second_fetch_waits_its_turn(server, tmp_path):
    """Two fetches into one folder would write into each other's parts; the second is refused."""
    caught = []

    def again(stage, done, total):
        if not caught:
            with pytest.raises(InputError, match="another process") as error:
                get(server, tmp_path)
            caught.append(error)

    get(server, tmp_path, progress=again, jobs=1)
    assert caught


def test_silence_is_not_waited_for_forever(tmp_path):
    """A server that is not there ends in a sentence with the address."""
    with pytest.raises(InputError, match=r"gave up on http://127\.0\.0\.1:1/"):
        fetch(tmp_path, base_url="http://127.0.0.1:1/", patience=HASTY)


@pytest.mark.parametrize("url", ["file:///etc/", "ftp://x/", "mitdb"])
def test_only_web_addresses(tmp_path, url):
    """Other schemes could read local files in the name of a download."""
    with pytest.raises(InputError, match="base URL"):
        fetch(tmp_path, base_url=url)
