"""``ecgphoton demo``."""

import contextlib
import io
import time
from pathlib import Path
from typing import Any

import click

from ecgphoton.commands import _options as opt, _shared as shared
from ecgphoton.intake import parse_json
from ecgphoton.recipes import FLAGSHIP
from ecgphoton.settings import Setting

SYNTHETIC_STEPS = ("training.epochs=30",)


@click.command(cls=opt.Moved)
@click.option(
    "--out",
    type=opt.path_type,
    default=None,
    help="Folder to write to; by default demo/, or the next that is free.",
)
@click.option(
    "--chips",
    type=opt.Number(int),
    default=200,
    show_default=True,
    help="How many chips are simulated.",
)
@click.option(
    "--recipe", default=FLAGSHIP, show_default=True, help="Shipped recipe by name, or a TOML file."
)
@click.option(
    "--seed",
    type=opt.Number(int, Setting(0, "", low=0).read),
    default=0,
    show_default=True,
    help="Seed of the training and of the chips.",
)
@click.option(
    "--data",
    default=None,
    metavar="NAME|FOLDER",
    help="Where the beats come from: mitdb, svdb, synthetic, or a folder or dataset file of your "
    "own.",
)
@click.option("--data-dir", type=opt.path_type, default=None, help="Folder of the database.")
@opt.threads_option
@opt.json_option
@click.pass_context
def command(
    ctx: click.Context,
    out: Path | None,
    chips: int,
    recipe: str,
    seed: int,
    data: str | None,
    data_dir: Path | None,
    as_json: bool,
) -> None:
    """Run train, export, verify, simulate, calibrate and report.

    Real beats are used where the database is found; otherwise synthetic ones, and every result
    says so.
    """
    from ecgphoton.ecg import database
    from ecgphoton.hwsim.montecarlo import check_chips
    from ecgphoton.run.claim import vacant

    check_chips(chips)
    there = database.named(data_dir) or database.locate(data_dir) is not None
    source = data or ("mitdb" if there else "synthetic")
    folder = vacant(out, Path("demo"))
    run, bundle = folder / "run", folder / "bundle"
    place = ["--data-dir", str(data_dir)] if data_dir is not None else []
    quick = [f"--set={value}" for value in SYNTHETIC_STEPS] if source == "synthetic" else []
    beats = ["--data", source, *place]
    steps = [
        ["train", "--recipe", recipe, "--seed", str(seed), *quick, *beats, "--out", str(run)],
        ["export", str(run), "--mesh", *beats, "--out", str(bundle)],
        ["verify", str(bundle), *beats],
        ["simulate", str(run), "--noise", "0.02", "--chips", str(chips), *beats,
         "--out", str(folder / "simulation")],
        ["calibrate", str(bundle), "--chips", "20", *beats, "--out", str(folder / "calibration")],
        ["report", str(run), "--also", str(folder / "simulation"),
         "--also", str(folder / "calibration"), "--also", str(bundle),
         "--out", str(folder / "report.html")],
    ]  # fmt: skip
    began, done = time.perf_counter(), list[dict[str, Any]]()
    try:
        for step in steps:
            if as_json:
                with contextlib.redirect_stdout(io.StringIO()) as said:
                    failed = _run(ctx, [*step, "--json"])
                found = parse_json(said.getvalue())
                done.append({"command": step, "exit_code": failed, "result": found})
                continue
            click.secho(f"\n$ ecgphoton {' '.join(step)}", bold=True)
            failed = _run(ctx, step)
            if failed:
                click.echo(f"(exit code {failed}: the verdict above)")
    finally:
        with contextlib.suppress(OSError):
            folder.rmdir()  # only if nothing was written
    if as_json:
        seconds = time.perf_counter() - began
        shared.emit({"folder": str(folder), "source": source, "seconds": seconds, "steps": done})
        return
    click.echo(
        f"\ndone in {time.perf_counter() - began:.0f} s; everything is in {folder}; open "
        f"{folder / 'report.html'} in a browser, docs/tutorial.md explains each step"
    )
    if source == "synthetic":
        click.echo(f"these were synthetic beats; `{shared.FETCH}` brings the real ones")


def _run(ctx: click.Context, step: list[str]) -> int:
    """Run a command in this process; a verdict of "no" (exit 1) does not end the demo."""
    try:
        ctx.find_root().command.main(step, standalone_mode=False)
    except SystemExit as stopped:
        if stopped.code not in (0, 1):
            raise
        return int(stopped.code)
    return 0
