"""Synthetic records for demonstrations and tests, never for results.

Every record has SYNTHETIC in its header and every set of such beats has source 'synthetic'.
"""

from collections.abc import Container, Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ecgphoton.artifacts import atomic_files, check_room
from ecgphoton.ecg.beatset import Extracted
from ecgphoton.ecg.detect import Centring
from ecgphoton.ecg.extract import extract
from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.formats.wfdb_record import SYNTHETIC_MARK
from ecgphoton.ecg.leads import view_of
from ecgphoton.ecg.patient_features import FEATURES
from ecgphoton.ecg.patients import (
    BASELINE,
    BEATS,
    GAIN,
    LEADS,
    MIXES,
    SyntheticRecord,
    patient,
    synthesise,
)
from ecgphoton.ecg.protocols import Protocol
from ecgphoton.ecg.quality import Quality
from ecgphoton.ecg.reading import AnnotatedLead
from ecgphoton.ecg.recording import Channel, HeldRecording
from ecgphoton.errors import InputError
from ecgphoton.host import foreign

BANNER = "SYNTHETIC DATA: generated beats, no evidence about patients"
"""Banner of every output that is computed from synthetic beats."""
PATIENTS, TEST_PATIENTS = 23, 7


def recording(record: SyntheticRecord, *, lead: str = "MLII", view: int = 0) -> AnnotatedLead:
    """One lead of a made-up record, or another, exactly as it would be read back from a file."""
    channels = tuple(Channel(name, "mV", SAMPLING_RATE, len(record.digital)) for name in LEADS)
    at = view_of(HeldRecording(Path(record.name), "WFDB", channels, ()), view, lead)
    if at is None:
        raise InputError(f"record {record.name!r} has the leads {', '.join(LEADS)} alone")
    signal = record.digital[:, at].astype(np.float32)
    return AnnotatedLead(
        record.name, signal, record.samples, record.symbols, LEADS[at], gain=GAIN, synthetic=True
    )


def extracted(
    names: Iterable[str],
    *,
    lead: str = "MLII",
    seed: int = 0,
    beats: int = BEATS,
    centring: Centring = "annotation",
    judged: Container[str] = (),
    view: int = 0,
) -> dict[str, Extracted]:
    """Beats of made-up records by name (s01, s02, ...); `judged` ones as with quality ``drop``.

    With `view` they are those of the other lead, of which a made-up record has one.

    Raises
    ------
    InputError
        If a name is not of that form.
    """
    found = {}
    for name in names if view < len(LEADS) else ():
        if not (name.startswith("s") and name[1:].isdigit() and int(name[1:]) > 0):
            raise InputError(f"no synthetic record {name!r}; they are called s01, s02, ...")
        quality: Quality = "drop" if name in judged else "keep"
        found[name] = _extracted(name, lead, view, seed, beats, centring, quality, tuple(FEATURES))
    return found


@lru_cache(maxsize=4 * PATIENTS)
def _extracted(
    name: str,
    lead: str,
    view: int,
    seed: int,
    beats: int,
    centring: Centring,
    quality: Quality,
    _features: tuple[str, ...],
) -> Extracted:
    """Beats of one made-up record with the features there are; nothing changes them later."""
    who = replace(patient(int(name[1:]), seed=seed), name=name)
    made = recording(synthesise(who, beats=beats), lead=lead, view=view)
    return extract(made, source="synthetic", centring=centring, quality=quality)


def stand_in(protocol: Protocol, *, patients: int = PATIENTS) -> Protocol:
    """Return the protocol with made-up patients in place of the database's.

    About a third of them test; where whole records validate, a quarter of the others do.

    Raises
    ------
    InputError
        If there are fewer than 9 patients, the number of different rhythms.
    """
    if patients < len(MIXES):
        raise InputError(f"{patients} synthetic patients; ask for {len(MIXES)} or more")
    names = tuple(f"s{number:02d}" for number in range(1, patients + 1))
    cut = patients - max(1, round(patients * TEST_PATIENTS / PATIENTS))
    validating = round(cut / 4) if protocol.validation else 0
    return replace(
        protocol,
        train=names[: cut - validating],
        validation=names[cut - validating : cut],
        test=names[cut:],
        same_subject={},
    )


def write_wfdb(
    folder: str | Path, *, seed: int = 0, patients: int = PATIENTS, beats: int = BEATS
) -> tuple[str, ...]:
    """Write made-up records as WFDB files (format 212, annotator atr) and return their names.

    Raises
    ------
    InputError
        If the folder cannot be written.
    """
    records = [
        synthesise(patient(number, seed=seed), beats=beats) for number in range(1, patients + 1)
    ]
    check_room(Path(folder))
    with atomic_files(Path(folder)) as place, foreign():
        import wfdb

        for one in records:
            wfdb.wrsamp(
                one.name,
                fs=SAMPLING_RATE,
                units=["mV", "mV"],
                sig_name=list(LEADS),
                d_signal=one.digital.astype(np.int64),
                fmt=["212", "212"],
                adc_gain=[GAIN, GAIN],
                baseline=[BASELINE, BASELINE],
                comments=[f"{SYNTHETIC_MARK} record, made by ecgphoton; not of a patient"],
                write_dir=str(place),
            )
            wfdb.wrann(one.name, "atr", one.samples, list(one.symbols), write_dir=str(place))
    return tuple(one.name for one in records)
