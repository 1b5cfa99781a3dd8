"""Strategies of the original system that no shipped recipe uses: complete, tested, apart."""
