"""A block's mesh as a picture: waveguides, MZIs coloured by theta, phases in units of pi."""

import io
import math
import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from ecgphoton.canvas import new_canvas
from ecgphoton.mesh.arrays import Floats
from ecgphoton.mesh.device import WIDTH, Device
from ecgphoton.program.blocks import MatrixBlock
from ecgphoton.program.program import MeshProgram

CELL, ROW, MARGIN, EDGE = 92.0, 62.0, 60.0, 8.0  # picture units, px; EDGE beside a box
PI = math.pi
NAME, VALUE, LARGE = 12.0, 13.5, 16.0
"""Sizes of letters, px: of names and the legend, of settings, of the line below the mesh."""
LETTER, LEADING = 0.51 * NAME, 1.4 * NAME
"""Width of a letter of the legend and distance of its lines, px."""
LEGEND = (
    "Light goes from left to right, mode 0 on top. Every box is named after its drivers. MZI: φ on "
    "the upper input, a splitter, θ on the upper arm, a splitter; θ = 0 is cross, θ = π is bar. "
    "White takes no power, blue the most."
)
ATTENUATORS = (
    "Attenuator: an MZI without φ, its lower input dark, the output a dump; × is the field it "
    "passes."
)


class Line(NamedTuple):
    """A waveguide."""

    points: tuple[tuple[float, float], ...]


class Box(NamedTuple):
    """An MZI, an attenuator or a phase shifter, with the value it is set to."""

    x: float
    y: float
    width: float
    height: float
    colour: str


class Text(NamedTuple):
    """A word, centred at a point."""

    x: float
    y: float
    words: str
    size: float = VALUE
    driver: str = ""
    """Name of the driver whose setting it states."""


Shape = Line | Box | Text


def _colour(fraction: float) -> str:
    """White (cross, no power) to blue (bar)."""
    part = min(max(fraction, 0.0), 1.0)
    rgb = (round(255 - 175 * part), round(255 - 120 * part), round(255 - 30 * part))
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _cells(device: Device, phases: Floats) -> Iterator[Shape]:
    """Yield MZIs, attenuators and output phase shifters, with the setting of every driver."""
    names = device.driver_names

    def setting(driver: int, symbol: str, x: float, y: float) -> Text:
        return Text(x, y, f"{symbol} {phases[driver] / PI:.3f}π", driver=names[driver])

    for mzi in device.mzis:
        x, y = MARGIN + mzi.column * CELL, MARGIN + mzi.mode * ROW
        yield Text(x + CELL / 2, y - 18, mzi.name, NAME)
        theta, *phi = mzi.drivers
        height, middle = (ROW + 18, y + ROW / 2) if phi else (38, y + 10)
        yield Box(x + EDGE, y - 9, CELL - 2 * EDGE, height, _colour(phases[theta] / PI))
        yield setting(theta, "θ", x + CELL / 2, middle - 9)
        if phi:
            yield setting(phi[0], "φ", x + CELL / 2, middle + 9)
        else:
            yield Text(x + CELL / 2, middle + 9, f"×{math.sin(phases[theta] / 2):.3f}")
    x, first = MARGIN + device.columns * CELL, device.drivers - WIDTH
    for mode in range(WIDTH):
        y, output = MARGIN + mode * ROW, phases[first + mode]
        yield Text(x + CELL / 2, y - 20, names[first + mode], NAME)
        yield Box(x + EDGE, y - 11, CELL - 2 * EDGE, 22, _colour(output / (2 * PI)))
        yield setting(first + mode, "ψ", x + CELL / 2, y)


def shapes(program: MeshProgram, block: MatrixBlock) -> tuple[float, float, list[Shape]]:
    """Width, height and shapes of the picture of one block, light from left to right."""
    device = program.device
    width, bottom = 2 * MARGIN + (device.columns + 1) * CELL, 2 * MARGIN + (WIDTH - 0.5) * ROW
    words = LEGEND + (" " + ATTENUATORS if device.two else "")
    legend = textwrap.wrap(words, int((width - MARGIN) / LETTER))
    found: list[Shape] = []
    for mode in range(WIDTH):
        y = MARGIN + mode * ROW
        found += [
            Line(((MARGIN / 2, y), (width - MARGIN / 2, y))),
            Text(MARGIN / 4, y, f"in{mode}", NAME),
            Text(width - MARGIN / 4, y, f"out{mode}", NAME),
        ]
    found += _cells(device, program.phases[program.names.index(block.name)])
    note = f"{block.name}: amplifier ×{block.scale:.4f}, gain ×{block.gain:.4f}, {program.mesh}"
    found.append(Text(width / 2, bottom - MARGIN / 2, note, LARGE))
    found += [Text(width / 2, bottom + LEADING * row, line, NAME)
              for row, line in enumerate(legend)]  # fmt: skip
    return width, bottom + LEADING * len(legend), found


def draw_svg(program: MeshProgram, block: MatrixBlock) -> bytes:
    """Return the picture of one block as SVG."""
    width, height, found = shapes(program, block)
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            'font-family="sans-serif" text-anchor="middle">'
        ),
        f'<rect width="{width:g}" height="{height:g}" fill="#fff"/>',
    ]
    for shape in found:
        if isinstance(shape, Line):
            points = " ".join(f"{x:g},{y:g}" for x, y in shape.points)
            lines.append(f'<polyline points="{points}" fill="none" stroke="#444"/>')
        elif isinstance(shape, Box):
            lines.append(
                f'<rect x="{shape.x:g}" y="{shape.y:g}" width="{shape.width:g}" '
                f'height="{shape.height:g}" rx="4" fill="{shape.colour}" stroke="#444"/>'
            )
        else:
            about = f' data-driver="{shape.driver}"' if shape.driver else ""
            lines.append(
                f'<text x="{shape.x:g}" y="{shape.y + shape.size / 3:.4g}" '
                f'font-size="{shape.size:g}"{about}>{shape.words}</text>'
            )
    return ("\n".join([*lines, "</svg>"]) + "\n").encode()


def draw_png(program: MeshProgram, block: MatrixBlock) -> bytes:
    """Return the same picture as PNG (matplotlib)."""
    width, height, found = shapes(program, block)
    figure = new_canvas(width / 100, height / 100, dpi=130)
    from matplotlib.patches import Rectangle

    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    for shape in found:
        if isinstance(shape, Line):
            axes.plot(*zip(*shape.points, strict=True), color="#444", linewidth=1, zorder=1)
        elif isinstance(shape, Box):
            corner = (shape.x, shape.y)
            axes.add_patch(
                Rectangle(corner, shape.width, shape.height, fc=shape.colour, ec="#444", zorder=2)
            )
        else:
            axes.text(
                shape.x, shape.y, shape.words, ha="center", va="center", fontsize=shape.size * 0.7
            )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
