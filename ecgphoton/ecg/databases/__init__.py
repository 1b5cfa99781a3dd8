"""Published databases, one module each, which defines the value ``DATASET``.

A further database is a further module here, or `DATASETS.add` in another package.
"""

import importlib
import pkgutil
from pathlib import Path

from ecgphoton.ecg.dataset import Dataset
from ecgphoton.errors import InputError
from ecgphoton.registry import Registry, elsewhere
from ecgphoton.settings import nearest

DATASETS: Registry[Dataset] = Registry(
    "dataset",
    *(
        importlib.import_module(f"{__name__}.{module.name}").DATASET
        for module in pkgutil.iter_modules(__path__)
    ),
    reserved=("synthetic", "auto"),
)
"""Published databases by name."""
MITDB = DATASETS["mitdb"]
"""The database that the shipped students were trained on."""


def dataset_of(data: str | Path | Dataset) -> Dataset:
    """Return a dataset by name, from a folder or from a dataset file, or the value itself.

    Raises
    ------
    InputError
        If there is no such dataset, folder or file.
    """
    if isinstance(data, Dataset):
        return data
    if isinstance(data, str) and data in DATASETS:
        return DATASETS[data]
    path = Path(data)
    if path.is_dir():
        return Dataset.from_folder(path)
    if path.suffix == ".toml":
        return Dataset.from_file(path)
    if path.name != str(data) or path.exists():
        raise InputError(f"{data} is not a folder; give a folder of recordings, or a FILE.toml")
    near = nearest(str(data), (*DATASETS, "synthetic"))
    raise InputError(
        f"there is no dataset or folder {str(data)!r} ({near}); give a known name, or the "
        f"path of a folder of recordings or of a dataset file{elsewhere()}"
    )
