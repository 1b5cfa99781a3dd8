"""Names that another installed package adds, as its entry points declare them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from ecgphoton import registry
from ecgphoton.cli import main
from ecgphoton.ecg.databases import DATASETS, MITDB, dataset_of
from ecgphoton.errors import InputError
from ecgphoton.hwsim.effects import EFFECTS
from ecgphoton.student.activations import ACTIVATIONS, RELU

Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a package whose extension is a module with the given text."""

    def write(text: str) -> None:
        (tmp_path / "their_extension.py").write_text(text)
        about = tmp_path / "theirs-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
        entry = f"[{registry.GROUP}]\ntheirs = their_extension\n"
        (about / "entry_points.txt").write_text(entry)
        monkeypatch.syspath_prepend(str(tmp_path))
        registry.lost.cache_clear()

    monkeypatch.setattr("sys.modules", dict(__import__("sys").modules))
    monkeypatch.setattr(registry, "_MODULES", dict(registry._MODULES))
    monkeypatch.setattr(DATASETS, "_values", dict(DATASETS._values))
    yield write
    registry.lost.cache_clear()


def test_a_dataset_of_another_package_is_listed(install: Install) -> None:
    """Among those that come with the package, though nobody has named it."""
    install(
        "from ecgphoton.ecg.databases import DATASETS\n"
        "from ecgphoton.ecg.dataset import Dataset\n"
        'DATASETS.add(Dataset("theirs", records=("a", "b")))\n'
    )
    assert "theirs" in CliRunner().invoke(main, ["data", "status", "--json"]).output


def test_a_dataset_of_another_package_is_found_by_its_name(install: Install) -> None:
    """Nothing has to be imported first: the name alone loads the package."""
    install(
        "from ecgphoton.ecg.databases import DATASETS\n"
        "from ecgphoton.ecg.dataset import Dataset\n"
        'DATASETS.add(Dataset("theirs", records=("a", "b"), folder="/data"))\n'
    )
    assert dataset_of("theirs").records == ("a", "b")


def test_a_package_that_cannot_be_imported_is_named(install: Install) -> None:
    """The package, its module, and what went wrong are in one error."""
    install("import nowhere_at_all\n")
    with pytest.raises(InputError, match=r"their_extension of theirs cannot .*nowhere_at_all"):
        ACTIVATIONS["softer"]


@pytest.mark.parametrize(
    ("add", "why"),
    [
        (
            lambda: ACTIVATIONS.add("softsign"),
            "new activation is 'softsign'; it must be of type Act",
        ),
        (lambda: ACTIVATIONS.add(replace(RELU, name=3)), "activation 3: name is 3"),
        (lambda: ACTIVATIONS.add(replace(RELU, name="")), "activation '': name is empty"),
        (lambda: ACTIVATIONS.add(replace(RELU, name="x", onnx=3)), "'x': onnx is of type int"),
        (lambda: ACTIVATIONS.add(replace(RELU, name="x", fused=3)), "'x': fused is of type int"),
        (lambda: DATASETS.add(replace(MITDB, name="synthetic")), "dataset 'synthetic' exists"),
        (
            lambda: EFFECTS.add(replace(EFFECTS["phase.offset"], name="link.laser")),
            "'link.laser' exists",
        ),
        (lambda: DATASETS.add(replace(MITDB, name="x", megabytes="1")), "megabytes is '1'"),
    ],
)
def test_a_value_that_is_not_what_its_class_declares_is_not_added(
    add: Callable[[], object], why: str
) -> None:
    """It is refused where it is added, not in the middle of what computes with it."""
    with pytest.raises(InputError, match=why):
        add()


@pytest.mark.parametrize("ask", [ACTIVATIONS.__getitem__, EFFECTS.__getitem__])
def test_an_unknown_name_may_be_of_another_package(ask: Callable[[str], object]) -> None:
    """Whoever reads files of a colleague learns that a package may be missing here."""
    with pytest.raises(InputError, match=r"another package is known where .* is installed"):
        ask("theirs")
