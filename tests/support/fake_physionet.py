"""A web server with a made-up database, which can be told to misbehave."""

from __future__ import annotations

import hashlib
from http.server import BaseHTTPRequestHandler

from ecgphoton.ecg.databases import MITDB
from ecgphoton.ecg.dataset import SUMS

BIG = "100.dat"


def content_of(name):
    """Made-up content, different for every file."""
    seed = hashlib.sha256(name.encode()).digest()
    return seed * (8_000 if name == BIG else 3)


CONTENT = {name: content_of(name) for name in MITDB.files}
CONTENT[SUMS] = "".join(
    f"{hashlib.sha256(data).hexdigest()} {name}\n" for name, data in CONTENT.items()
).encode()


def fill(folder, *but):
    """Put right files into a folder, all but some."""
    folder.mkdir(exist_ok=True)
    for name in CONTENT:
        if name not in but:
            (folder / name).write_bytes(CONTENT[name])


class Handler(BaseHTTPRequestHandler):
    """Serves `CONTENT`, misbehaving as `server.script` says, one entry for each request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answer as the script says."""
        name = self.path.rpartition("/")[2]
        asked = self.headers.get("Range")
        with self.server.lock:
            self.server.log.append((name, asked))
            script = self.server.script.get(name, [])
            mode = script.pop(0) if script else "ok"
        data = CONTENT.get(name)
        if mode.isdigit() or data is None:
            self.send_response(int(mode) if data is not None else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if mode == "corrupt":
            data = data[:7] + bytes([data[7] ^ 1]) + data[8:]
        start = int(asked[6:-1]) if asked and mode != "norange" else 0
        if start >= len(data):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = data[start:]
        if mode == "short":  # claims to be whole, and is not
            body = body[: len(body) // 2]
        self.send_response(206 if start else 200)
        if start:
            shown = start + 1 if mode == "othersrange" else start
            self.send_header("Content-Range", f"bytes {shown}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if mode == "drop" else body)
        if mode == "drop":
            self.wfile.flush()
            self.close_connection = True

    def log_message(self, *args):
        """Say nothing."""
