"""Export: a trained student comes in; a bundle of ONNX graphs and a mesh program goes out.

`bundle` writes and reads it, `verify` recomputes every claim it makes.
"""
