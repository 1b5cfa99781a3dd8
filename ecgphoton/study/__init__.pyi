from ecgphoton.study.causes import (
    adversary as adversary,
    blame as blame,
    certify as certify,
    trace as trace,
)
from ecgphoton.study.curves import (
    sheet as sheet,
    solve as solve,
    surrogate as surrogate,
    sweep as sweep,
)
from ecgphoton.study.upkeep import bits as bits, drift as drift
