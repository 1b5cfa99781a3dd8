"""The command line: all commands, none of which imports anything heavy before it runs."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ecgphoton.commands import _derive, data, demo, hardware, listing, records, study, train
from ecgphoton.commands._options import Suggesting
from ecgphoton.errors import InputError, VerificationError
from ecgphoton.version import __version__

if TYPE_CHECKING:
    from types import FrameType

UNREAD = 141
"""Exit code where nobody reads the answer (``| head -1``): that of SIGPIPE, and of no verdict."""
STOPS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
"""Signals that end a command, and what is said then."""
if hasattr(signal, "SIGHUP"):
    STOPS[signal.SIGHUP] = "the terminal was closed"


class Program(Suggesting):
    """All commands, in the order of their use."""

    def main(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Run; a user's mistake is one line and exit code 2, a failed check exit code 1.

        Ctrl-C, a scheduler or a terminal that closes end a command with one line and the exit code
        that shells expect, 130, 143 or 129.
        """
        _occupy()
        for stream in (sys.stdout, sys.stderr):  # replace characters that the terminal cannot show
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        try:
            try:
                with _stopping():
                    _check_working_folder()
                    return super().main(*args, **kwargs)
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()
        except _Interrupted as stop:
            number = stop.args[0]
            _leave("stopped", f"{STOPS[number]}; no incomplete file was left", 128 + number)
        except InputError as error:
            _leave("error", error, 2)
        except VerificationError as error:
            _leave("failed", error, 1)
        except BrokenPipeError:
            _silence()
            sys.exit(UNREAD)
        except OSError as error:
            _silence()
            if error.filename is None:
                lost = error.errno == errno.ENOENT  # a folder, not the answer
                what = "a folder of the system is missing" if lost else "cannot write the answer"
                error = OSError(f"{what}: {error.strerror or error}")
            _leave("error", error, 2)
        except MemoryError:
            _leave("error", "there is not enough memory; take fewer beats or chips at a time", 2)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401
        """Run a command; click takes an answer that nobody reads for a failure."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            _silence()
            sys.exit(UNREAD)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse what is no path: empty, it would be the working folder; NUL ends a name."""
        before = ctx.command_path
        for word in args:
            option, equals, value = word.partition("=")
            if not word or (word.startswith("--") and equals and not value):
                where = option or f"the argument after {before!r}"
                raise InputError(f"{where} is empty; give a value, or leave it out")
            if "\0" in word:
                raise InputError(f"{word!r} holds a NUL byte, which no text or path may")
            before = word
        return super().parse_args(ctx, args)


class _Interrupted(BaseException):
    """Raised by a signal, since click ends on a KeyboardInterrupt with another exit code."""


@contextlib.contextmanager
def _stopping() -> Iterator[None]:
    """Let signals end a command; afterwards they do what the program around wants of them.

    Where one has ended it they stay as they are: a second one says nothing more.
    """
    before: dict[signal.Signals, Any] = {}
    try:
        if threading.current_thread() is threading.main_thread():
            for number in STOPS:
                ignored = signal.getsignal(number) is signal.SIG_IGN  # as nohup wants it
                if number == signal.SIGINT or not ignored:
                    before[number] = signal.signal(number, _stop)
        yield
    except _Interrupted:
        before.clear()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def _stop(number: int, frame: FrameType | None) -> None:
    """End the command, but not during an import: some libraries suppress the exception."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib") and hasattr(signal, "SIGALRM"):
            signal.signal(signal.SIGALRM, lambda _, later: _stop(number, later))
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            return
        frame = frame.f_back
    raise _Interrupted(number)


def _check_working_folder() -> None:
    """Refuse to work in a folder that was removed: torch ends without it, and writes no reason."""
    try:
        Path.cwd()
    except OSError as error:
        raise InputError("the working folder is not there any more; change to another") from error


def _occupy() -> None:
    """Open closed standard streams, whose numbers the next files would get.

    What a library writes to its standard error would then end in a result.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _silence() -> None:
    """Discard further output after standard output has failed."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(kind: str, error: object, code: int) -> NoReturn:
    line = " ".join(str(error).split())
    with contextlib.suppress(OSError):  # nobody reads it; the exit code says the same
        click.echo(f"ecgphoton: {kind}: {line}", err=True)
    sys.exit(code)


@click.group(
    cls=Program,
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "ECGPHOTON"},
)
@click.version_option(__version__, prog_name="ecgphoton", allow_from_autoenv=False)
def main() -> None:
    """Take a heartbeat classifier from training to photonic hardware, with a verdict.

    The three main commands:

    \b
        ecgphoton train
        ecgphoton export --mesh
        ecgphoton simulate --noise 0.02

    Not a medical device.
    """  # noqa: D301 - click reads the backspace as "do not rewrap"


for _name, _command in {
    "train": train.train,
    "evaluate": train.evaluate,
    "export": hardware.export,
    "verify": hardware.verify,
    "simulate": hardware.simulate,
    "study": study.command,
    "calibrate": hardware.calibrate,
    "budget": hardware.budget,
    "distill": train.distill,
    "runs": listing.runs,
    "models": listing.models,
    "recipes": listing.recipes,
    "report": listing.report,
    "annotate": records.annotate,
    "score": records.score,
    "data": data.command,
    "demo": demo.command,
}.items():
    main.add_command(_command, _name)
_derive.described(main)


if __name__ == "__main__":
    main()
