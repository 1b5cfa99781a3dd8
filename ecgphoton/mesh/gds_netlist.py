"""A mesh as a GDSFactory netlist: cells, places and waveguides of a layout that can be drawn.

The text is what ``gdsfactory.read.from_yaml`` reads with its generic process. Its cells stand for a
foundry's own: replace the component names by those of the process at hand. Mode 0 is on top (y
falls with the mode), light goes to the right, lengths are in um. Along the light, heaters are
centred where `MeshLayout.positions` says; across, an MZI lies midway between its two modes.
"""

from __future__ import annotations

from collections.abc import Iterator

from ecgphoton.errors import InputError
from ecgphoton.mesh.clements import AnyPhases
from ecgphoton.mesh.layout import COLUMN_PITCH, MODE_PITCH, MeshLayout
from ecgphoton.mesh.netlist import links

HEATER, MZI = "straight_heater_metal", "mzi2x2_2x2_phase_shifter"
HEATER_LENGTH, ARM_LENGTH = 60.0, 50.0
HEATER_X, MZI_X = 45.0, 164.5
"""Where their origins are in the first column pitch; heaters end up at 75 and 225 um of 300."""
SMALLEST_COLUMN, SMALLEST_MODE = 300.0, 100.0


def _heater(x: float, y: float, phase: float) -> tuple[str, float, float, str]:
    return f"component: {HEATER}, settings: {{length: {HEATER_LENGTH}}}", x, y, f"phase: {phase!r}"


def _cells(
    layout: MeshLayout, phases: AnyPhases, column_pitch: float, mode_pitch: float
) -> Iterator[tuple[str, tuple[str, float, float, str]]]:
    """Yield name and (component, x, y, info) of every cell."""
    for k, (column, mode) in enumerate(layout.mzis):
        x, y = column * column_pitch, -mode * mode_pitch
        yield f"phi{k}", _heater(x + HEATER_X, y, float(phases.phi[k]))
        component = f"component: {MZI}, settings: {{length_x: {ARM_LENGTH}}}"
        theta = f"phase: {float(phases.theta[k])!r}"
        yield f"mzi{k}", (component, x + MZI_X, y - mode_pitch / 2, theta)
    for mode in range(layout.order):
        x, y = layout.depth * column_pitch, -mode * mode_pitch
        yield f"out{mode}", _heater(x + HEATER_X, y, float(phases.output[mode]))


def _port(end: str) -> str:
    """Port of a cell, from ``instance,port`` of `links`: light enters an MZI's in0 through phi."""
    instance, port = end.split(",")
    if instance.startswith("out"):
        return f"{instance},{'o1' if port == 'in0' else 'o2'}"
    if port == "in0":
        return f"phi{instance.removeprefix('mzi')},o1"
    return f"{instance},{ {'in1': 'o1', 'out0': 'o3', 'out1': 'o4'}[port] }"


def gdsfactory_netlist(
    layout: MeshLayout,
    phases: AnyPhases,
    name: str = "mesh",
    *,
    column_pitch: float = COLUMN_PITCH,
    mode_pitch: float = MODE_PITCH,
) -> str:
    """YAML text of one mesh for GDSFactory; the programmed phases (rad) are in ``info``.

    Parameters
    ----------
    layout
        Where the MZIs are.
    phases
        theta, phi (k,) and output (n,), rad.
    name
        Name of the cell.
    column_pitch, mode_pitch
        Um; at least 300 and 100 with the generic cells.

    Raises
    ------
    InputError
        If the cells do not fit the pitch.
    """
    if not (column_pitch >= SMALLEST_COLUMN and mode_pitch >= SMALLEST_MODE):
        raise InputError(
            f"pitch is {column_pitch:g} x {mode_pitch:g} um; the cells need at least "
            f"{SMALLEST_COLUMN:g} x {SMALLEST_MODE:g} um"
        )
    cells = dict(_cells(layout, phases, column_pitch, mode_pitch))
    lines = [f"name: {name}", "instances:"]
    lines += [
        f"  {cell}: {{{text}, info: {{{info}}}}}" for cell, (text, _, _, info) in cells.items()
    ]
    lines.append("placements:")
    lines += [f"  {cell}: {{x: {x}, y: {y}}}" for cell, (_, x, y, _) in cells.items()]
    routes, ports = [], []
    for start, end in links(layout):
        if "," not in start:
            ports.append(f"  {start}: {_port(end)}")
        elif "," not in end:
            ports.append(f"  {end}: {_port(start)}")
        else:
            routes.append((_port(start), _port(end)))
    routes += [(f"phi{k},o2", f"mzi{k},o2") for k in range(len(layout.mzis))]
    lines.append("routes:")
    for index, (start, end) in enumerate(routes):
        lines += [f"  waveguide{index}:", f"    links: {{{start!r}: {end!r}}}"]
        lines.append("    settings: {cross_section: strip}")
    return "\n".join([*lines, "ports:", *ports]) + "\n"
