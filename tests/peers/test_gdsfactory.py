"""GDSFactory draws our netlist, and the drawn waveguides connect what the mesh connects."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from ecgphoton.mesh.clements import decompose
from ecgphoton.mesh.gds_netlist import gdsfactory_netlist
from ecgphoton.mesh.layout import MeshLayout

pytestmark = pytest.mark.peers


def follow(neighbours, start, cells):
    """Port of a cell that light from `start` reaches through drawn waveguides."""
    previous, here = None, start
    while previous is None or here.split(",")[0] not in cells:
        (onward,) = [end for end in neighbours[here] if end != previous]
        previous, here = here, onward
    return here


@pytest.mark.parametrize(("architecture", "n"), [("clements", 4), ("reck", 4), ("clements", 7)])
def test_drawn_waveguides_connect_the_mesh(architecture, n) -> None:
    """Read from the geometry, every link of the netlist is there and no other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gf = pytest.importorskip("gdsfactory")
        gf.gpdk.PDK.activate()
        layout = MeshLayout(architecture, n)
        text = gdsfactory_netlist(layout, decompose(np.eye(n), architecture), f"{architecture}{n}")
        drawn = gf.read.from_yaml(text).get_netlist()
    names = ("phi", "mzi", "out")
    cells = {name for name in drawn["instances"] if name.startswith(names)}
    neighbours: dict[str, list[str]] = {}
    pairs = [(net["p1"], net["p2"]) for net in drawn["nets"]]
    pairs += [(f"{name},o1", f"{name},o2") for name in drawn["instances"] if name not in cells]
    for one, other in pairs:
        neighbours.setdefault(one, []).append(other)
        neighbours.setdefault(other, []).append(one)
    links = 0
    for line in text.splitlines():
        if "links:" in line:
            start, end = line.split("'")[1::2]
            assert follow(neighbours, start, cells) == end
            links += 1
    assert links == 3 * len(layout.mzis)
    assert sum(end.split(",")[0] in cells for end in neighbours) == 2 * links
