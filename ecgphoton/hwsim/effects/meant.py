"""Which number of a profile is meant by a key that is none."""

import difflib
import re
from collections.abc import Mapping

TYPO = 0.9
"""Likeness of two keys from which one is taken for a typing error of the other."""
ALIKE = 0.7
"""Likeness of two words from which they are one word."""
SAID = 0.8
"""What a word of a meaning counts beside one of a key."""
SAME = 0.2
"""What a key of the same name in another section counts more."""
SPARE = 0.03
"""What is taken off for each word of a key that was not asked for."""
LEAST, CLOSE, MOST = 0.4, 0.25, 3
"""Score of a guess, what it may lack to the best one, and how many guesses are made."""


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+", text.lower())


def _found(word: str, among: set[str]) -> float:
    """Return the likeness of a word to the most alike of some, 0 where none is alike."""
    best = max((difflib.SequenceMatcher(None, word, one).ratio() for one in among), default=0.0)
    return best if best >= ALIKE else 0.0


def meant(key: str, meanings: Mapping[str, str]) -> str:
    """Return ``did you mean A, B or C?`` of keys whose words, or meanings, have those of a key.

    Parameters
    ----------
    meanings
        Meaning and unit of every key there is.
    """
    if typo := difflib.get_close_matches(key, meanings, 1, TYPO):
        return f"did you mean {typo[0]}?"
    wanted = _words(key)

    def last(name: str) -> str:
        return "".join(_words(name.rpartition(".")[2]))

    def score(name: str) -> float:
        own, said = _words(name), {word for word in _words(meanings[name]) if len(word) > 1}
        among = {*own, last(name)}
        found = (max(_found(word, among), SAID * _found(word, said)) for word in wanted)
        more = SAME * (last(name) == last(key)) - SPARE * max(len(own) - len(wanted), 0)
        return sum(found) / max(len(wanted), 1) + more

    scores = {name: score(name) for name in meanings}
    if (best := max(scores.values())) < LEAST:
        sections = dict.fromkeys(f"{name.partition('.')[0]}.*" for name in meanings)
        return f"allowed: {', '.join(sections)}"
    near = [name for name in scores if scores[name] > best - CLOSE]
    near.sort(key=lambda name: (-scores[name], -difflib.SequenceMatcher(None, key, name).ratio()))
    *first, end = near[:MOST]
    return f"did you mean {', '.join(first)}{' or ' if first else ''}{end}?"
