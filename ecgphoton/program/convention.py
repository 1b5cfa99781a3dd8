"""The documentation inside a mesh file: the meaning of its numbers, and their units."""

CONVENTION = {
    "splitter": "B(e) = [[cos h, i sin h], [i sin h, cos h]], h = pi/4 + e; e = 0 in this file",
    "mzi": "T(theta, phi) = B diag(exp(i theta), 1) B diag(exp(i phi), 1) on modes (m, m+1); "
    "light meets phi first; theta = 0 is cross, theta = pi is bar",
    "mesh": "Q = diag(exp(i output)) T_last ... T_0; MZIs are listed in light order",
    "matrix": "svd-*: W = scale Re(U diag(a) V), a the fields that the attenuators pass; light "
    "meets mesh V, the attenuators, then mesh U; real-part: W = scale Re(U)",
    "attenuator": "MZI with phi = 0, from its upper input to its upper output: a = i exp(i theta / "
    "2) sin(theta / 2), transmission |a|; the lower input is dark, the lower output is a dump",
    "driver": "number of a heater in its block, from 0: as a bench takes codes",
    "layout": "x, y is where a cell starts, on the upper waveguide; phi heaters of MZIs and output "
    "heaters lie 1/4 column_pitch further, theta heaters 3/4",
    "heater": "V = v_min + code (v_max - v_min) / (2^dac_bits - 1); phase = pi (V / v_pi)^2 where "
    "law is quadratic, pi V / v_pi where it is linear, on lines between the pairs [V, rad] of "
    "table where it is table; linear drivers whose voltages have both signs give a phase beyond "
    "their reach a turn lower",
    "detector": "a = n_b (w x) + offset in exact integers; code = clip(rint(a multiplier), "
    "-n_a, n_a) in IEEE double, ties to even; activation = table[code + n_a]",
    "pooling": "a token is the sum of the activations of its kernel positions; the input code of "
    "the next block is rint(sum n_x / (kernel 32767)) in IEEE double, ties to even",
    "read_out": "logits = (S head_weight^T + n head_bias) / n, S the sum of the last block's "
    "activations over tokens, n = tokens 32767",
    "full_scale": "n = 2^(bits-1) - 1: n_w weights, n_b biases, n_x inputs, n_a detector codes",
}
CROSSTALK = {
    "crosstalk": "voltages and codes are of what a heater gives itself, p; phases are (I + X) p "
    "modulo a turn, X_ij = share exp(-max(d_ij - 120, 0) / length) between heaters i and j of a "
    "block d_ij um apart, X_ii = 0; a heater that would have to cool by up to 0.1 rad stays off"
}
"""What the file of a program that undoes crosstalk adds to `CONVENTION`."""
READOUT = "homodyne"
"""How the fields at the outputs of meshes are read."""
UNITS = {"phase": "rad", "voltage": "V", "x, y, pitch": "um", "rate": "Hz"}
