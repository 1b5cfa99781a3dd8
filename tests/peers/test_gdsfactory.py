"""GDSFactory draws our netlist, and the drawn waveguides connect what the mesh connects."""

from __future__ import annotations

import warnings

import pytest

from ecgphoton.mesh.device import Device
from ecgphoton.mesh.gds_netlist import gdsfactory_netlist

pytestmark = pytest.mark.peers


def follow(neighbours, start, cells):
    """Port of a cell that light from `start` reaches through drawn waveguides."""
    previous, here = None, start
    while previous is None or here.split(",")[0] not in cells:
        (onward,) = [end for end in neighbours[here] if end != previous]
        previous, here = here, onward
    return here


@pytest.mark.parametrize("kind", ["svd-clements", "svd-reck", "real-part"])
def test_drawn_waveguides_connect_the_block(kind) -> None:
    """Read from the geometry, every link of the netlist is there and no other."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gf = pytest.importorskip("gdsfactory")
        gf.gpdk.PDK.activate()
        device = Device(kind)
        text = gdsfactory_netlist(device, kind.replace("-", "_"))
        drawn = gf.read.from_yaml(text).get_netlist()
    cells = {name.replace(".", "_") for name in device.driver_names}
    assert cells <= set(drawn["instances"])
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
    heaters = device.drivers - len(device.mzis)
    ports = 4 * len(device.mzis) + 2 * heaters - len(drawn["ports"])
    assert links == ports / 2
    assert sum(end.split(",")[0] in cells for end in neighbours) == 2 * links
