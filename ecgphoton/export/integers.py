"""The arithmetic of codes for `ecgphoton.student.propagate.walk`.

What comes in are DAC codes, what goes out are sums of table entries::

    x codes --> [ n_b w codes ] --> + offset --> x multiplier, round --> table --> sum, round --> x
                exact integers                   detector code           input code of the next

Sums of code products are exact integers; each detector code and each re-coded token is one IEEE
double product rounded half to even.
"""

from dataclasses import dataclass

from torch import Tensor

from ecgphoton.program.blocks import TABLE_BITS, largest_code
from ecgphoton.student.architecture import WIDTH, Branch
from ecgphoton.student.propagate import Block, unfold


@dataclass(frozen=True, eq=False)
class IntegerDetector:
    """The arithmetic of codes; values are integers in double precision, exact below 2^53.

    A `Block` holds the accumulator: weights ``n_b w``, biases ``offset``, gain ``multiplier``.
    """

    tables: tuple[Tensor, ...]
    """(2 n_a + 1,) activation of every detector code, for each block."""
    input_bits: int

    def codes(self, block: Block, x: Tensor) -> Tensor:
        """Detector codes (1, 4, N) of input codes (1, 4, N): exact integers, one rounding."""
        limit = len(self.tables[block.index]) // 2
        total = (block.weight @ x).add_(block.bias[..., None]).mul_(block.gain[..., None])
        return total.round_().clamp_(-limit, limit)

    def windows(self, block: Block, segment: Tensor, branch: Branch) -> Tensor:
        """Detector codes (1, 4, B, tokens, kernel) of the positions of a branch."""
        codes = self.codes(block, unfold(segment, branch.positions).view(1, WIDTH, -1))
        return codes.view(1, WIDTH, len(segment), branch.tokens, branch.kernel)

    def table(self, block: Block, codes: Tensor) -> Tensor:
        """Activations of detector codes, full scale 32767."""
        table = self.tables[block.index]
        return table[codes.long().add_(len(table) // 2)]

    def recode(self, total: Tensor, kernel: int) -> Tensor:
        """Input codes of the next block from sums of `kernel` activations: one rounding."""
        factor = largest_code(self.input_bits) / (kernel * largest_code(TABLE_BITS))
        return (total * factor).round_()

    def pooled(self, block: Block, segment: Tensor, branch: Branch) -> Tensor:
        """See `ecgphoton.student.propagate.Detector.pooled`."""
        total = self.table(block, self.windows(block, segment, branch)).sum(-1)
        return self.recode(total, branch.kernel)

    def layer(self, block: Block, x: Tensor) -> Tensor:
        """See `ecgphoton.student.propagate.Detector.layer`; the last block is not re-coded."""
        value = self.table(block, self.codes(block, x))
        return value if block.index == len(self.tables) - 1 else self.recode(value, 1)
