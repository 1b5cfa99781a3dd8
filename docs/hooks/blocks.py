"""Code blocks of a page, and how to run them.

Every block stands below a comment that says what a test does with it:

``<!-- run -->``          run it, in a folder that all blocks of a page share
``<!-- run mitdb -->``    run it where the MIT-BIH database is
``<!-- check: why -->``   read it and check names and options only, for the reason given
``<!-- file: NAME -->``   write it to a file, for the blocks below
``<!-- output -->``       what the block above prints; digits may differ
``<!-- shown: why -->``   not for typing
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^( *)(```+|~~~+) *([\w-]*)")
TAG = re.compile(r"^<!-- (run mitdb|run|check|file|output|shown)(?:: (.+?))? -->$")
NEEDS_WORDS = ("check", "file", "shown")
MATH = "math"


@dataclass(frozen=True)
class Block:
    """A code block of a page."""

    line: int
    """Line of its first line of text, from 1."""
    language: str
    """What follows the fence; empty for indented blocks."""
    text: str
    tag: str
    """Empty where there is none."""
    words: str = ""
    """What follows the tag's colon."""


def blocks_of(page: str) -> list[Block]:
    """Fenced and indented code blocks of a Markdown text, formulas left out."""
    lines = page.splitlines()
    found, at, above, blank = [], 0, "", True
    while at < len(lines):
        line = lines[at]
        fence = FENCE.match(line)
        indented = blank and line.startswith("    ")
        if fence or indented:
            if fence:
                indent, mark, language = fence.groups()
                end = next(
                    (n for n in range(at + 1, len(lines)) if lines[n].strip() == mark), len(lines)
                )
                body, first, after = lines[at + 1 : end], at + 2, end + 1
                body = [text.removeprefix(indent) for text in body]
            else:
                end = at
                while end < len(lines) and (lines[end].startswith("    ") or not lines[end]):
                    end += 1
                body, first, after = [text[4:] for text in lines[at:end]], at + 1, end
                language = ""
            if language != MATH:
                tag = TAG.match(above)
                kind, words = (tag[1], tag[2] or "") if tag else ("", "")
                found.append(Block(first, language, "\n".join(body).strip("\n"), kind, words))
            at, above, blank = after, "", True
            continue
        blank = not line.strip() or bool(TAG.match(line))
        above = line.strip() or above
        at += 1
    return found


def problem(block: Block) -> str:
    """Return what is wrong with a block's tag, empty when nothing is."""
    if not block.tag:
        return "has no tag; see docs/hooks/blocks.py for <!-- run --> and the others"
    if block.tag in NEEDS_WORDS and not block.words:
        return f"<!-- {block.tag}: ... --> needs words"
    if block.tag.startswith("run") and block.language not in ("bash", "python", ""):
        return f"cannot run {block.language}"
    return ""


def command_lines(text: str) -> Iterator[tuple[str, str]]:
    """Commands of a shell block with their trailing comments.

    ``# exit 0 or 1: the verdict`` says which exit codes a command may have; otherwise it is 0.
    """
    for line in text.replace("\\\n", " ").splitlines():
        command, _, comment = line.partition("  # ")
        if command.strip() and not command.lstrip().startswith("#"):
            yield " ".join(command.split()), comment.strip()


class BlockError(Exception):
    """A block did not do what the page says."""


@dataclass
class Session:
    """A page being followed: one folder, one Python namespace, one environment."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    printed: str = ""
    """What the last block run has printed."""

    def follow(self, block: Block) -> None:
        """Do what a block's tag says.

        Raises
        ------
        BlockError
            If a command fails, or prints something else than the page shows.
        """
        if block.tag.startswith("run"):
            self.printed = self.run(block)
        elif block.tag == "file":
            path = self.folder / block.words
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text + "\n", encoding="utf-8")
        elif block.tag == "output":
            known = {shape(line) for line in self.printed.splitlines()}
            for line in block.text.splitlines():
                if shape(line) not in ("", "…") and shape(line) not in known:
                    raise BlockError(f"nothing printed looks like {line!r}; it was\n{self.printed}")

    def run(self, block: Block) -> str:
        """Run a block in the page's folder and return what it prints."""
        from click.testing import CliRunner

        runner = CliRunner()
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            if block.language == "python":
                return self._python(block)
            said = []
            for command, comment in command_lines(block.text):
                allowed = re.findall(r"\d", comment) if comment.startswith("exit ") else ["0"]
                code, output = self._shell(command, runner)
                if str(code) not in allowed:
                    raise BlockError(f"`{command}` ended with {code}:\n{output}")
                said.append(output)
            return "\n".join(said)
        finally:
            os.chdir(before)

    def _python(self, block: Block) -> str:
        import contextlib
        import io

        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block.text, f"block of line {block.line}", "exec"), self.names)
        return printed.getvalue()

    def _shell(self, command: str, runner: Any) -> tuple[int, str]:
        """Run one line: our own commands in this process, others in a shell."""
        export = re.fullmatch(r"export (\w+)=(.*)", command)
        if export:
            self.environment[export[1]] = shlex.split(export[2])[0]
            return 0, ""
        if not command.startswith("ecgphoton "):
            return self._foreign(command)
        from ecgphoton.cli import main

        command, _, target = command.partition(" > ")
        result = runner.invoke(main, shlex.split(command)[1:], env=self.environment)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        if target:
            (self.folder / target.strip()).write_text(result.stdout, encoding="utf-8")
        return result.exit_code, result.output

    def _foreign(self, command: str) -> tuple[int, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        done = subprocess.run(
            ["bash", "-c", command],
            env={**os.environ, **self.environment, "PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


def shape(line: str) -> str:
    """Return a line without what differs from run to run: numbers, hashes, verdict, rules."""
    line = re.sub(r"(PASS|FAIL)( \(.*\))?", "VERDICT", line)
    line = re.sub(r"\b[0-9a-f]{12,64}\b", "#", line)
    line = re.sub(r"\d[\d.,]*(e[+-]?\d+)?", "#", line)
    return " ".join(re.sub(r"[─━│┃┏┓┗┛┡┩└┘┳┻╇┴┼╈┯┷├┤-]", " ", line).split())
