"""Recompute every claim of a bundle."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ecgphoton.arguments import strict
from ecgphoton.errors import InputError, VerificationError
from ecgphoton.export.bundle_folder import bundle_at
from ecgphoton.export.claimed_bundle import ClaimedBundle, State
from ecgphoton.export.claims import CHECKS, circuits
from ecgphoton.student.propagate import Inputs


@dataclass(frozen=True)
class Check:
    """One claim and what recomputing it gave."""

    claim: str
    outcome: State
    found: str
    """What was measured, or what is wrong."""


@dataclass(frozen=True)
class VerificationReport:
    """All claims of a bundle."""

    folder: str
    checks: tuple[Check, ...]
    chosen: str = ""
    """Why it is this bundle, where it was looked for."""

    @property
    def ok(self) -> bool:
        """Whether no claim failed."""
        return all(check.outcome != "failed" for check in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        checks = [asdict(check) for check in self.checks]
        return {"folder": self.folder, "chosen": self.chosen, "ok": self.ok, "checks": checks}

    def rows(self) -> list[tuple[str, str, str]]:
        """Claim, outcome and measurement of every check."""
        return [(check.claim, check.outcome, check.found) for check in self.checks]


@strict
def verify(
    folder: Path | str, *, beats: Inputs | None = None, sax: bool = True
) -> VerificationReport:
    """Recompute every claim of a bundle.

    Parameters
    ----------
    folder
        Folder of the bundle.
    beats
        Real beats to compare the graphs on, besides the golden and the synthetic ones.
    sax
        Simulate the circuits with SAX where it is installed.

    Returns
    -------
    Outcome and finding of every check; `ok` where none failed.

    Raises
    ------
    InputError
        If the folder is not a bundle at all, or one of another version. Damage is a failed check,
        not an error.
    """
    folder = bundle_at(folder)
    bundle = ClaimedBundle(folder, beats)
    checks: list[Check] = []
    for claim, check in CHECKS.items():
        if check is circuits and not sax:
            checks.append(Check(claim, "skipped", "not asked for"))
            continue
        try:
            checks.append(Check(claim, *check(bundle)))
        except (InputError, VerificationError) as error:
            checks.append(Check(claim, "failed", str(error)))
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            # A forged file may hold arrays of any shape; whatever that breaks is a failed claim.
            checks.append(Check(claim, "failed", f"cannot be computed: {error}"))
    return VerificationReport(str(folder), tuple(checks))
