"""Electrocardiograms: records, beats, rhythm, and the database they come from."""
