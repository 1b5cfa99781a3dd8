"""Progress reports of long computations."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the stage, how much of it is done, and how much there is.

A stage is named by one word; a remark may follow after a comma: ``training, score 0.9871``.
"""

Steps = Callable[[int, int], None]
"""Called by a computation of one stage with how much is done, and how much there is."""


def silent(*_: object) -> None:
    """Report nothing, of a stage or of several."""
