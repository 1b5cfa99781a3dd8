"""Experiments that come with the package, one TOML document each."""

FLAGSHIP = "inter-patient"
"""The recipe that is trained, and the shipped student that is taken, where none is named."""
