"""Random streams that depend on what is drawn, not on how the work is divided.

Chip ``k`` of seed ``s`` is drawn from Philox with key ``(s, k)`` (a counter-based generator,
Salmon et al. 2011, doi:10.1145/2063384.2063405), so it is the same chip in a batch of one, in a
batch of a thousand and on any worker. Every effect of fabrication has a part of that stream for
itself, found by a hash of its name: another effect in the list changes no other. What changes
between two shots is drawn for one chip and one block of `BEATS` consecutive beats from a generator
seeded by ``(s, k, block)``.
"""

from hashlib import blake2b

import numpy as np
import torch

from ecgphoton.arguments import check_seed
from ecgphoton.errors import InputError

BEATS = 256
"""Beats of one block: the unit of per-shot noise and of cache-sized work."""
CHIPS = 1 << 20
"""Largest chip number plus one."""
_BLOCKS = 1 << 12  # shot streams of one chip, so 2^20 beats at 256 a block


def chip_rng(seed: int, chip: int, effect: str = "") -> np.random.Generator:
    """Return the stream from which one effect on chip number `chip` is drawn.

    Without a name it is that of the weights level. The hash is the highest of the four words of
    Philox's counter, so streams are 2^192 numbers apart.
    """
    if not 0 <= chip < CHIPS:
        raise InputError(f"chip number {chip} is not in [0, {CHIPS})")
    word = int.from_bytes(blake2b(effect.encode(), digest_size=8).digest(), "big") if effect else 0
    counter = np.array([0, 0, 0, word], np.uint64)
    return np.random.Generator(np.random.Philox(key=[check_seed(seed), chip], counter=counter))


def shot_generator(seed: int, chip: int, block: int) -> torch.Generator:
    """Return the stream of the per-shot noise of one chip on one block of beats.

    torch's CPU generator reads 32 bits of a seed; chips below 2^20 with 2^12 blocks each are
    given distinct ones by counting from a hash of the user's seed (they wrap around for more than
    2^20 chip-blocks apart, which only makes two far-away noise samples equal).
    """
    mixed = (check_seed(seed) + 0x9E3779B97F4A7C15) & (1 << 64) - 1
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & (1 << 64) - 1
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & (1 << 64) - 1
    start = (mixed ^ mixed >> 31) + chip * _BLOCKS + block
    return torch.Generator().manual_seed(start & (1 << 32) - 1)
