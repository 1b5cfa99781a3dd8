"""The command line answers fast, and answers people."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import ecgphoton
from ecgphoton.cli import STOPS, main
from ecgphoton.commands._options import Number


@pytest.mark.parametrize("word", ["--help", "models", "recipes", "runs"])
def test_quick_answers_import_nothing_heavy(word: str) -> None:
    """Help and listings load neither torch, onnx, matplotlib, scipy nor wfdb; help not even numpy.

    The first of them alone takes a second.
    """
    heavy = {"torch", "onnx", "onnxruntime", "matplotlib", "scipy", "wfdb"}
    heavy |= {"numpy"} if word == "--help" else set()
    code = (
        f"import sys; from ecgphoton.cli import main; main([{word!r}], standalone_mode=False);"
        f"sys.exit(str({heavy} & set(sys.modules)) if {heavy} & set(sys.modules) else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ("simulate" in done.stdout) == (word == "--help")


def test_the_package_is_its_command() -> None:
    """``python -m ecgphoton`` is ``ecgphoton``, and calls itself so."""
    call = [sys.executable, "-m", "ecgphoton", "train", "--no-such-option"]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("ecgphoton: error: ecgphoton train has no option")


def test_help_needs_no_docstrings() -> None:
    """With ``-OO``, which strips docstrings, every command explains itself as it does without."""
    code = (
        "from inspect import cleandoc\n"
        "from ecgphoton.cli import main\n"
        "groups = [one for one in main.commands.values() if 'commands' in vars(one)]\n"
        "for group in (main, *groups):\n"
        "    for one in (group, *group.commands.values()):\n"
        "        print(cleandoc(one.help))"
    )
    said = [
        subprocess.run([sys.executable, *flag, "-c", code], capture_output=True, check=True).stdout
        for flag in ((), ("-OO",))
    ]
    assert said[0] == said[1]


@pytest.mark.parametrize("call", [[], ["study"], ["data"]])
def test_no_listed_command_is_explained_by_half_a_sentence(call: list[str]) -> None:
    """On a terminal of 80 columns the first sentence of every command fits into its line."""
    said = CliRunner().invoke(main, [*call, "--help"]).output
    assert "..." not in said.partition("Commands:")[2]


@pytest.mark.parametrize("name", main.commands)
def test_every_command_has_help(name: str) -> None:
    """Every listed command exists and explains itself."""
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "--recipe", "nowhere"], "there is no recipe"),
        (["train", "--set", "training.epochz=3"], "did you mean training.epochs"),
        (["train", "--set", "training.epochs=many"], "must be a whole number"),
        (["train", "--set", "data.centring=left"], "must be one of 'annotation', 'qrs'"),
        (["train", "--set", "student.layers=1"], "from 2 to 16"),
        (["train", "--protocol", "nobody", "--data", "synthetic"], "nobody"),
        (["evaluate", "nowhere"], "there is no run or bundle at nowhere"),
        (["train", "--seed", "-1"], "seed is -1"),
        (["train", "--resume", "nowhere"], "nowhere holds no unfinished run; give the folder"),
        (["train", "--recipe", "."], ". is a folder; give the path of a file"),
        (["train", "--data", "mitdb", "--data-dir", "nowhere"], "there is no folder nowhere;"),
        (
            ["verify", "reference-8", "--no-beats", "--data", "synthetic"],
            "synthetic would not be read",
        ),
        (["export", "reference-8", "--format", "pdf"], "format is 'pdf'; it must be one of 'sax'"),
        (["simulate", "--limit", "miss", "5"], "from 0 to 1; 5 % is 0.05"),
        (["simulate", "--profile", "ideal", "--set", "x.y=1"], "(allowed: link.*, dac.*, "),
        (["simulate", "--profile", "ideal", "--set", "dac.y=1"], "(did you mean dac.bits or "),
        (
            ["simulate", "--profile", "ideal", "--set", "die.zzzzzz=1"],
            "(did you mean die.width, die.length or die.thickness?)",
        ),
        (["study", "sweep", "--over", "noise=0.01,0.01"], "has a value twice"),
    ],
)
def test_mistakes_are_one_line_and_exit_2(
    arguments: list[str], said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A user's mistake gives one clear line, exit code 2 and no traceback."""
    monkeypatch.chdir(tmp_path)
    assert said in refused(arguments)


@pytest.mark.parametrize(
    "call", [["train", "--recipe", "reference-8", "--data", "mitdb"], ["export", "reference-8"]]
)
def test_a_taken_folder_is_refused_before_beats_are_read(
    call: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file is called one, a folder full, and --force offered only where it helps."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ecgphoton.ecg.database.find", lambda *_: pytest.fail("beats are read"))
    (tmp_path / "notes").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").write_text("x")
    assert "is a file" in refused([*call, "--out", "notes"])
    assert "--force" not in refused([*call, "--out", "full"])
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["full", "notes", "notes"]


def refused(arguments: list[str]) -> str:
    """Call the command line, which refuses, and return the line it says."""
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    said = [line for line in result.output.splitlines() if not line.startswith("SYNTHETIC")]
    assert len(said) == 1, said
    return said[0]


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command below a group with the words that call it."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


COMMANDS = dict(commands(main))
SETTABLE = [path for path, one in COMMANDS.items() if any("--set" in p.opts for p in one.params)]
SET = {
    "receiver.kind": "which gives receiver.kind no value; write receiver.kind=VALUE with one of ",
    "receiver.kind=": "which gives receiver.kind no value; write receiver.kind=VALUE with one of ",
    "splitter.sigma": "write splitter.sigma=VALUE with a number from 0 to ",
    "splitter.sigma=much": "splitter.sigma is 'much'; it must be a number from 0 to ",
    "splitter.sigma=-1": "splitter.sigma is -1.0; it must be a number from 0 to ",
    "splitter.sigme": "a profile has no 'splitter.sigme' (did you mean splitter.sigma?); ",
    "receiver=hybrid": "a profile has no 'receiver' (",
    "receiver.kind=balenced": "there is no receiver 'balenced' (did you mean balanced?); ",
    "=3": "--set is '=3', which names no setting; write section.key=value",
    "3": "a profile has no '3' (allowed: ",
}
TRAIN_SET = {
    "training.epochs": "write training.epochs=VALUE with a whole number, from 1 to ",
    "data.centring": "write data.centring=VALUE with one of 'annotation', 'qrs'",
    "data.source=": "--set is 'data.source=', which gives data.source no value; write data.source=",
    "training.epoch": "unknown key 'training.epoch'; did you mean training.epochs?",
    "name": "--set is 'name', which gives name no value; write name=VALUE with a text",
    "=3": "--set is '=3', which names no setting; write section.key=value",
    "training=3": "training is 3; it must be a table [training]",
}


@pytest.mark.parametrize("path", SETTABLE, ids=" ".join)
def test_set_says_what_is_wrong_and_what_is_allowed(
    path: tuple[str, ...], wfdb_folder: Path
) -> None:
    """Every command with ``--set``: no value, no key, an unknown key, a value not allowed."""
    trained = path[0] in ("train", "distill")
    required = ["--over=noise=0:1:2"] if "sweep" in path or "surrogate" in path else []
    required += ["--key=noise"] if "solve" in path else []
    required += [str(wfdb_folder / "s01"), "--run", "inter-patient"] if "annotate" in path else []
    profile = [] if trained else ["--profile", "foundry-thermo-optic"]
    for text, said in (TRAIN_SET if trained else SET).items():
        assert said in refused([*path, *required, *profile, "--set", text]), (text, said)


def test_a_profile_is_asked_for_where_set_is_whole() -> None:
    """Without a profile, a setting without a value is refused for that first."""
    assert "gives receiver.kind no value" in refused(["simulate", "--set", "receiver.kind"])
    assert "name a profile" in refused(["simulate", "--set", "receiver.kind=balanced"])


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_share_in_per_cent_is_offered_as_a_number(path: tuple[str, ...]) -> None:
    """Every option that takes a number, by its own name; whole numbers are no shares."""
    for one in COMMANDS[path].params:
        kind = one.type.types[-1] if isinstance(one.type, click.Tuple) else one.type
        if isinstance(one, click.Option) and isinstance(kind, Number):
            needed = {"sweep": ["--over", "noise=0:1:2"], "solve": ["--key", "noise"]}
            others = needed.get(path[-1], []) if one.nargs > 1 else []
            said = refused([*path, one.opts[0], *["miss"] * (one.nargs - 1), "2%", *others])
            beside = " miss" * (one.nargs - 1)
            assert f"{'/'.join(one.opts)}{beside} is '2%'; it must be a " in said
            assert said.endswith("2 % is 0.02") == (kind.kind is float)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            ["simulate", "--data", "synthetic", "--noise", "2"],
            "--noise is 2.0; it must be from 0 to 1; 2 % is 0.02",
        ),
        (["simulate", "--limit", "miss", "10"], "--limit miss is 10.0; it must be from 0 to 1"),
        (["train", "--strength", "50"], "--strength is 50.0; it must be from 0 to 10"),
        (["train", "--set", "strategies.strength=50"], "strategies.strength is 50"),
        (["export", "reference-8", "--format", "pdf"], "--format is 'pdf'; it must be one of"),
        (["simulate", "--readout", "both"], "--readout is 'both'; it must be one of 'analog', "),
        (["study", "surrogate", "--order", "3"], "--order is '3'; it must be one of 1, 2"),
        (["simulate", "--threads", "0"], "--threads is 0; it must be from 1 to 64"),
        (["demo", "--chips", "0"], "--chips is 0; it must be from 1 to"),
    ],
)
def test_a_value_is_refused_by_the_name_that_was_typed(call: list[str], said: str) -> None:
    """Not by that of a parameter of Python, nor by that of a setting."""
    assert f"error: {said}" in refused(call)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_an_empty_argument_is_refused(
    path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Every argument and option of every command: an empty path is not the working folder."""
    monkeypatch.chdir(tmp_path)
    for one in COMMANDS[path].params:
        if isinstance(one, click.Argument):
            assert " is empty; give a value" in refused([*path, ""])
        elif not getattr(one, "is_flag", False):
            assert f"after '{one.opts[0]}' is empty" in refused([*path, one.opts[0], ""])
            if one.opts[0].startswith("--"):
                assert refused([*path, f"{one.opts[0]}="]).endswith("or leave it out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_a_default_is_said_once(path: tuple[str, ...]) -> None:
    """The help of an option states its default in its words or in brackets, not in both."""
    for one in COMMANDS[path].params:
        if isinstance(one, click.Option) and one.show_default:
            assert "by default" not in str(one.help), one.opts


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_signals_of_the_program_around_stay() -> None:
    """A command that ended, well or not, leaves Ctrl-C, SIGTERM and SIGHUP as they were."""
    before = [signal.getsignal(number) for number in STOPS]
    for words in (["recipes"], ["models", "nobody"]):
        CliRunner().invoke(main, words)
        assert [signal.getsignal(number) for number in STOPS] == before


@pytest.mark.slow
def test_no_file_gets_the_number_of_a_closed_stream() -> None:
    """What a library writes to a standard error that is closed does not end in a result."""
    code = (
        "import os; from ecgphoton.cli import main\n"
        "main(['recipes'], standalone_mode=False)\n"
        "assert all(os.readlink(f'/proc/self/fd/{n}') == os.devnull for n in range(3))"
    )
    closed = 'exec "$0" -c "$1" <&- >&- 2>&-'
    assert subprocess.run(["sh", "-c", closed, sys.executable, code], check=False).returncode == 0


def test_a_working_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    """One line and exit code 2."""
    line = 'cd "$1" && rmdir "$1" && exec "$0" -m ecgphoton models'
    done = subprocess.run(
        ["sh", "-c", line, sys.executable, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(ecgphoton.__file__).parents[1])},
    )
    assert done.returncode == 2
    assert done.stderr.startswith("ecgphoton: error: the working folder is not there any more")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_error_that_nobody_can_read_keeps_its_exit_code() -> None:
    """A standard error that is full, as a log on a full disk, does not turn 2 into 1."""
    line = 'exec "$0" -m ecgphoton models nobody 2> /dev/full'
    assert subprocess.run(["sh", "-c", line, sys.executable], check=False).returncode == 2
