"""Mesh mathematics: matrices come in; phases, codes, layouts and netlists of meshes go out.

Numpy alone; the transfer functions take torch tensors as well.
"""
