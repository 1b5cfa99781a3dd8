"""Recordings and annotations come in; beats with features, R peaks and scores go out."""
