"""Calibration: learn a chip through what a laboratory sees, and drive it to perform the program."""
