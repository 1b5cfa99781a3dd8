"""A run or bundle comes in; its results go out as one HTML page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecgphoton import runs
from ecgphoton.arguments import strict
from ecgphoton.report.html import write_report
from ecgphoton.report.material import gather
from ecgphoton.report.wrong_beats import check_used
from ecgphoton.run.claim import outside_bundles


@dataclass(frozen=True)
class ReportPage:
    """A page, and the folders it is made from."""

    page: Path
    taken: tuple[Path, ...]
    """The run or bundle it is about comes first."""
    left_out: Mapping[Path, str]
    """Folders that were found and are not on the page, with the reason."""
    student: str
    """Name of the student."""
    chosen: str
    """Why it is about this student."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "page": str(self.page),
            "bytes": self.page.stat().st_size,
            "student": self.student,
            "chosen": self.chosen,
            "taken": [str(folder) for folder in self.taken],
            "left_out": [
                {"folder": str(folder), "why": why} for folder, why in self.left_out.items()
            ],
        }


@strict
def report(
    model: Path | str | None = None,
    *,
    also: Sequence[Path] = (),
    out: Path = Path("report.html"),
    data_dir: Path | None = None,
) -> ReportPage:
    """Write a run or bundle as one self-contained HTML page.

    Simulations, studies, calibrations and bundles of the same student are found automatically,
    below the working folder and below the folder that holds ``runs/`` or ``bundles/``; of several
    of a kind the newest is taken. A page made from recorded beats shows some of them: keep it
    local.

    Parameters
    ----------
    model
        Folder of a run or bundle, or the name of a shipped student; by default the newest run below
        ``runs/``, otherwise the shipped student ``inter-patient``.
    also
        Further folder with results of the same student.
    out
        The page, or a folder that gets ``report.html``; an earlier page is replaced.
    data_dir
        Folder of the recordings, for strips of wrongly decided beats.

    Raises
    ------
    InputError
        If there is nothing to report, a folder of `also` is of another student, `data_dir` would
        not be read, or a file is damaged or cannot be written.
    """
    page = outside_bundles(out)
    subject, why = runs.choose(model)
    material = gather(subject, tuple(map(Path, also)), data_dir)
    check_used(material)
    written = write_report(material, page)
    return ReportPage(written, material.folders, material.left_out, material.name, why)
