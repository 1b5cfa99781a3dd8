"""Light performs the quantized matrices, in the best of the equal ways."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecgphoton.decision import LargestProbability
from ecgphoton.errors import InputError
from ecgphoton.export.circuits import largest_difference, netlist
from ecgphoton.export.formats import bill_of_materials
from ecgphoton.export.golden import synthetic_inputs
from ecgphoton.export.lower import lower
from ecgphoton.export.quantize import QuantizedStudent, quantize
from ecgphoton.export.ranges import calibrate_ranges
from ecgphoton.mesh.heater import HeaterDac
from ecgphoton.mesh.netlist import SAX_MODELS

MESHES = ("svd-clements", "svd-reck", "real-part")


@pytest.fixture(scope="module")
def quantized(make_student) -> QuantizedStudent:
    """Return a quantized student."""
    student = make_student()
    return quantize(student, calibrate_ranges(student, synthetic_inputs(student.architecture)))


def lowered(student, mesh="svd-clements", **options):
    """Lower with the names of two classes."""
    return lower(
        student, operating_point=LargestProbability(), classes=("N", "V"), mesh=mesh, **options
    )


@pytest.mark.parametrize("mesh", MESHES)
def test_phases_perform_the_matrices(quantized, mesh) -> None:
    """Recomposed from the program alone, every matrix is exact to 1e-12."""
    program, _ = lowered(quantized, mesh)
    wanted = np.stack([block.matrix for block in quantized.blocks])
    assert np.abs(program.matrices() - wanted).max() <= 1e-12


@pytest.mark.parametrize("mesh", MESHES)
def test_hard_matrices(quantized, mesh) -> None:
    """Zero, identity, permutation, rank one and repeated singular values are exact too."""
    hard = [
        np.zeros((4, 4)),
        127 * np.eye(4),
        127 * np.eye(4)[[2, 0, 3, 1]],
        127 * np.ones((4, 4)),
        np.diag([127, -127, 0, 64]),
        -127 * np.eye(4),
        np.kron(np.eye(2), [[100, 20], [-20, 100]]),
    ]
    blocks = [
        replace(block, weight_codes=hard[index % len(hard)].astype(int))
        for index, block in enumerate(quantized.blocks)
    ]
    program, _ = lowered(replace(quantized, blocks=tuple(blocks)), mesh)
    wanted = np.stack([block.matrix for block in blocks])
    assert np.abs(program.matrices() - wanted).max() <= 1e-12


def test_search_gains_correctability_then_power(quantized) -> None:
    """No block is less correctable than wanted where the default was, or both are short of it."""
    wanted = 3 * np.sqrt(2) * 0.02
    _, gauges = lowered(quantized)
    for gauge in gauges:
        reached, default = gauge.margin >= wanted, gauge.default_margin >= wanted
        assert reached or gauge.margin >= gauge.default_margin
        if reached and default:
            assert gauge.power <= gauge.default_power + 1e-9


def test_dac_codes_converge(quantized) -> None:
    """More bits for the heaters, less error; 20 bits are nearly the program itself."""
    wanted = np.stack([block.matrix for block in quantized.blocks])
    errors = [
        np.abs(lowered(quantized, dac=HeaterDac(bits=bits))[0].performed - wanted).max()
        for bits in (4, 8, 12, 20)
    ]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-3


def test_integer_student_survives_the_round_trip(quantized) -> None:
    """The integer student read back from the program is the one that went in."""
    program, _ = lowered(quantized)
    beats = synthetic_inputs(quantized.architecture, beats=10)
    again = QuantizedStudent.from_program(program)
    assert np.array_equal(again.logits(beats)[0], quantized.logits(beats)[0])


@pytest.mark.parametrize("mesh", MESHES)
def test_parts_are_counted(quantized, mesh) -> None:
    """An SVD block has 16 MZIs and 32 drivers, a real-part block 6 and 16; all are listed."""
    program, _ = lowered(quantized, mesh)
    parts = bill_of_materials(program)
    per_block = 6 if mesh == "real-part" else 16
    assert parts["mzis"] == per_block * len(program.blocks)
    assert parts["phase_shifters"] == parts["heater_dacs"]["count"] == program.codes.size
    assert len(parts["drivers"]) == (16 if mesh == "real-part" else 32)
    assert parts["heater_power_p_pi"]["total"] == pytest.approx(
        program.phases.sum() / np.pi, abs=1e-3
    )


@pytest.mark.slow
@pytest.mark.sax
@pytest.mark.parametrize("mesh", ["svd-clements", "real-part"])
def test_sax_finds_the_same_fields(quantized, mesh) -> None:
    """An independent circuit simulator agrees to 1e-9: ideal, with bad splitters, with losses."""
    pytest.importorskip("sax")
    assert max(largest_difference(lowered(quantized, mesh)[0])) <= 1e-9


@pytest.mark.slow
@pytest.mark.sax
def test_a_block_of_the_sax_file_runs(quantized) -> None:
    """Each block is a circuit of its own in the file; its real part times scale is the matrix."""
    sax = pytest.importorskip("sax")
    program, _ = lowered(quantized)
    run, _ = sax.circuit(netlist(program), dict(SAX_MODELS), top_level_name="QRS")
    fields = sax.sdict(run())
    found = [[complex(fields[f"in{j}", f"out{i}"]).real for j in range(4)] for i in range(4)]
    block = program.block("QRS")
    assert np.abs(block.scale * np.array(found) - block.matrix).max() <= 1e-9


def test_bad_choices_are_refused(quantized) -> None:
    """Unknown meshes, too few classes and impossible DACs are named."""
    with pytest.raises(InputError, match="mesh is 'butterfly'"):
        lowered(quantized, "butterfly")
    with pytest.raises(InputError, match="classes"):
        lower(quantized, operating_point=LargestProbability(), classes=("N",))
    with pytest.raises(InputError, match="bits"):
        lowered(quantized, dac=HeaterDac(bits=1))
