"""Reads ``responses.toml`` and a laboratory's own file, strictly: where, what, how to mend it."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, TypeVar, cast

from labrig.protocol.substances import spellings
from labrig.twin.responses.amounts import BadAmount, molar_mass_g_mol, ng_ml, ng_ml_h
from labrig.twin.responses.factors import (
    AfterFusion,
    BeforeFusion,
    Factor,
    Origin,
    Responses,
    WhenLasting,
)
from labrig.twin.responses.marks import unmarked_lines

T = TypeVar("T")

VERSION = 2
SHIPPED = "responses.toml"
ORIGINS = ("nerve", "muscle", "supply", "other")
COMPONENTS = ("amino_acids", "calcium", "glucose", "serum")
SIGNALS = ("impulses", "force")
"""What may be blocked beside pathways and factors."""
_KEYS = (
    "aliases", "molar_mass", "origin", "pathway", "ec50", "no_effect", "old_donors",
    "after_fusion", "before_fusion", "lasting", "kills", "protects", "blocks", "via", "blunts",
    "ends_resistance_h", "supplies", "normal", "spares", "replaces",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slip:
    """One thing to mend in a file of responses.

    Attributes:
        line: counted from 1; 1 where the whole file is meant.
        key: where, e.g. ``factors.CNTF.ec50``.
        what: is wrong.
        remedy: how to mend it.
    """

    line: int
    key: str
    what: str
    remedy: str


class BadResponses(Exception):
    """A file of responses cannot be used; all that was found."""

    def __init__(self, file: str, slips: Iterable[Slip]) -> None:
        self.file = file
        self.slips = tuple(slips)
        super().__init__(
            "\n".join(f"{file}:{s.line}  {s.key}: {s.what} -> {s.remedy}" for s in self.slips)
        )


@cache
def shipped_text() -> str:
    """Labrig's own file."""
    return files("labrig.twin").joinpath(SHIPPED).read_text(encoding="utf-8")


@cache
def read_responses(own: str = "", name: str = "responses of the laboratory") -> Responses:
    """Labrig's responses, and with them a laboratory's own.

    Args:
        own: text of the laboratory's file; "" for none.
        name: of that file, for messages.

    Raises:
        BadResponses: the file cannot be used.
    """
    factors, numbers = _read(shipped_text(), SHIPPED, with_numbers=True)
    if own:
        added, _ = _read(own, name, with_numbers=False)
        factors = _joined(factors, added, own, name)
    _check_names(factors, own or shipped_text(), name if own else SHIPPED)
    return Responses(MappingProxyType({n: f for n, (f, _) in factors.items()}), numbers)


Numbers = Mapping[str, Mapping[str, float]]
Factors = dict[str, tuple[Factor, bool]]
"""By name, and whether it replaces labrig's."""


def _read(text: str, name: str, *, with_numbers: bool) -> tuple[Factors, Numbers]:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = int(str(error).partition("line ")[2].partition(",")[0] or 1)
        remedy = "Mend the TOML there; texts stand in quotes, tables in [brackets]."
        raise BadResponses(name, [Slip(line, "", f"no TOML: {error}", remedy)]) from None
    page = _Page(text, name)
    if document.get("version") != VERSION:
        page.slip(("version",), "is not 2", "Write 'version = 2' in the first line.")
    for line, what in unmarked_lines(text):
        remedy = "End the line with '# [S]', '# [K]', '# [P]' or '# [C]': read, known, proposed."
        page.slips.append(Slip(line, what, "a number without a mark of where it is from", remedy))
    sections = {k: v for k, v in document.items() if k not in ("version", "factors")}
    if not with_numbers:
        for section in sections:
            remedy = "Only [factors.NAME] stand in a laboratory's file; move or remove it."
            page.slip((section,), "is no table of factors", remedy)
    written = document.get("factors", {})
    if not isinstance(written, dict):
        page.slip(("factors",), "is no table", "Write [factors.NAME] and keys under it.")
        written = {}
    factors = {own: _factor(page, own, table) for own, table in written.items()}
    if page.slips:
        raise BadResponses(name, page.slips)
    numbers = {
        section: MappingProxyType({k: float(v) for k, v in values.items()})
        for section, values in sections.items()
    }
    return factors, MappingProxyType(numbers)


class _Page:
    """A file that is being read, and what was found wrong in it."""

    def __init__(self, text: str, name: str) -> None:
        self._lines = text.splitlines()
        self.name = name
        self.slips: list[Slip] = []

    def slip(self, path: tuple[str, ...], what: str, remedy: str) -> None:
        """Something to mend at a place: section, name, key, key inside it."""
        self.slips.append(Slip(self._line(path), ".".join(path), what, remedy))

    def _line(self, path: tuple[str, ...]) -> int:
        """Where it stands, as nearly as lines tell."""
        heads = [f"[{path[0]}"]
        if len(path) > 1:
            heads = [f"[{path[0]}.{quoted}" for quoted in (path[1], f'"{path[1]}"')]
        keys = path[2:3] or (path[0],)
        found, inside = 1, False
        for number, line in enumerate(self._lines, start=1):
            start = line.strip()
            if start.startswith("["):
                inside = any(start.startswith((f"{head}]", f"{head}.")) for head in heads)
                if inside and (len(path) < 3 or any(f".{key}" in start for key in keys)):
                    return number
                found = number if inside else found
            elif (inside or len(path) == 1) and start.split("=")[0].strip(" \"'") in keys:
                return number
        return found


def _factor(page: _Page, name: str, table: object) -> tuple[Factor, bool]:
    at = ("factors", name)
    if not isinstance(table, dict):
        page.slip(at, "is no table", f"Write [factors.{name}] and keys under it.")
        return Factor(name), False
    for key in table:
        if key not in _KEYS:
            page.slip((*at, key), "is no key of a factor", _offer(key, _KEYS))
    read = _Table(page, at, table)
    g_mol = read.converted("molar_mass", molar_mass_g_mol, None)
    does = {"after_fusion", "before_fusion", "lasting", "kills", "protects", "blocks", "blunts",
            "ends_resistance_h", "supplies", "spares"} & table.keys()  # fmt: skip
    if not does and not table.get("no_effect"):
        remedy = "Add an effect such as after_fusion, or 'no_effect = \"why\"'."
        page.slip(at, "does nothing and does not say so", remedy)
    if does and table.get("no_effect"):
        page.slip((*at, "no_effect"), f"stands beside {sorted(does)[0]}", "Keep one of the two.")
    saturates = {"after_fusion", "before_fusion", "lasting", "protects", "blunts", "spares",
                 "ends_resistance_h"} & does  # fmt: skip
    if saturates and "ec50" not in table:
        remedy = 'Add the concentration of half an effect: ec50 = "8 ng/mL"  # [P]'
        page.slip((*at, "ec50"), f"is missing, and {sorted(saturates)[0]} needs it", remedy)
    origin = read.text("origin", "other")
    if origin not in ORIGINS:
        page.slip((*at, "origin"), f"'{origin}' is no origin", _offer(origin, ORIGINS))
    supplies = read.text("supplies", "")
    if supplies and supplies not in COMPONENTS:
        page.slip((*at, "supplies"), f"'{supplies}' is no component", _offer(supplies, COMPONENTS))
    if supplies and "normal" not in table:
        page.slip((*at, "normal"), "is missing", 'Say how much is normal: normal = "5.5 mM"  # [K]')

    def amount(text: str) -> float:
        return ng_ml(text, g_mol)

    dose = read.converted("kills", lambda text: ng_ml_h(text, g_mol), None)
    factor = Factor(
        name=name,
        aliases=read.texts("aliases"),
        origin=cast("Origin", origin),
        pathway=read.text("pathway", ""),
        ec50_ng_ml=read.converted("ec50", amount, 1.0) or 1.0,
        no_effect=read.text("no_effect", ""),
        old_donors=read.number("old_donors", 1.0),
        after=read.record("after_fusion", AfterFusion) or AfterFusion(),
        before=read.record("before_fusion", BeforeFusion) or BeforeFusion(),
        lasting=read.record("lasting", WhenLasting, whole=True),
        kills_per_ng_ml_h=1.0 / dose if dose else 0.0,
        protects=read.share("protects"),
        blocks=read.pairs("blocks", amount),
        via=read.shares("via"),
        blunts=read.texts("blunts"),
        ends_resistance_h=read.number("ends_resistance_h", 0.0),
        supplies=supplies,
        normal_ng_ml=read.converted("normal", amount, 1.0) or 1.0,
        spares=read.shares("spares"),
    )
    return factor, table.get("replaces") is True


class _Table:
    """One factor's table; what is wrong in it goes onto its page."""

    def __init__(self, page: _Page, at: tuple[str, ...], table: Mapping[str, Any]) -> None:
        self._page, self._at, self._table = page, at, table

    def text(self, key: str, default: str) -> str:
        value = self._table.get(key, default)
        if isinstance(value, str):
            return value
        self._slip(key, f"{value!r} is no text", "Put it into quotes.")
        return default

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._table.get(key, [])
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            return tuple(value)
        self._slip(key, f"{value!r} is no list of texts", f'Write {key} = ["one", "another"].')
        return ()

    def number(self, key: str, default: float) -> float:
        return self._number(key, self._table.get(key, default), default)

    def share(self, key: str) -> float:
        return self._share(key, self._table.get(key, 0.0))

    def converted(
        self, key: str, convert: Callable[[str], float], default: float | None
    ) -> float | None:
        if key not in self._table:
            return default
        return self._converted(key, self._table[key], convert)

    def pairs(self, key: str, convert: Callable[[str], float]) -> tuple[tuple[str, float], ...]:
        values = {n: self._converted(f"{key}.{n}", v, convert) for n, v in self._named(key)}
        return tuple((n, v) for n, v in values.items() if v is not None)

    def shares(self, key: str) -> tuple[tuple[str, float], ...]:
        return tuple((n, self._share(f"{key}.{n}", v)) for n, v in self._named(key))

    def record(self, key: str, kind: type[T], *, whole: bool = False) -> T | None:
        """A table of numbers by the names of ``kind``; ``whole``: none may be missing."""
        if key not in self._table:
            return None
        named = dict(self._named(key))
        known = [field.name for field in fields(cast("Any", kind))]
        for other in named.keys() - set(known):
            self._slip(f"{key}.{other}", "is no effect", _offer(other, known))
        lacking = [n for n in known if n not in named]
        if whole and lacking:
            self._slip(key, f"lacks {', '.join(lacking)}", "Give all of its numbers.")
            return None
        values = {n: self._number(f"{key}.{n}", named[n], 0.0) for n in known if n in named}
        return kind(**values)

    def _named(self, key: str) -> list[tuple[str, Any]]:
        value = self._table.get(key, {})
        if isinstance(value, dict):
            return list(value.items())
        self._slip(key, f"{value!r} is no table", f"Write {key} = {{ name = value }}.")
        return []

    def _converted(self, key: str, value: object, convert: Callable[[str], float]) -> float | None:
        if not isinstance(value, str):
            self._slip(key, f"{value!r} has no unit", 'Put number and unit into quotes: "8 ng/mL".')
            return None
        try:
            return convert(value)
        except BadAmount as error:
            what, _, remedy = str(error).partition(": ")
            self._slip(key, what, remedy[:1].upper() + remedy[1:] + ".")
            return None

    def _number(self, key: str, value: object, default: float) -> float:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        self._slip(key, f"{value!r} is no number", "Write a plain number such as -0.30.")
        return default

    def _share(self, key: str, value: object) -> float:
        number = self._number(key, value, 0.0)
        if not 0.0 <= number <= 1.0:
            self._slip(key, f"{number:g} is no share", "Write a number from 0 to 1.")
        return number

    def _slip(self, key: str, what: str, remedy: str) -> None:
        self._page.slip((*self._at, *key.split(".", 1)), what, remedy)


def _joined(shipped: Factors, added: Factors, text: str, name: str) -> Factors:
    """Both files as one; a name that both have is a clash unless the laboratory's says so."""
    page = _Page(text, name)
    joined = dict(shipped)
    spelt = {s: own for own, (f, _) in shipped.items() for s in _spelt(f)}
    for own, (factor, replaces) in added.items():
        same = {spelt[s] for s in _spelt(factor) if s in spelt}
        if same and not replaces:
            remedy = "Take another name, or say 'replaces = true' to have this instead of labrig's."
            page.slip(("factors", own), f"is {', '.join(sorted(same))} of labrig's file", remedy)
        for old in same:
            joined.pop(old, None)
        joined[own] = (factor, replaces)
    if page.slips:
        raise BadResponses(name, page.slips)
    return joined


def _check_names(factors: Factors, text: str, name: str) -> None:
    """No name means two factors, and what one blocks or blunts exists."""
    page = _Page(text, name)
    seen: dict[str, str] = {}
    for own, (factor, _) in factors.items():
        for spelling in _spelt(factor):
            if seen.setdefault(spelling, own) != own:
                what = f"and {seen[spelling]} go by one name, '{spelling}'"
                page.slip(("factors", own), what, "Take the alias from one of them.")
    ways = {f.pathway for f, _ in factors.values()} | {
        p for f, _ in factors.values() for p, _ in f.via
    }
    known = sorted({*factors, *ways, *SIGNALS, "MAPK"} - {""})
    for own, (factor, _) in factors.items():
        for key, names in (("blocks", [n for n, _ in factor.blocks]), ("blunts", factor.blunts)):
            for other in names:
                if other not in known:
                    what = f"'{other}' is no factor or pathway"
                    page.slip(("factors", own, key), what, _offer(other, known))
        for component, _ in factor.spares:
            if component not in COMPONENTS:
                what = f"'{component}' is no component of a medium"
                page.slip(("factors", own, "spares"), what, _offer(component, COMPONENTS))
    if page.slips:
        raise BadResponses(name, page.slips)


def _spelt(factor: Factor) -> set[str]:
    return {spellings(written)[0] for written in (factor.name, *factor.aliases)}


def _offer(word: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1)
    return f"Did you mean '{near[0]}'?" if near else f"There is: {', '.join(sorted(names))}."
