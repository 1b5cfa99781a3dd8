"""``ecgphoton budget``: light, noise, power, time and energy of one beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ecgphoton.commands import _derive as derive, _shared as shared

if TYPE_CHECKING:
    from ecgphoton.hwsim.budget import Budget
    from ecgphoton.run.journey import Outcome


@derive.command("run.budget", {"settings": "--set"})
def budget(result: Outcome[Budget]) -> None:
    """Print the light path, the noise, the ways to drive a chip, and who wins."""
    from ecgphoton.hwsim.energy import prefixed

    found = result.report
    for name, stages in (
        ("signal", found.link.signal),
        ("local oscillator", found.link.oscillator),
    ):
        rows = [[one.name, f"{one.change_db:+.2f}", f"{one.dbm:+.2f}"] for one in stages]
        shared.table(f"{name}, one path at an input of 1", ["behind", "dB", "dBm"], rows)
    noise = ", ".join(f"{name} {value:.2g}" for name, value in found.link.noise.items())
    click.echo(f"receiver {found.profile.receiver}; noise of a reading, of full scale: {noise}")
    click.echo(
        f"SNR {found.link.snr_db:.1f} dB; light of extinguished modulators reads at most "
        f"{found.leak:.2g}"
    )
    if found.requirement is not None:
        click.echo(f"laser for one block: {result.numbers['laser_mw']:g} mW stated; "
                   f"{found.requirement.sentence}")  # fmt: skip
    names = list(found.plans[0].power)
    rows = [
        [
            plan.name,
            *(prefixed(plan.power[name], "W") for name in names),
            prefixed(plan.seconds, "s") + ("" if plan.in_time else ", too late"),
            prefixed(plan.joules, "J"),
        ]
        for plan in found.plans
    ]
    title = (
        f"mean power over a beat of {result.numbers['period_s']:g} s, {found.macs:,} multiply-adds"
    )
    shared.table(title, ["", *names, "time", "energy"], rows)
    rows = [[one.name, prefixed(one.seconds, "s"), prefixed(one.joules, "J"), one.source]
            for one in found.digital]  # fmt: skip
    shared.table("the same multiply-adds", ["", "time", "energy", "source"], rows)
    click.echo(found.sentence)
    if found.unstated:
        click.echo(f"the profile does not state {', '.join(found.unstated)}: not counted")
    click.echo(f"written to {result.folder}")
