from ecgphoton.study.causes import (
    adversary as adversary,
    blame as blame,
    certify as certify,
    trace as trace,
)
from ecgphoton.study.curves import solve as solve, surrogate as surrogate, sweep as sweep
from ecgphoton.study.sheet import sheet as sheet
from ecgphoton.study.upkeep import bits as bits, drift as drift
