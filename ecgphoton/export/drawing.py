"""A block's mesh as a picture: waveguides, MZIs coloured by theta, phases in units of pi."""

import io
from collections.abc import Iterator
from typing import NamedTuple

from ecgphoton.canvas import new_canvas
from ecgphoton.mesh.layout import WIDTH
from ecgphoton.program.blocks import MatrixBlock, MeshPhases
from ecgphoton.program.program import MeshProgram

CELL, ROW, MARGIN = 92.0, 58.0, 46.0  # picture units, px
PI = 3.141592653589793


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
    size: float = 10.0


Shape = Line | Box | Text


def _colour(fraction: float) -> str:
    """White (cross, no power) to blue (bar)."""
    part = min(max(fraction, 0.0), 1.0)
    rgb = (round(255 - 175 * part), round(255 - 120 * part), round(255 - 30 * part))
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _mesh(phases: MeshPhases, program: MeshProgram, x0: float) -> Iterator[Shape]:
    for (column, mode), theta, phi in zip(
        program.layout.mzis, phases.theta, phases.phi, strict=True
    ):
        x, y = x0 + column * CELL, MARGIN + mode * ROW
        yield Box(x + 14, y - 9, CELL - 28, ROW + 18, _colour(theta / PI))
        yield Text(x + CELL / 2, y + ROW / 2 - 7, f"θ {theta / PI:.3f}π")
        yield Text(x + CELL / 2, y + ROW / 2 + 7, f"φ {phi / PI:.3f}π")
    x = x0 + program.layout.depth * CELL
    for mode, output in enumerate(phases.output):
        y = MARGIN + mode * ROW
        yield Box(x + 14, y - 11, CELL - 28, 22, _colour(output / (2 * PI)))
        yield Text(x + CELL / 2, y, f"{output / PI:.3f}π")


def shapes(program: MeshProgram, block: MatrixBlock) -> tuple[float, float, list[Shape]]:
    """Width, height and shapes of the picture of one block, light from left to right."""
    depth = program.layout.depth + 1
    cells = depth if block.v is None else 2 * depth + 1
    width, height = 2 * MARGIN + cells * CELL, 2 * MARGIN + WIDTH * ROW
    found: list[Shape] = [
        Line(((MARGIN / 2, MARGIN + mode * ROW), (width - MARGIN / 2, MARGIN + mode * ROW)))
        for mode in range(WIDTH)
    ]
    x = MARGIN
    if block.v is not None:
        found += _mesh(block.v, program, x)
        x += depth * CELL
        for mode, value in enumerate(block.attenuation):
            y = MARGIN + mode * ROW
            found.append(Box(x + 14, y - 11, CELL - 28, 22, _colour(float(value))))
            found.append(Text(x + CELL / 2, y, f"×{value:.3f}"))
        x += CELL
    found += _mesh(block.u, program, x)
    note = f"{block.name}: amplifier ×{block.scale:.4f}, gain ×{block.gain:.4f}, {program.mesh}"
    found.append(Text(width / 2, height - MARGIN / 2, note, 12.0))
    return width, height, found


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
            lines.append(
                f'<text x="{shape.x:g}" y="{shape.y + shape.size / 3:.4g}" '
                f'font-size="{shape.size:g}">{shape.words}</text>'
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
