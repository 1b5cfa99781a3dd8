"""A block as a GDSFactory netlist: cells, places and waveguides of a layout that can be drawn.

The text is what ``gdsfactory.read.from_yaml`` reads with its generic process. Its cells stand for a
foundry's own: replace the component names by those of the process at hand. Mode 0 is on top (y
falls with the mode), light goes to the right, lengths are in um. Every driver of the block has one
cell, named after it (``V.mzi0.theta`` is ``V_mzi0_theta``). Along the light, heaters are centred
where `Device.positions` says; across, an MZI lies midway between its two modes, and an attenuator
between its own mode and the next. Dark inputs and dumps of attenuators are ports of the block.

Both arms of an MZI are equally long (the generic cell's own default is a difference of 10 um).
Waveguides between cells are not matched, and the dummies of `ecgphoton.mesh.paths` are not drawn.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ecgphoton.errors import InputError
from ecgphoton.mesh.device import MZIS, WIDTH, Device
from ecgphoton.mesh.netlist import circuit_of, links, through_outputs

HEATER, MZI = "straight_heater_metal", "mzi2x2_2x2_phase_shifter"
HEATER_LENGTH, ARM_LENGTH = 60.0, 50.0
HEATER_X, MZI_X = 45.0, 164.5
"""Where their origins are in the first column pitch; heaters end up at 75 and 225 um of 300."""
SMALLEST_COLUMN, SMALLEST_MODE = 300.0, 100.0


HEADER = """\
# One block for gdsfactory.read.from_yaml; lengths in um, y upwards.
# Light: in0 ... in3 on the left, {meshes}, out0 ... out3 on the right. Mode 0 is on top.
# An MZI is two cells: NAME_phi on the upper input, then NAME_theta, whose ports are o2 (upper) and
# o1 (lower) on the left, o3 (upper) and o4 (lower) on the right. Its heater has to be on the UPPER
# arm, and both arms equally long. Phase 0 of theta is cross, phase pi is bar.
{attenuators}# A phase grows with the power of its heater: heaters have no polarity.
# Electrical ports of the cells are not connected. Every heater needs a signal of its own; a common
# return must not drop a voltage that depends on the other heaters.
# Not drawn: dummies (as lossy as an MZI) where a column leaves a waveguide alone, couplers,
# modulators, receivers, pads. Not matched: lengths of the waveguides between cells.
"""
ATTENUATORS = """\
# attK_theta is an attenuator, an MZI without phi: light enters at o2 and leaves at o3; darkK (o1)
# gets no light, dumpK (o4) leads to an absorber or a monitor photodiode.
"""


class Cell(NamedTuple):
    """A component of the process, its settings, and its place in um."""

    component: str
    settings: str
    x: float
    y: float


def _name(driver: str) -> str:
    return driver.replace(".", "_")


def _cells(device: Device) -> Iterator[tuple[str, Cell]]:
    """Yield name and cell of every driver, in the order of the device."""
    places = {name: mzi for mzi in device.mzis for name in (f"{mzi.name}.theta", f"{mzi.name}.phi")}
    for driver in device.driver_names:
        mzi = places.get(driver)
        column = device.columns if mzi is None else mzi.column
        mode = int(driver[-1]) if mzi is None else mzi.mode
        x, y = column * device.column_pitch, -mode * device.mode_pitch
        if driver.endswith(".theta"):
            settings = f"{{delta_length: 0.0, length_x: {ARM_LENGTH}}}"
            cell = Cell(MZI, settings, x + MZI_X, y - device.mode_pitch / 2)
        else:
            cell = Cell(HEATER, f"{{length: {HEATER_LENGTH}}}", x + HEATER_X, y)
        yield _name(driver), cell


def _waveguides(device: Device) -> Iterator[tuple[str, str]]:
    """Yield (from, to) of every waveguide, as ``driver,port``; the block's own ports are bare."""
    ends = [f"in{mode}" for mode in range(WIDTH)]
    for mesh, name in enumerate(device.mesh_names):
        last, inside = mesh == device.meshes - 1, links(device.layout)
        for start, end in through_outputs(inside) if last else inside:
            if "," not in start:
                yield ends[int(start[-1])], _port(f"{name}.{end}")
            elif "," in end:
                yield _port(f"{name}.{start}"), _port(f"{name}.{end}")
            elif last:
                yield _port(f"{name}.{start}"), end
            else:
                yield _port(f"{name}.{start}"), f"att{end[-1]}_theta,o2"
        for k in range(MZIS):
            yield f"{name}_mzi{k}_phi,o2", f"{name}_mzi{k}_theta,o2"
        ends = [f"att{mode}_theta,o3" for mode in range(WIDTH)]
    for mode in range(WIDTH if device.two else 0):
        yield f"dark{mode}", f"att{mode}_theta,o1"
        yield f"att{mode}_theta,o4", f"dump{mode}"


def _port(end: str) -> str:
    """Port of a cell, from ``mesh.instance,port`` of `links`: light enters in0 through phi."""
    instance, port = end.split(",")
    if ".out" in instance:
        return f"{_name(instance)},{'o1' if port == 'in0' else 'o2'}"
    if port == "in0":
        return f"{_name(instance)}_phi,o1"
    return f"{_name(instance)}_theta,{ {'in1': 'o1', 'out0': 'o3', 'out1': 'o4'}[port] }"


def gdsfactory_netlist(device: Device, name: str = "block") -> str:
    """YAML text of one block for GDSFactory; a layout does not depend on what is programmed.

    Parameters
    ----------
    device
        The hardware of a block; its pitches are at least 300 and 100 um with the generic cells.
    name
        Name of the cell.

    Raises
    ------
    InputError
        If the cells do not fit the pitch.
    """
    if not (device.column_pitch >= SMALLEST_COLUMN and device.mode_pitch >= SMALLEST_MODE):
        raise InputError(
            f"pitch is {device.column_pitch:g} x {device.mode_pitch:g} um; the cells need at least "
            f"{SMALLEST_COLUMN:g} x {SMALLEST_MODE:g} um"
        )
    cells = dict(_cells(device))
    meshes = "mesh V, attenuators, mesh U" if device.two else "mesh U"
    lines = [
        HEADER.format(meshes=meshes, attenuators=ATTENUATORS if device.two else "").rstrip(),
        f"name: {name}",
        "instances:",
        *(f"  {k}: {{component: {c.component}, settings: {c.settings}}}" for k, c in cells.items()),
        "placements:",
        *(f"  {k}: {{x: {c.x}, y: {c.y}}}" for k, c in cells.items()),
        "routes:",
    ]
    circuit = circuit_of({}, _waveguides(device))
    for index, (start, end) in enumerate(circuit["connections"].items()):
        lines += [
            f"  waveguide{index}:",
            f"    links: {{{start!r}: {end!r}}}",
            "    settings: {cross_section: strip}",
        ]
    ports = [f"  {port}: {end}" for port, end in circuit["ports"].items()]
    return "\n".join([*lines, "ports:", *ports]) + "\n"
