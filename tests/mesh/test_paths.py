"""What light meets on its way through a block."""

import pytest

from ecgphoton.mesh.device import Device
from ecgphoton.mesh.paths import Losses, dummies, path_loss


@pytest.mark.parametrize(
    ("kind", "columns", "blanks"),
    [("svd-clements", 9, 8), ("svd-reck", 11, 16), ("real-part", 4, 4)],
)
def test_all_paths_have_as_many_parts(kind, columns, blanks) -> None:
    """One MZI or dummy a column and one output phase shifter, so one loss for all."""
    device = Device(kind)
    assert device.columns == columns
    assert path_loss(device, Losses(mzi=0.25, shifter=0.1)) == columns * 0.25 + 0.1
    blank = dummies(device)
    assert len(blank) == blanks
    for column in range(columns):
        here = [mzi for mzi in device.mzis if mzi.column == column]
        modes = [mode for mzi in here for mode in (mzi.mode, mzi.mode + len(mzi.drivers) - 1)]
        assert {*modes, *(mode for at, mode in blank if at == column)} == {0, 1, 2, 3}
