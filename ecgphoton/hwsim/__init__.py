"""Monte Carlo over fabricated chips.

What comes in: a student or mesh program, beats with labels and an operating point, and a noise
level or a device profile. What goes out: miss rate, FPR and AUC of every chip, the yield with its
interval, and what of it each effect, block and MZI costs.
"""
