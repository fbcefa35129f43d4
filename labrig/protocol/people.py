"""Whether two names that were typed can be one person's."""

from __future__ import annotations

import re
import unicodedata

_TITLES = frozenset("dr prof professor doctor mr mrs ms mx phd md msc bsc dipl ing med pi".split())
_LOOK_ALIKE = str.maketrans("аеорсухкмтвніјѕαοερικν", "aeopcyxkmtbhijsaoepikv")
_SPELT_OUT = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "þ": "th"})


def same_person(one: str, other: str) -> bool:
    """Whether two names are spellings of one, as far as spelling can tell.

    Case, accents, titles, order, punctuation, doubled letters, letters that look alike, and names
    of which one only abbreviates or leaves out what the other says are no difference: "A. Jansen",
    "Jansen, Anna" and "Dr Anna M. Jansen" are one; "Anna Jansen" and "Arne Jansen" are two.
    """
    first, second = _words(one), _words(other)
    if not first or not second:
        return first == second
    if "".join(sorted(first)) == "".join(sorted(second)):
        return True
    short, long = sorted((first, second), key=len)
    if len(short) == 1 and any(short[0] == joined for joined in _run_together(long)):
        return True
    return any(_abbreviates(reading, long) for reading in (short, _initials_apart(short))) or any(
        _abbreviates(reading, short) for reading in (long, _initials_apart(long))
    )


def _words(name: str) -> tuple[str, ...]:
    """Its words, without what two spellings of it may differ in."""
    text = unicodedata.normalize("NFKD", name.partition("@")[0]).casefold()
    text = text.translate(_LOOK_ALIKE).translate(_SPELT_OUT)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Cf"))
    text = re.sub(r"['’`´]", "", text)
    words = [w for w in re.split(r"[\W\d_]+", text) if w]
    plain = [w for w in words if w not in _TITLES] or words
    return tuple(sorted(_plain(word) for word in plain))


def _plain(word: str) -> str:
    """ae, oe, ue as ä, ö, ü without their dots, and no letter twice in a row."""
    return re.sub(r"(.)\1+", r"\1", re.sub(r"([aou])e", r"\1", word) if len(word) > 2 else word)


def _run_together(words: tuple[str, ...]) -> set[str]:
    """Login names: "anna", "jansen" -> annajansen, jansenanna, ajansen, jansena."""
    pairs = [(a, b) for a in words for b in words if a != b]
    return {_plain(j) for a, b in pairs for j in (a + b, a[0] + b, b + a[0])}


def _initials_apart(words: tuple[str, ...]) -> tuple[str, ...]:
    """Words of two letters taken for initials: "ab jansen" -> "a b jansen"."""
    return tuple(p for w in words for p in (w if len(w) < 3 < max(map(len, words)) else [w]))


def _abbreviates(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """Whether every word of one is a word of the other or its initial, and one is a whole word."""
    left = list(long)
    whole = False
    for word in sorted(short, key=len, reverse=True):
        found = next((w for w in left if w == word), None)
        found = found or next(
            (w for w in left if 1 in (len(w), len(word)) and w[0] == word[0]), None
        )
        if found is None:
            return False
        left.remove(found)
        whole = whole or (found == word and len(word) > 1)
    return whole
