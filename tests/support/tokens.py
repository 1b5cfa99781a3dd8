"""Tokens of students in tests."""

from __future__ import annotations

from ecgphoton.student.architecture import Token

LOOKING_AHEAD = (
    Token("ahead", ("post/pre", "next interval z", "unlikeness to next", "deviation")),
)
"""One token of features that are known one beat later."""
