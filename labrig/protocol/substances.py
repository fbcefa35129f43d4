"""One substance under its several names: ``TNF-a``, ``TNF-alpha`` and ``rhTNFa`` are the same."""

from __future__ import annotations

import re
from functools import cache

_NAMES: dict[str, tuple[str, ...]] = {
    # the usual name: others under which it is written [K]
    "BDNF": ("brain-derived neurotrophic factor",),
    "CNTF": ("ciliary neurotrophic factor",),
    "IGF-1": ("IGF-I", "IGF1", "somatomedin C", "insulin-like growth factor 1", "mecasermin"),
    "NT-4/5": ("NT-4", "NT-5", "NT4", "NTF4", "NTF-5", "neurotrophin-4", "neurotrophin 4/5"),
    "TNF-alpha": ("TNF", "TNF-a", "tumour necrosis factor", "tumor necrosis factor alpha"),
    "leucine": ("L-leucine", "Leu", "L-Leu"),
}

_GREEK = {"\u03b1": "alpha", "\u03b2": "beta", "\u03b3": "gamma"}
# recombinant, of man, mouse or rat: the same substance as far as a name goes
_ORIGIN = re.compile(
    r"^(?:recombinant)?(?:human|murine|mouse|rat)|^r[hmr]?(?=[a-z0-9]{3})|^recombinant"
)


def substance(name: str) -> str:
    """The usual name of a substance; the name itself where no other is known.

    >>> substance("TNF-a"), substance("rhTNF-alpha"), substance("H2O2")
    ('TNF-alpha', 'TNF-alpha', 'H2O2')
    """
    usual = _usual()
    return next((usual[spelling] for spelling in spellings(name) if spelling in usual), name)


def spellings(name: str) -> tuple[str, str]:
    """A name without case, signs and Greek letters; and the same without its origin.

    >>> spellings("rhTNF-\u03b1")
    ('rhtnfalpha', 'tnfalpha')
    """
    plain = _plain(name)
    return plain, _ORIGIN.sub("", plain, count=1)


def _plain(name: str) -> str:
    for letter, spelt in _GREEK.items():
        name = name.replace(letter, spelt)
    return re.sub(r"[^a-z0-9]", "", name.casefold())


@cache
def _usual() -> dict[str, str]:
    return {_plain(other): usual for usual, others in _NAMES.items() for other in (usual, *others)}
