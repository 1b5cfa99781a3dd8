"""A 4x4 weight matrix of a shipped student as two meshes of Mach-Zehnder interferometers.

python examples/mesh_drawing.py --out mesh.png
"""

from __future__ import annotations

from _start import options

import ecgphoton as ep
from ecgphoton.artifacts import write_bytes
from ecgphoton.export.drawing import draw_png
from ecgphoton.hwsim.meshchips import program_of

given = options(__doc__, block=0)
program = program_of(ep.load("inter-patient").student)
write_bytes(given.out, draw_png(program, program.blocks[given.block]))
