"""Keys that protocols gained after they could first be committed.

A commitment made before a key existed does not hold it. It still stands when the protocol of today
says under that key what every older version did. Whoever adds a key to the models writes it down
here; ``tests/labrig/protocol/test_commitments_of_released_versions.py`` sees to that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ANY = "*"
"""Stands for a name that a person chose, or for a place in a list."""


@dataclass(frozen=True, slots=True)
class AddedKey:
    """One key that older commitments cannot hold.

    Attributes:
        path: where in a protocol, by YAML keys, e.g. ``("phases", ANY, "medium")``.
        since: the first version that knew it.
        meant: the value that means what versions before it did, as a commitment writes it
            (``"2 mL/h"``, ``None``, ``[]``). Where the default differs from it, an older
            commitment does not stand for a protocol that leaves the key out: it would be run
            otherwise than it was committed.
    """

    path: tuple[str, ...]
    since: str
    meant: Any

    def stands_at(self, path: Sequence[str | int]) -> bool:
        """Whether ``path`` of a document is this key."""
        return len(path) == len(self.path) and all(
            own in (ANY, part) for own, part in zip(self.path, path, strict=True)
        )


ADDED_KEYS: tuple[AddedKey, ...] = (
    AddedKey(("analysis",), "0.1.0", None),
    AddedKey(("patterns", ANY, "current"), "0.1.0", None),
    AddedKey(("blinding",), "0.1.0", None),
    AddedKey(("arms", ANY, "nerve"), "0.1.0", None),
    AddedKey(("arms", ANY, "muscle"), "0.1.0", None),
    AddedKey(("imaging", "channels", ANY, "compartments"), "0.1.0", []),
    AddedKey(("imaging", "channels", ANY, "secondary"), "0.1.0", False),
    # of patterns by light alone: none was committed before
    *(
        AddedKey(("patterns", ANY, key), "0.1.0", None)
        for key in ("by", "irradiance", "onto", "wavelength")
    ),
    AddedKey(("assays",), "0.1.0", {}),
    AddedKey(("imaging", "series"), "0.1.0", []),
    AddedKey(("imaging", "phase_mask"), "0.1.0", "rules"),
    AddedKey(("patterns", ANY, "of_capture"), "0.1.0", None),
    AddedKey(("patterns", ANY, "capture"), "0.1.0", None),
    AddedKey(("patterns", ANY, "fallback"), "0.1.0", None),
    AddedKey(("patterns", ANY, "at_most"), "0.1.0", None),
    AddedKey(("patterns", ANY, "if_unknown"), "0.1.0", "ask"),
    AddedKey(("environment", "temperature"), "0.1.0", None),
    AddedKey(("environment", "co2"), "0.1.0", None),
    AddedKey(("environment", "o2"), "0.1.0", None),
    AddedKey(("environment", "set"), "0.1.0", []),
    AddedKey(("steps",), "0.1.0", []),
    AddedKey(("steps", ANY, "bottles"), "0.1.0", "keep"),
    AddedKey(("results",), "0.1.0", []),
    AddedKey(("outcomes",), "0.1.0", []),
    AddedKey(("definition", "named"), "0.1.0", "sarcopenia"),
    AddedKey(("donors", ANY, "age"), "0.1.0", None),
    AddedKey(("donors", ANY, "sex"), "0.1.0", None),
    AddedKey(("donors", ANY, "genotype"), "0.1.0", ""),
    AddedKey(("donors", ANY, "morbidity"), "0.1.0", ""),
    AddedKey(("donors", ANY, "person"), "0.1.0", None),
    AddedKey(("mixtures",), "0.1.0", {}),
    AddedKey(("stocks", ANY, "mixture"), "0.1.0", None),
    AddedKey(("stocks", ANY, "strength"), "0.1.0", None),
    AddedKey(("stocks", ANY, "from"), "0.1.0", None),
    AddedKey(("media", ANY, "glucose"), "0.1.0", None),
    AddedKey(("media", ANY, "calcium"), "0.1.0", None),
    AddedKey(("media", ANY, "amino_acids"), "0.1.0", None),
    AddedKey(("media", ANY, "osmolality"), "0.1.0", None),
    AddedKey(("arms", ANY, "medium"), "0.1.0", None),
    AddedKey(("phases", ANY, "medium"), "0.1.0", None),
    AddedKey(("arms", ANY, "program"), "0.1.0", []),
    AddedKey(("patterns", ANY, "sequence"), "0.1.0", None),
    AddedKey(("patterns", ANY, "each"), "0.1.0", None),
    AddedKey(("errors",), "0.1.0", {}),
    AddedKey(("viability",), "0.1.0", None),
)


def changes(
    committed: Mapping[str, Any],
    today: Mapping[str, Any],
    added: Sequence[AddedKey] | None = None,
) -> tuple[str, ...]:
    """Dotted paths in which a protocol differs from what was committed.

    A key that only today's protocol has is a change, unless it was added after the commitment
    and says what older versions did. Lists are compared place by place and named as a whole.

    Args:
        committed: the fixed part as the commitment holds it.
        today: the fixed part of the protocol as this version reads it.
        added: the ledger of added keys; :data:`ADDED_KEYS` when None.
    """
    return tuple(_changes(committed, today, (), ADDED_KEYS if added is None else added))


def _changes(
    old: Any,  # noqa: ANN401 - JSON values
    new: Any,  # noqa: ANN401
    path: tuple[str | int, ...],
    added: Sequence[AddedKey],
) -> list[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        found = []
        for key in dict.fromkeys([*old, *new]):
            here = (*path, key)
            if key not in new:
                found.append(_dotted(here))
            elif key in old:
                found += _changes(old[key], new[key], here, added)
            elif not any(k.stands_at(here) and _same(k.meant, new[key]) for k in added):
                found.append(_dotted(here))
        return found
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        inside = [
            _changes(before, now, (*path, index), added)
            for index, (before, now) in enumerate(zip(old, new, strict=True))
        ]
        return [_dotted(path)] if any(inside) else []
    return [] if _same(old, new) else [_dotted(path)]


def _same(old: Any, new: Any) -> bool:  # noqa: ANN401 - JSON values
    """Equal, and not merely so because Python takes True for 1."""
    return isinstance(old, bool) is isinstance(new, bool) and bool(old == new)


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in path)
