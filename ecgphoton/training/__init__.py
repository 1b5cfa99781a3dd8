"""Training: one loop, and the small objects that make it vary."""
