"""Journeys: a student by name or path comes in; a result and the files it is written to go out.

Every function does what the command of its name does, with the same parameters.
"""

from ecgphoton.lazy import attach

attach(__name__, __file__)
