"""Choice of the lead of a recording: one rule for every format and every command."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ecgphoton.ecg.features import SAMPLING_RATE
from ecgphoton.ecg.recording import Channel, OpenRecording, Recording
from ecgphoton.errors import InputError

_LIMB = ("i", "ii", "iii", "avr", "avl", "avf")
_CHEST = tuple(f"v{number}" for number in range(1, 10))
_WORDS = (
    r"mdc[ _]ecg[ _](lead|elec[ _]potl)|ecg|ekg|einthoven|lead|ableitung|abl|afleiding|avledning|"
    r"deriva(tion|cion|zione|cao)|odprowadzenie|elvezetes|svod|отведение|导联|導聯|誘導"
)
"""What stands beside the name of a lead, in several languages and without accents."""
_PREFIX = re.compile(rf"^(({_WORDS}|channel|ch|第)[\s_:.,-]*(?=.))+")
_REMARK = re.compile(
    r"(?<=\w)([ _-]?[(\[]([mnu\u03bc]?v|einthoven|goldberger|wilson)[)\]]|, augmented .*|"
    rf"[ _-]({_WORDS}|raw)|导联|導聯|誘導|[.:;]+)$"
)
_ENCLOSED = re.compile(r"[(\[](\w+)[)\]]")
_OTHER = re.compile(
    r"abp|art|[a-z]{0,3}bp\d*|pap|cvp|icp|resp.*|impedance.*|pleth.*|ppg|spo2.*|sao2|(eeg|emg|eog)\b.*|"
    r"e?t?co2.*|temp.*|acc.*|(?:blood )?pressure.*|hr|rr|heart ?rate|rate|quality|sqi|.*time|"
    r".*timestamp|leads?[ _-]?off.*|status|events?|markers?|trig(?:ger)?|sync|counter|battery"
)
"""Plain names of what monitors record beside an ECG, or say about it; only asked for by name."""
_MODIFIED = re.compile(r"(?:ml|d)[ _-]?(?=(?:i{1,3}|[123])$)|l[ _-]?(?=i{1,3}$)|m(?=v\d$)")
_ROMAN = {"1": "i", "2": "ii", "3": "iii"}
LOOKED_AT = 60.0
"""Seconds from the middle of a channel that are tested for the properties of an ECG."""
MOST_LEVELS, MOST_STEPS = 16, 4
"""Different values of a marker, and steps between values of a counter, at most; an ECG has more."""
LEAST_KURTOSIS, QRS_SHARE = 5.0, 0.35
"""An ECG has rare large values (kSQI above 5) and its power around 5 to 15 Hz (pSQI); an EEG, a
pressure or noise lacks one of them. Clifford et al. 2012, DOI 10.1088/0967-3334/33/9/1419."""


def lead_name(name: str) -> str:
    """Return a lead's name without case, accents, prefix and the letters of a modified lead.

    Examples
    --------
    >>> [lead_name(name) for name in ("ECG II", "ii", "MLII", "D2", "EKG-V1", "Lead aVR", "ECG1")]
    ['ii', 'ii', 'ii', 'ii', 'v1', 'avr', 'ecg1']
    >>> [lead_name(name) for name in ("MDC_ECG_LEAD_II", "ECG lead II (mV)", "Lead I (Einthoven)")]
    ['ii', 'ii', 'i']
    >>> [lead_name(name) for name in ("II.", "Dérivation II", "ECG (II)", "V5 ECG", "\u2161")]
    ['ii', 'ii', 'ii', 'v5', 'ii']
    >>> [lead_name(name) for name in ("D-II", "II Ableitung", "Отведение II", "II导联", "Lead 2")]
    ['ii', 'ii', 'ii', 'ii', 'lead 2']
    >>> [lead_name(name) for name in ("LII", "L-II", "II_raw", "L2")]
    ['ii', 'ii', 'ii', 'l2']
    """
    short = _short(name)
    rest = _bare(short)
    modified = _MODIFIED.sub("", rest)
    rest = _ROMAN.get(modified, modified) if modified != rest else rest
    return rest if rest in (*_LIMB, *_CHEST) else short


def same_name(one: str, other: str) -> bool:
    """Whether names differ in case and accents alone, those of leads in prefix and remarks too."""
    short = [_short(name) for name in (one, other)]
    return short[0] == short[1] or (names_lead(one) and _bare(short[0]) == _bare(short[1]))


def names_lead(name: str) -> bool:
    """Whether a name is that of a limb or chest lead."""
    return lead_name(name) in (*_LIMB, *_CHEST)


def _short(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name)  # a Roman numeral of one sign becomes letters
    short = "".join(one for one in letters if not unicodedata.combining(one))
    return " ".join(short.casefold().split())


def _bare(short: str) -> str:
    """Return a name without vendor prefixes, unit and words that add nothing."""
    rest = _REMARK.sub("", _PREFIX.sub("", short))
    enclosed = _ENCLOSED.fullmatch(rest)
    return enclosed[1] if enclosed else rest


def _other(name: str) -> bool:
    """Whether a name is that of another signal, or of what is said about an ECG."""
    short = lead_name(name)
    return any(_OTHER.fullmatch(one) for one in (short, _bare(short)))


def choose(recording: OpenRecording, asked: str | None = None, prefer: Sequence[str] = ()) -> int:
    """Return the number of the channel to use.

    A lead asked for is taken by its exact name, else with case, then with vendor prefixes ignored,
    or as ``channel:<n>``. Without one the first of `prefer` that exists, else lead II, else the
    first channel that is an ECG by name, or by unit and spectrum; never a respiration, a pressure
    or another signal by its name.

    Parameters
    ----------
    asked
        Lead by name or number; it is used or refused, never replaced.
    prefer
        Leads in order of preference.

    Raises
    ------
    InputError
        If the lead asked for does not exist or several have its name, if two parts of the
        recording of different lengths hold the same lead, or no channel is an ECG.
    """
    channels = recording.channels
    if asked is not None:
        number = asked.removeprefix("channel:")
        by_number = [at for at in range(len(channels)) if str(at) == number]
        by_name = _named(asked, [one.name for one in channels])
        return _only(by_name if number == asked else by_number, asked, recording)
    for name in (*prefer, "II"):
        found = _named(name, [one.name if one.voltage else None for one in channels])
        if found:
            alike = [one for at in found if (one := channels[at]).name == channels[found[0]].name]
            parts = len({one.length / one.fs for one in alike}) > 1
            return _only(found if parts else found[:1], name, recording)
    volts = _voltages(channels)
    for at in volts:
        if _ecg_by_name(channels[at]):
            return at
    for at in volts:
        if len(volts) == 1 == len(channels) or looks_like_ecg(*_middle(recording, at)):
            return at
    raise InputError(
        f"record {recording.name!r} has no channel that is an ECG by name, or by unit and "
        f"spectrum; name one of {_list(channels)}; units: "
        + ", ".join(one.unit or "not stated" for one in channels)
    )


def column_of(recording: Recording, asked: str | None) -> int:
    """Return the column of a lead of a recording in memory, by the rule of `choose`.

    Raises
    ------
    InputError
        If the lead does not exist or is no voltage, several have its name, or none is named and
        there are several.
    """
    names = recording.leads
    found = list(range(len(names))) if asked is None else _named(asked, names)
    if len(found) != 1:
        said = "no lead is named" if asked is None else f"lead {asked!r} is not a single one"
        raise InputError(f"{said} of a recording with {', '.join(names)}; name one of them")
    if recording.units[found[0]] != "mV":
        unit = recording.units[found[0]]
        raise InputError(f"lead {names[found[0]]!r} is in {unit!r}; an ECG in mV is needed")
    return found[0]


def view_of(
    recording: OpenRecording, view: int, asked: str | None = None, prefer: Sequence[str] = ()
) -> int | None:
    """Return the number of the lead that `choose` takes (view 0) or of a further one, from 1 on.

    Further ones are the other channels that are an ECG by name, with length and rate of the chosen
    one; None if there are not so many.
    """
    chosen, channels = choose(recording, asked, prefer), recording.channels
    own = channels[chosen]
    alike = [at for at in _voltages(channels) if at != chosen and _ecg_by_name(channels[at])]
    further = [at for at in alike if (channels[at].fs, channels[at].length) == (own.fs, own.length)]
    leads = [chosen, *further]
    return leads[view] if view < len(leads) else None


def looks_like_ecg(signal: NDArray[np.float32], fs: float) -> bool:
    """Whether samples (any unit) have the spectrum and the rare large values of an ECG."""
    from scipy.signal import welch

    known = signal[np.isfinite(signal)].astype(np.float64)
    if (
        len(known) < 4 * fs
        or fs < 2 * 15
        or len(np.unique(known)) <= MOST_LEVELS
        or len(np.unique(np.diff(known))) <= MOST_STEPS
    ):
        return False
    many = max(1, round(fs / SAMPLING_RATE))  # the slope of noise grows with the rate
    known, fs = known[: len(known) // many * many].reshape(-1, many).mean(axis=1), fs / many
    frequency, power = welch(known - known.mean(), fs, nperseg=round(4 * fs))
    whole = power[(frequency >= 1) & (frequency <= 40)].sum()
    share = power[(frequency >= 5) & (frequency <= 15)].sum() / max(whole, 1e-300)
    steep = np.diff(known)
    spread = steep.std()
    kurtosis = 0.0 if spread == 0 else float((((steep - steep.mean()) / spread) ** 4).mean())
    return bool(share >= QRS_SHARE and kurtosis >= LEAST_KURTOSIS)


def _only(found: Sequence[int], name: str, recording: OpenRecording) -> int:
    """Return the one channel found; InputError with the list of channels if it is not one."""
    if len(found) != 1:
        raise InputError(
            f"record {recording.name!r} has {len(found) or 'no'} lead{'s' * bool(found)} {name}; "
            f"its leads are {_list(recording.channels)}"
        )
    return found[0]


def _named(name: str, names: Sequence[str | None]) -> list[int]:
    """Find channels by exact name, else by name without case, else by `lead_name`."""
    for alike in (str, str.casefold, lead_name):
        found = [
            at for at, one in enumerate(names) if one is not None and alike(one) == alike(name)
        ]
        if found:
            return found
    return []


def _voltages(channels: Sequence[Channel]) -> list[int]:
    """Find voltages without those that have the name of another signal."""
    return [at for at, one in enumerate(channels) if one.voltage and not _other(one.name)]


def _ecg_by_name(channel: Channel) -> bool:
    return names_lead(channel.name) or channel.name.casefold().startswith(("ecg", "ekg"))


def _list(channels: Sequence[Channel]) -> str:
    seconds = [f"{one.length / one.fs:g} s" for one in channels]
    long = [f", {text}" if len(set(seconds)) > 1 else "" for text in seconds]
    return ", ".join(f"{one.name} (channel:{at}{long[at]})" for at, one in enumerate(channels))


def _middle(recording: OpenRecording, at: int) -> tuple[NDArray[np.float32], float]:
    """Return samples from the middle of a channel, and their rate."""
    one = recording.channels[at]
    half = min(round(LOOKED_AT * one.fs), one.length) // 2
    middle = one.length // 2
    return recording.read(at, middle - half, middle + half), one.fs
