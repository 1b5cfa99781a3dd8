"""What light meets on its way through a block."""

import pytest

from ecgphoton.mesh.device import Device
from ecgphoton.mesh.paths import Losses, dummies, paths


@pytest.mark.parametrize(
    ("kind", "columns", "blanks"),
    [("svd-clements", 9, 8), ("svd-reck", 11, 16), ("real-part", 4, 4)],
)
def test_all_paths_have_as_many_parts(kind, columns, blanks) -> None:
    """One MZI or dummy a column, one output phase shifter, no crossing, so one loss for all."""
    device = Device(kind)
    found = paths(device)
    ends = [(path.source, path.target) for path in found]
    assert ends == [(i, j) for i in range(4) for j in range(4)]
    assert {(path.mzis, path.shifters, path.crossings) for path in found} == {(columns, 1, 0)}
    assert device.columns == columns
    assert len(dummies(device)) == blanks
    losses = Losses(mzi=0.25, shifter=0.1, crossing=7.0)
    assert {path.loss_db(losses) for path in found} == {columns * 0.25 + 0.1}
    assert all(0 < path.fewest <= path.most <= path.mzis for path in found)


def test_mzis_of_a_path_are_those_of_its_routes() -> None:
    """Along the edge of a rectangle light meets every second column; zigzag routes meet more."""
    edge = next(path for path in paths(Device()) if (path.source, path.target) == (0, 0))
    assert (edge.fewest, edge.most) == (2 + 1 + 2, 9 - 1)
