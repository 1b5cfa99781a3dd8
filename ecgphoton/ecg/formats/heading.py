"""What the lines above the columns of a text file state: a sampling rate, a unit, a lead.

They are lines of a name and a value, such as ``# Sampling rate: 250 Hz``, ``fs,360``, ``Unit,mV``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ecgphoton.ecg.formats.times import SECONDS
from ecgphoton.ecg.recording import millivolts, unit_name
from ecgphoton.ecg.resample import LEAST_RATE

_SAMPLING = (
    r"sampl\w{0,9}?[ _-]{0,3}(?:rate|freq\w*?)(?![a-z])|abtast(?:rate|frequenz)|"
    r"frecuencia de muestreo|fr[eé]quence d.[eé]chantillonnage|sampled (?:at|with)|"
    r"^sampling(?= ?[:=,])|\bsfreq\b|\bf_?s(?![a-z\d])"
)
_HERTZ = r"hz|hertz|khz|kilohertz|sps|samples?(?: ?/ ?| per )s(?:ec(?:ond)?)?"
_NUMBER = r"(\d+,\d{1,2}(?= ?[kh])|\d+(?:\.\d+)?)(?!\.?\d)"
_IS = r"[\"'\s:=,;]*(?:is |of )?[\"'\s]*"
_OF_ECG = (
    r"(?:^\W*|[\"'{])(?:(?:the|ecg|ekg|data|signals?|record(?:ings?|s)?|channels?|leads?|device|"
    r"nominal|is|are|was|were)[\s_:,-]*)*"
)
"""What may stand before the name of a rate; any other word may make it that of something else."""
_RATE = re.compile(
    rf"{_OF_ECG}(?:{_SAMPLING})[ _.]*(?:[\[(]?({_HERTZ})[\])]?)?{_IS}{_NUMBER}"
    rf"(?:[\s,;\"']*({_HERTZ})\b)?"
)
_ENDED = re.compile(r"[\s\"'{}()\[\],;.]*$|[\"'\]}]*,\s*[\"'][a-z]")
_VAGUE = re.compile(rf"^(?:data )?(?:rate|frequency){_IS}{_NUMBER}[\s,;\"']*({_HERTZ})\b")
_RATES = re.compile(rf"\d ?(?:{_HERTZ})\b")
_INTERVAL = re.compile(
    rf"{_OF_ECG}(?:sampl\w{{0,9}}[ _-]{{0,3}})?(?:interval|period)(?: ?[\[(](\w+)[\])])?"
    rf"{_IS}{_NUMBER} ?([a-z]+)?\b"
)
_OF_A_RATE = re.compile(
    rf"{_SAMPLING}|sampl\w{{0,9}}[ _-]{{0,3}}(?:interval|period)|^interval|\bk?hz\b|hertz|/ ?sample"
)
_UNIT = re.compile(
    r"^(?:(?:amplitude|voltage|signal|ecg|sample|data)s?[ _-]*)?"
    r"(?:units?|einheit(?:en)?|unit[ée]s?|unidad(?:es)?)\b(?: of \w+)?[\"']?\s*([:=,;\t]?)"
    r"[\s\"']*(.+)$"
)
_LEAD = re.compile(
    r"^(?i:lead|channel|ableitung|d[ée]rivation)(?: ?name)?[\"']?\s*[:=,;\t][\s\"']*(.*)$"
)
_PARTS = re.compile(r"\s*[;|]\s*|,\s+(?=[\"'a-zA-Z])")
_ENDS = " \t\"'{}()[],;."
LONGEST, MOST = 60, 2000
"""Characters of a line that are repeated, and that are read."""


@dataclass(frozen=True)
class Heading:
    """What the lines above the columns of a file state, each value by the line that states it."""

    rate: dict[str, float] = field(default_factory=dict)
    """Hz."""
    unit: dict[str, str] = field(default_factory=dict)
    """Of every column whose unit is not stated otherwise."""
    lead: dict[str, str] = field(default_factory=dict)
    """Of the only column, if that has no name."""
    no_rate: tuple[str, ...] = ()
    """Lines that speak of a rate in a form that is not read."""
    no_unit: tuple[str, ...] = ()
    """Lines that speak of a unit in a form that is not read."""
    lines: int = 0
    """Lines that hold something."""

    def __bool__(self) -> bool:
        """Whether anything is stated."""
        return any((self.rate, self.unit, self.lead, self.no_rate, self.no_unit))


def heading_of(lines: Sequence[str]) -> Heading:
    """Return what lines state.

    Examples
    --------
    >>> heading_of(["# Sampling rate: 250 Hz", "Unit,\u00b5V", "Heart rate: 72"])
    ... # doctest: +NORMALIZE_WHITESPACE
    Heading(rate={'line 1 (# Sampling rate: 250 Hz)': 250.0}, unit={'line 2 (Unit,\u00b5V)': 'uV'},
            lead={}, no_rate=(), no_unit=(), lines=3)
    """
    found = Heading(lines=sum(bool(line.strip()) for line in lines))
    no_rate, no_unit = list[str](), list[str]()
    for number, line in enumerate(lines, 1):
        where = f"line {number} ({' '.join(line.split())[:LONGEST]})"
        text = line.strip().lstrip("#; \t")[:MOST]
        parts = _PARTS.split(text)
        keyed = parts if all(re.search("[:=]", part) for part in parts) else [text]
        rates, units = set[float](), set[str]()
        for part in keyed:
            short = part.casefold()
            rates |= (own := _rates(short))
            if not own and _OF_A_RATE.search(short):
                no_rate.append(where)
            elif unit := _UNIT.match(short):
                words = re.split(r"[,;\t ]+", unit[2].strip(_ENDS))
                known = {unit_name(word) for word in words if word} - {*SECONDS}
                units |= known if unit[1] or all(map(millivolts, known)) else set()
            elif (lead := _LEAD.match(part)) and lead[1].strip(_ENDS):
                found.lead[where] = lead[1].strip(_ENDS)
        if len(rates) == 1:
            found.rate[where] = min(rates)
        elif rates:
            no_rate.append(where)
        if len(units) == 1 and millivolts(min(units)):
            found.unit[where] = min(units)
        elif units:
            no_unit.append(where)
    return replace(found, no_rate=tuple(dict.fromkeys(no_rate)), no_unit=tuple(no_unit))


def _rates(short: str) -> set[float]:
    """Return the rates that a line states, Hz; of several numbers none is chosen."""
    rates = set[float]()
    if len(_RATES.findall(short)) > 1:
        return rates
    for found in _RATE.finditer(short):
        before, value, after = found.groups()
        if before or after or _ENDED.match(short, found.end()):  # no other unit or number follows
            rates.add(_hertz(value, before or after or ""))
    vague = {_hertz(*found.groups()) for found in _VAGUE.finditer(short)}
    for found in _INTERVAL.finditer(short):
        seconds = SECONDS.get(found[1] or found[3] or "", 0.0) * _hertz(found[2], "")
        vague |= {1 / seconds} if seconds else set()
    return rates | {rate for rate in vague if rate >= LEAST_RATE}  # mains and hearts are slower


def _hertz(value: str, unit: str) -> float:
    return float(value.replace(",", ".")) * (1e3 if unit.startswith("k") else 1.0)
