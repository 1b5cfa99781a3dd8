"""What decides a result: the call, the student, the beats, the profile and the versions."""

import inspect
import platform
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from ecgphoton.ecg.beats import BeatSet
from ecgphoton.hwsim.meshchips import program_of
from ecgphoton.hwsim.profile import Profile
from ecgphoton.runs import TrainedStudent
from ecgphoton.version import __version__

PACKAGES = ("numpy", "scipy", "torch", "onnxruntime")
"""Packages whose versions may change the last bits of a result."""


def now() -> str:
    """Return date and time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that compute."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def taken_by(function: Callable[..., Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a call that another function takes by the same names."""
    names = set(inspect.signature(function).parameters) - {"progress"}
    return {name: value for name, value in asked.items() if name in names}


def call_of(function: Callable[..., Any], asked: Mapping[str, Any]) -> str:
    """Return a call as Python text, without what is at its default."""
    given = ", ".join(
        f"{name}={str(asked[name])!r}" if hasattr(asked[name], "__fspath__") else
        f"{name}={asked[name]!r}"
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "progress" and name in asked and asked[name] != parameter.default
    )  # fmt: skip
    return f"{function.__module__.rpartition('.')[0]}.{function.__name__}({given})"


def data_of(beats: BeatSet, name: str) -> dict[str, Any]:
    """Return what identifies a set of beats."""
    return {
        "source": beats.source,
        "set": name,
        "beats": len(beats),
        "abnormal_beats": int((beats.label > 0).sum()),
        "digest": beats.digest,
    }


def provenance(
    function: Callable[..., Any],
    asked: Mapping[str, Any],
    trained: TrainedStudent,
    profile: Profile | None,
    data: Mapping[str, Any],
) -> dict[str, Any]:
    """Return everything that decides a result, ready for JSON.

    Parameters
    ----------
    function, asked
        The public function that was called, and its arguments by name.
    trained
        The student it is about.
    profile
        Of the chips, with the settings of the call.
    data
        The beats it was computed on, as `data_of` describes them.
    """
    if profile is not None:
        profile = profile.on(program_of(trained.carried))
    return {
        "student": trained.digest,
        "model": str(trained.folder),
        "chosen": trained.chosen,
        "data": dict(data),
        "profile": None if profile is None else profile.to_dict(),
        "seed": asked.get("seed"),
        "call": call_of(function, asked),
        "date": now(),
        "version": __version__,
        "packages": versions(),
    }
