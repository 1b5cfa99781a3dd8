"""Calibration: a bench and a program come in; the chips' errors and the codes to drive go out.

Steps (`ecgphoton.calibration.calibrate`) read a `Bench` and improve a `DriveTable`. A campaign does
this for many simulated chips and judges them before and after.
"""
