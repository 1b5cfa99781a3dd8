"""The command line in a process of its own, forked from a server that has imported everything."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

SERVER = multiprocessing.get_context("forkserver")
SERVER.set_forkserver_preload(
    [f"ecgphoton.run.{name}" for name in ("train", "calibrate", "simulate", "bundle")]
    + ["ecgphoton.cli", "ecgphoton.report.plots", "ecgphoton.export.bundle", "pandas"]
    + ["sklearn.metrics", "torch._dynamo", "matplotlib.figure", "matplotlib.backends.backend_agg"]
    + ["scipy.signal", "wfdb", "onnx", "jsonschema"]
)


def start(arguments: list[str], said: Path, *, largest: int | None = None) -> BaseProcess:
    """Start the command line; what it says on standard error goes to a file.

    The process leads a group of its own. `largest` bytes is what a file that it writes may have.
    """
    process = SERVER.Process(target=_main, args=(arguments, said, largest, dict(os.environ)))
    process.start()
    return process


def _main(
    arguments: list[str], said: Path, largest: int | None, environment: dict[str, str]
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.setsid()
    for stream, path in ((1, os.devnull), (2, said)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    if largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    from ecgphoton.cli import main

    sys.argv = ["ecgphoton", *arguments]
    main()
