"""Small meshes that were built and measured, beside the model with the numbers of a profile.

The table of docs/budget.md is this computation. What is compared with was published in abstracts:
Carolan et al. 2015, doi:10.1126/science.aab3642 (6 modes, 15 MZIs, 30 heaters: mean fidelity of
100 Haar-random unitaries 0.999 +- 0.001), Rausell-Campo et al. 2024, arXiv:2407.03235 (3x3 and 4x4
random unitaries on a silicon mesh: fidelities above 98 %), and Taballione et al. 2023,
arXiv:2203.01801 (20 modes, amplitude fidelity of Haar-random unitaries 97.4 %), and Pentangelo et
al. 2024, doi:10.1515/nanoph-2023-0636 (six modes, amplitude fidelity 0.9979 and 0.9970).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from ecgphoton.hwsim.profile_file import load_profile
from ecgphoton.mesh.clements import Phases, decompose, recompose
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.mesh.layout import MODE_PITCH, MeshArchitecture, MeshLayout

COUNT = 100
"""Haar-random unitaries, as many as Carolan et al. programmed."""


class Found(NamedTuple):
    """Means over unitaries."""

    moduli: float
    """``sum |U_ij| |M_ij| / n``: what powers can tell."""
    field: float
    """``|Tr(U^H M)| / n``: phases count as well."""
    power: float
    """Sum of all phases over pi: heater power in units of that of a phase of pi."""


def haar(rng: np.random.Generator, modes: int) -> NDArray[Any]:
    """(COUNT, modes, modes) unitaries by the QR method of Mezzadri, arXiv:math-ph/0609050."""
    normal = rng.standard_normal((2, COUNT, modes, modes))
    q, r = np.linalg.qr(normal[0] + 1j * normal[1])
    diagonal = np.diagonal(r, axis1=-2, axis2=-1)
    return np.asarray(q * (diagonal / np.abs(diagonal))[:, None])


def model(modes: int, architecture: MeshArchitecture, **changed: float) -> Found:
    """Program unitaries without correction on chips of the foundry profile."""
    profile = load_profile("foundry-thermo-optic")
    for key, value in changed.items():
        profile = profile.with_value(key.replace("__", "."), value)
    rng, layout = np.random.default_rng(0), MeshLayout(architecture, modes)
    wanted, count = haar(rng, modes), len(layout.mzis)
    phases = np.concatenate(decompose(wanted, architecture), -1) % (2 * np.pi)
    dac = HeaterDac(bits=int(profile["dac.bits"]))
    places = layout.positions()
    apart = np.hypot(*np.moveaxis(places[:, None] - places[None], -1, 0))
    length = profile["heater.crosstalk_length"]
    shares = profile["heater.crosstalk"] * np.exp(-np.maximum(apart - MODE_PITCH, 0) / length)
    np.fill_diagonal(shares, 0)
    actual = dac.phase_of(dac.codes_for(phases))
    actual = actual + actual @ shares + profile["phase.offset"] * rng.standard_normal(actual.shape)
    alpha, beta = profile["splitter.sigma"] * rng.standard_normal((2, COUNT, count))
    parts = actual[:, :count], actual[:, count : 2 * count], actual[:, 2 * count :]
    made = recompose(layout, Phases(*parts), alpha, beta)
    moduli = (np.abs(wanted) * np.abs(made)).sum((1, 2)) / modes
    field = np.abs(np.einsum("kij,kij->k", wanted.conj(), made)) / modes
    power = phases.sum(-1) / np.pi
    return Found(*(float(part.mean()) for part in (moduli, field, power)))


@pytest.mark.parametrize(
    ("modes", "architecture", "changed", "wanted"),
    [
        (6, "reck", {}, (0.9986, 0.9946)),
        (6, "reck", {"splitter__sigma": 0.01}, (0.9990, 0.9961)),
        (6, "reck", {"splitter__sigma": 0.04}, (0.9968, 0.9887)),
        (6, "reck", {"phase__offset": 0.01}, (0.9988, 0.9954)),
        (6, "reck", {"phase__offset": 0.04}, (0.9980, 0.9915)),
        (6, "reck", {"heater__crosstalk": 0.0}, (0.9992, 0.9970)),
        (6, "reck", {"dac__bits": 8}, (0.9985, 0.9941)),
        (6, "clements", {}, (0.9984, 0.9946)),
        (4, "clements", {}, (0.9992, 0.9971)),
        (3, "clements", {}, (0.9997, 0.9984)),
        (20, "clements", {}, (0.9921, 0.9738)),
    ],
)
def test_the_table_of_the_page_is_what_the_model_gives(
    modes: int, architecture: MeshArchitecture, changed: dict[str, float],
    wanted: tuple[float, float],
) -> None:  # fmt: skip
    """Both fidelities, with the assumptions of the profile and with one of them changed."""
    found = model(modes, architecture, **changed)
    assert found[:2] == pytest.approx(wanted, abs=1e-4)


def test_the_model_is_as_good_as_what_was_built() -> None:
    """Neither better than the best chip published nor worse than the range that it states."""
    assert 0.998 <= model(6, "reck").moduli <= 1.0  # 0.999 +- 0.001
    assert all(model(modes, "clements").moduli > 0.98 for modes in (3, 4))


@pytest.mark.parametrize(
    ("modes", "architecture", "wanted"),
    [(6, "reck", 26.8), (6, "clements", 26.1), (4, "clements", 12.4), (3, "clements", 7.2)],
)
def test_heater_power_of_random_unitaries(
    modes: int, architecture: MeshArchitecture, wanted: float
) -> None:
    """In units of the power of a phase of pi."""
    assert model(modes, architecture).power == pytest.approx(wanted, abs=0.05)
