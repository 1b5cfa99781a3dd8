"""Studies on chips: a student by name or path comes in; a folder with the answer goes out.

Every function does what ``ecgphoton study NAME`` does, with the same parameters.
"""

import sys
from typing import TYPE_CHECKING

from ecgphoton.lazy import Lazy

if TYPE_CHECKING:
    from ecgphoton.study.causes import (
        adversary as adversary,
        blame as blame,
        certify as certify,
        trace as trace,
    )
    from ecgphoton.study.curves import solve as solve, surrogate as surrogate, sweep as sweep
    from ecgphoton.study.sheet import sheet as sheet
    from ecgphoton.study.upkeep import bits as bits, drift as drift

HOMES = {
    "adversary": "ecgphoton.study.causes",
    "bits": "ecgphoton.study.upkeep",
    "blame": "ecgphoton.study.causes",
    "certify": "ecgphoton.study.causes",
    "drift": "ecgphoton.study.upkeep",
    "sheet": "ecgphoton.study.sheet",
    "solve": "ecgphoton.study.curves",
    "surrogate": "ecgphoton.study.curves",
    "sweep": "ecgphoton.study.curves",
    "trace": "ecgphoton.study.causes",
}
"""Studies and the modules they live in."""

sys.modules[__name__].__class__ = Lazy
