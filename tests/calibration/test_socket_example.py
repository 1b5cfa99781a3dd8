"""The bench shown in the documentation works, over a real pair of sockets."""

import json
import re
import socket
import threading
from pathlib import Path

import numpy as np

from ecgphoton.calibration.calibrate import calibrate, steps_of
from ecgphoton.calibration.simulated import SimulatedBench
from ecgphoton.hwsim.chip import Foundry
from ecgphoton.hwsim.profile import Profile

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "own-bench.md"


def serve(connection: socket.socket, bench: SimulatedBench) -> None:
    """Answer questions about a chip until the other side is gone."""
    with connection, connection.makefile("rw", encoding="utf-8") as file:
        for line in file:
            asked = json.loads(line)
            codes = np.array(asked["codes"])[None, None]
            got = bench.read(codes, np.array(asked["vectors"], float), asked["kind"])[0, 0]
            answer = np.stack([got.real, got.imag], -1) if asked["kind"] == "field" else got
            file.write(json.dumps(answer.tolist()) + "\n")
            file.flush()


def test_the_documented_socket_bench_calibrates_a_chip(program) -> None:
    """Line by line over a socket, the same table comes out as from the chip itself."""
    code = re.search(r"```python\n(.*?class SocketBench.*?)```", PAGE.read_text(), re.DOTALL)
    assert code is not None
    names: dict = {}
    exec(code[1], names)
    profile = Profile(
        {"splitter.sigma": 0.02, "detector.offset_sigma": 0.002}
    )  # silent: order is free
    chip = Foundry(profile).chips(0, 0, 1, program)
    steps = steps_of(["dark", "correct"])
    here, there = socket.socketpair()
    server = threading.Thread(target=serve, args=(there, SimulatedBench(chip)), daemon=True)
    server.start()
    with here:
        bench = names["SocketBench"](here, len(program.blocks), 32, 12)
        far = calibrate(bench, program, steps)
        bench._file.close()
    server.join(10)
    near = calibrate(SimulatedBench(chip), program, steps)
    assert np.array_equal(far.table.codes, near.table.codes)
    np.testing.assert_allclose(far.table.beliefs.zero, near.table.beliefs.zero, atol=1e-12)
    assert far.cost == near.cost
