"""Strategies of the original system that no shipped recipe uses.

The pieces of a plain training run (`training.parts.Parts`) and settings come in; the same pieces
with samplers, guards, other losses or a teacher go out. The training loop does not know of them.
"""
