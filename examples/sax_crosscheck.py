"""Two simulators of one mesh: SAX solves the netlist, ecgphoton multiplies its transfer matrices.

python examples/sax_crosscheck.py --out sax.png         # needs the extra: ecgphoton[sax]
"""

from __future__ import annotations

import numpy as np
import sax
from _start import options, picture

from ecgphoton.mesh.clements import decompose, recompose
from ecgphoton.mesh.layout import MeshLayout
from ecgphoton.mesh.netlist import SAX_MODELS, sax_mesh
from ecgphoton.report.style import BLUE, SOFT, VERMILION

given = options(__doc__, order=4, chips=4, seed=0)
rng = np.random.default_rng(given.seed)
layout = MeshLayout("clements", given.order)
wanted = np.linalg.qr(rng.normal(size=(given.order, given.order)))[0]
phases = decompose(wanted)
modes = range(given.order)
theirs, ours = [], []
for _ in range(given.chips):
    alpha, beta = rng.normal(0, 0.05, (2, len(layout.mzis)))  # rad, errors of the splitters
    circuit, _ = sax.circuit(sax_mesh(layout, phases, alpha, beta), dict(SAX_MODELS))
    fields = circuit()
    theirs.append([[complex(fields[f"in{j}", f"out{i}"]) for j in modes] for i in modes])
    ours.append(recompose(layout, phases, alpha, beta))

x, y = np.ravel(theirs), np.ravel(ours)
with picture(given.out, height=3.6) as axes:
    axes.plot([-1, 1], [-1, 1], color=SOFT, lw=0.8)
    for part, colour, label in (("real", BLUE, "real part"), ("imag", VERMILION, "imaginary part")):
        axes.scatter(getattr(x, part), getattr(y, part), s=12, color=colour, label=label, alpha=0.7)
    axes.set(xlabel="field, SAX", ylabel="field, ecgphoton", aspect="equal")
    axes.set_title(f"{given.chips} chips: largest difference {abs(x - y).max():.1e}")
    axes.legend()
