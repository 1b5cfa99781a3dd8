"""The claims a bundle makes, each recomputed, by independent programs where there are any."""

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from ecgphoton import artifacts
from ecgphoton.ecg.features import normalise
from ecgphoton.errors import shown
from ecgphoton.export import bundle_folder as names, formats as forms
from ecgphoton.export.bundle_folder import added_to, manifest_problems
from ecgphoton.export.claimed_bundle import ClaimedBundle, Result, verdict
from ecgphoton.export.golden import (
    LIMIT,
    arrays_of,
    explained,
    inputs_from,
    read_recording,
    unexplained,
)
from ecgphoton.export.onnx_builder import UNSAID_BEFORE, metadata_of
from ecgphoton.export.quantize import QuantizedStudent, quantize, widths_of
from ecgphoton.export.runtime import (
    ENGINES,
    exposed,
    first_difference,
    runner,
    stored_metadata,
)
from ecgphoton.export.stated import CODES, CROSSTALK, DRIVERS, differing, stated
from ecgphoton.mesh.arrays import Floats
from ecgphoton.program.program_file import to_dict
from ecgphoton.program.shipped import shipped
from ecgphoton.student.network import SegmentStudent
from ecgphoton.student.propagate import Inputs

MATRIX_LIMIT, CIRCUIT_LIMIT, LOGIT_LIMIT, CODES_LIMIT = 1e-12, 1e-9, 1e-5, 1e-6
LAST_DIGITS = 2.0**-21
"""Relative difference between processors, of a number in single precision."""
FAR_OFF, MANY_CHANGED = 0.1, 0.02
"""Relative matrix error and share of decisions; codes are coarse beyond either."""
NORMALISED, NORMALISE_LIMIT = "normalise.clipped", 1e-5
CHECKED = ("kind", "files", "digest", "formats", CODES)
"""Keys of a manifest that other checks look at."""
REFERENCE_BEATS = 2048  # the reference evaluator is for truth, not for speed


def _manifest(bundle: ClaimedBundle) -> Result:
    problems = manifest_problems(bundle.folder)
    named, more = bundle.manifest["files"], added_to(bundle.folder, bundle.manifest)
    text = f"{len(named)} files, SHA-256 of each"
    text += f"; not among them, and not checked: {', '.join(more)}" if more else ""
    return verdict(not problems, "; ".join(problems) or text)


def _mesh_file(bundle: ClaimedBundle) -> Result:
    program = bundle.program  # the schema and every redundancy are checked while reading
    for key, name in (
        ("checkpoint", names.CHECKPOINT),
        ("onnx", names.FLOAT),
        ("onnx_integer", names.INTEGER),
    ):
        if program.hashes.get(key) != artifacts.sha256(bundle.read(name)):
            return "failed", f"$.hashes.{key} is not the SHA-256 of {name}"
    wanted = metadata_of(
        program.architecture,
        program.classes,
        program.operating_point.to_dict(),
        {"checkpoint": program.hashes["checkpoint"]},
    )
    for name in (names.FLOAT, names.INTEGER):
        held = stored_metadata(bundle.read(name))
        unsaid = UNSAID_BEFORE if "rhythm" in held else ()  # a graph of version 0.1
        if not {k: v for k, v in wanted.items() if k not in unsaid}.items() <= held.items():
            return "failed", f"metadata of {name} contradict the mesh file"
    manifest = dict(bundle.manifest)
    for key, value in ({DRIVERS: None, CROSSTALK: None} | stated(program)).items():
        if manifest.pop(key, None) != value:
            told = value or "absent"
            return "failed", f"{key} of the manifest is not {told}, as in the mesh file"
    text = f"{len(program.blocks)} blocks, {program.mesh}, {program.dac.words}"
    more = {key: value for key, value in manifest.items() if key not in CHECKED}
    text += f"; of the manifest, not checked: {shown(more)[1:-1]}" if more else ""
    return "ok", text


def _codes(bundle: ClaimedBundle) -> Result:
    program, (student, _, metadata) = bundle.program, bundle.checkpoint
    if wrong := differing(program, student, metadata):
        return "failed", f"{', '.join(wrong)} of the mesh file: not as in the checkpoint"
    widths = widths_of(program)
    ranges = np.array([(block.adc_low, block.adc_high) for block in program.blocks])
    again = quantize(student, ranges, widths)
    for block, other in zip(program.blocks, again.blocks, strict=True):
        same = np.array_equal(block.weight_codes, other.weight_codes) and np.array_equal(
            block.bias_codes, other.bias_codes
        )
        # exp and tanh may differ in their last digits from processor to processor
        same = same and abs(block.gain - other.gain) <= LAST_DIGITS * abs(other.gain)
        same = same and np.abs(block.table - other.table).max() <= 1
        if not same:
            return "failed", f"block {block.name} is not the rounded checkpoint"
    heads = ((program.head_weight, again.head_weight), (program.head_bias, again.head_bias))
    if not all(np.array_equal(*pair) for pair in heads):
        return "failed", "the digital head is not that of the checkpoint"
    return "ok", f"weights {widths.weight_bits} bits, converters {widths.adc_bits} bits"


def _matrices(bundle: ClaimedBundle) -> Result:
    program = bundle.program
    error = float(np.abs(program.matrices() - program.targets).max())
    return verdict(error <= MATRIX_LIMIT, f"largest difference {error:.1e}")


def _dac_codes(bundle: ClaimedBundle) -> Result:
    """Rebuild the matrices from the DAC codes, and compare with what the manifest states of them.

    Beats besides the golden ones are no claim, but what changes on them is said.
    """
    program = bundle.program
    found = shipped(program, bundle.golden[0])
    claimed = bundle.manifest.get(CODES, {})
    wrong = [
        f"{name} of the manifest is {claimed.get(name)!r}, the codes give {value!r}"
        for name, value in found._asdict().items()
        if not isinstance(claimed.get(name), int | float)
        or abs(claimed[name] - value) > CODES_LIMIT * max(1e-12, abs(value))
    ]
    text, largest = f"{program.dac.bits} bits: {found}", found
    if bundle.beats is None:
        text += "; no test beats were run"
    else:
        largest = shipped(program, bundle.beats)
        text += f"; {largest.changed_decisions:,} of {largest.beats:,} test beats"
    many = largest.changed_decisions > MANY_CHANGED * largest.beats
    if not wrong and (many or found.matrix_error > FAR_OFF):
        return "coarse", text
    return verdict(not wrong, "; ".join([*wrong, text]))


def circuits(bundle: ClaimedBundle) -> Result:
    """Simulate the circuits with SAX, where it is installed."""
    from ecgphoton.export.circuits import largest_difference, sax_missing

    missing = sax_missing()
    if missing:
        return "skipped", missing
    ideal, faulty, lossy = largest_difference(bundle.program)
    found = f"largest difference {ideal:.1e}, with splitter errors {faulty:.1e}, "
    found += f"with losses as well {lossy:.1e}"
    return verdict(np.max([ideal, faulty, lossy]) <= CIRCUIT_LIMIT, found)


def _float_graph(bundle: ClaimedBundle) -> Result:
    model, inputs = bundle.read(names.FLOAT), bundle.inputs
    wanted, feed = _torch_logits(bundle.checkpoint[0], inputs), arrays_of(inputs)
    found: list[str] = []
    limit, good = LOGIT_LIMIT * _scale(wanted), True
    for engine in ENGINES:
        beats = slice(None, REFERENCE_BEATS if engine == "onnx-reference" else None)
        part = {name: value[beats] for name, value in feed.items()}
        error = float(np.abs(runner(model, engine)(part)["logits"] - wanted[beats]).max())
        good = good and error <= limit
        found.append(f"{engine} {error:.1e}")
    return verdict(good, f"{len(inputs):,} beats, |Δlogit| at most: {', '.join(found)}")


@torch.no_grad()
def _torch_logits(student: SegmentStudent, inputs: Inputs) -> Floats:
    """Logits in double precision, so that torch's own rounding does not count against a graph."""
    exact = copy.deepcopy(student).double()
    whole = Inputs(**{name: torch.tensor(v).double() for name, v in arrays_of(inputs).items()})
    parts = [whole.rows(slice(at, at + 1024)) for at in range(0, len(whole), 1024)]
    logits = [exact(part.window, part.rhythm, part.residual)[0].numpy() for part in parts]
    return np.concatenate(logits)


def _scale(logits: Floats) -> float:
    """Single precision is relative: limits grow with the largest logit, if it is above 1."""
    return max(1.0, float(np.abs(logits).max()))


def _integer_graph(bundle: ClaimedBundle) -> Result:
    program, model = bundle.program, bundle.read(names.INTEGER)
    inputs = bundle.inputs
    wanted = dict(
        zip(
            ("logits", "h_pool"), QuantizedStudent.from_program(program).logits(inputs), strict=True
        )
    )
    feed = arrays_of(inputs)
    for engine in ENGINES:
        beats = slice(None, REFERENCE_BEATS if engine == "onnx-reference" else None)
        found = runner(model, engine)({name: value[beats] for name, value in feed.items()})
        for name, value in wanted.items():
            wrong = (found[name] != value[beats]).any(-1)
            if wrong.any():
                rows = np.flatnonzero(wrong)[:64]
                node = first_difference(model, engine, {k: v[beats][rows] for k, v in feed.items()})
                return "failed", f"{engine}: {name} of {wrong.sum()} beats differ; {node}"
    return "ok", f"{len(inputs):,} beats equal to the bit in {', '.join(ENGINES)}"


def _raw_graphs(bundle: ClaimedBundle) -> Result:
    if not (bundle.folder / names.RAW_FLOAT).exists():
        return "skipped", "exported without the format 'raw'"
    feed = arrays_of(bundle.inputs)
    raw = feed.pop("window") * np.float32(1.7) + np.float32(0.3)
    feed, outputs = {"raw_window": raw, **feed}, ("logits", NORMALISED)
    integers, errors = QuantizedStudent.from_program(bundle.program), [0.0]
    for engine in ENGINES[:2]:
        for name in (names.RAW_FLOAT, names.RAW_INTEGER):
            found = runner(exposed(bundle.read(name), [NORMALISED]), engine, outputs)(feed)
            if not np.abs(found[NORMALISED] - normalise(raw)).max() <= NORMALISE_LIMIT:
                return "failed", f"{name} in {engine} normalises beats in another way"
            inputs = replace(bundle.inputs, window=torch.as_tensor(found[NORMALISED]))
            if name == names.RAW_INTEGER:
                if not np.array_equal(found["logits"], integers.logits(inputs)[0]):
                    return "failed", f"{name} in {engine} is not QuantizedStudent behind its window"
                continue
            wanted = _torch_logits(bundle.checkpoint[0], inputs)
            errors.append(float(np.abs(found["logits"] - wanted).max()) / _scale(wanted))
    worst = np.max(errors)
    return verdict(worst <= LOGIT_LIMIT, f"float {worst:.1e}, integer equal to the bit")


def _golden_codes(bundle: ClaimedBundle) -> Result:
    program = bundle.program
    inputs, stored = bundle.golden
    trace = QuantizedStudent.from_program(program).trace(inputs)
    wrong = [
        name
        for name in sorted(set(trace) | set(stored))
        if name not in stored or name not in trace or not np.array_equal(trace[name], stored[name])
    ]
    text = f"{len(inputs):,} beats, {len(trace)} stages of codes"
    return verdict(not wrong, f"differs: {', '.join(wrong)}" if wrong else text)


def _recording(bundle: ClaimedBundle) -> Result:
    """Compare ``features.py`` with this package, on the golden recording, up to the decisions."""
    program = bundle.program
    foreign = unexplained(program.architecture)
    if foreign:
        return "skipped", f"{', '.join(foreign)} of another package"
    raw, stored = read_recording(bundle.folder / names.RECORDING)
    found = explained(to_dict(program), raw.measured, raw.rate, raw.samples)
    beat, inputs = inputs_from(raw, program.architecture, program.centring)
    feed, worst = arrays_of(inputs), 0.0
    for name, value in ({"beat": beat} | feed).items():
        for other in (found[name], stored[name]):
            if value.shape != other.shape or not np.abs(value - other).max(initial=0.0) <= LIMIT:
                return "failed", f"{name} is not what features.py and the recording say"
        worst = max(worst, float(np.abs(value - found[name]).max(initial=0.0)))
    graph = runner(bundle.read(names.INTEGER), ENGINES[0], ("probability",))
    called = program.operating_point.classify(
        graph({name: found[name] for name in feed})["probability"]
    )
    text = f"{len(beat)} beats of a recording at {raw.rate:g} Hz: inputs within {worst:.1e}"
    if not np.array_equal(called, stored["decision"]):
        return "failed", f"{text}, but other decisions"
    return "ok", f"{text}, {(called > 0).sum()} decisions abnormal, as stored"


def _derived(bundle: ClaimedBundle) -> Result:
    stored = [name for name in bundle.manifest.get("formats", ()) if name not in ("png", "raw")]
    files = forms.derived(bundle.program, forms.check_formats(stored))
    files |= forms.documents(bundle.program)
    wrong = [name for name, data in sorted(files.items()) if bundle.read(name) != data]
    return verdict(not wrong, f"differs: {', '.join(wrong)}" if wrong else f"{len(files)} files")


CHECKS: dict[str, Callable[[ClaimedBundle], Result]] = {
    "every file is the one in the manifest": _manifest,
    "mesh file fits its schema, itself and its hashes": _mesh_file,
    "codes and settings are those of the checkpoint": _codes,
    f"mesh phases perform the matrices (<= {MATRIX_LIMIT:g})": _matrices,
    "DAC codes perform what the manifest states": _dac_codes,
    f"SAX simulates the same circuits (<= {CIRCUIT_LIMIT:g})": circuits,
    f"torch = float graph in three engines (<= {LOGIT_LIMIT:g} of the largest logit)": _float_graph,
    "integer graph = QuantizedStudent, bit for bit": _integer_graph,
    "raw-window graphs normalise and agree": _raw_graphs,
    "golden codes": _golden_codes,
    f"features.py computes the inputs of a raw recording (<= {LIMIT:g}), and decisions": _recording,
    "netlists, DAC codes, parts, pictures, programs follow from the mesh file": _derived,
}
