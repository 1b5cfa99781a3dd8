"""Studies on chips: a student by name or path comes in; a folder with the answer goes out.

Every function does what ``ecgphoton study NAME`` does, with the same parameters.
"""

from ecgphoton.lazy import attach

attach(__name__, __file__)
