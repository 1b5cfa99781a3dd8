"""Meshes of Mach-Zehnder interferometers: mathematics, program and file."""
