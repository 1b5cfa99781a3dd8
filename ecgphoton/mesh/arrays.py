"""Names of the kinds of arrays, for annotations."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike as ArrayLike, NDArray

Array: TypeAlias = Any
"""A numpy array or a torch tensor."""
AnyArray: TypeAlias = NDArray[Any]
"""A numpy array of any type."""
Floats: TypeAlias = NDArray[np.float64]
Singles: TypeAlias = NDArray[np.float32]
Complexes: TypeAlias = NDArray[np.complex128]
Integers: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
