"""What every process of the tests needs; the fixtures are in `support/shared.py`.

Property tests repeat themselves and know no deadline, so that a busy machine does not fail them.
``ECGPHOTON_EXAMPLES=1000`` tries that many values instead of 50.
"""

from __future__ import annotations

import gc
import os

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")  # compiles sooner for SAX


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Load fixtures, and with them torch, where tests run: not where they are only handed out.

    Coverage is measured in every process by then; what is imported before it counts as not run.
    """
    config = session.config
    if config.getoption("numprocesses", None):
        return
    from hypothesis import settings

    examples = int(os.environ.get("ECGPHOTON_EXAMPLES", "50"))
    settings.register_profile("steady", deadline=None, derandomize=True, max_examples=examples)
    settings.load_profile("steady")
    config.pluginmanager.import_plugin("shared")
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that need SAX, so that one process alone imports it, which takes 4 s."""
    items.sort(key=lambda item: item.get_closest_marker("sax") is None)


def pytest_collection_finish() -> None:
    """Look for garbage only among what tests make: the half million objects of imports stay."""
    gc.freeze()
    gc.enable()
