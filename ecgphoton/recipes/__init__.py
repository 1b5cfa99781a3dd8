"""Experiments that come with the package, one TOML document each."""
