"""Every protocol that the cookbook shows is one that `labrig check` lets pass.

A page holds the keys that matter. A comment on the line above them names the file of the catalogue
that they are laid over, and the bench::

    <!-- over: demo-night.yaml bench: rigs/simulated-bench.yaml -->
    ```yaml
    arms: {...}
    ```

Mappings are merged; anything else takes the place of what stood there; ``null`` deletes a key.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import labrig
from labrig.catalogue import catalogue_folder
from labrig.plan.compile import compile
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig

COOKBOOK = Path(labrig.__file__).parents[1] / "docs" / "cookbook"
_FENCE = re.compile(r"^```yaml([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_OVER = re.compile(r"<!-- over: (\S+) bench: (\S+) -->\n\Z")
_YAML = YAML(typ="safe")


def recipes() -> list[tuple[str, str, str, str]]:
    """(page and number, file laid over, bench, keys) of every recipe of the cookbook."""
    found = []
    for page in sorted(COOKBOOK.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for number, fence in enumerate(_FENCE.finditer(text), 1):
            over = _OVER.search(text[: fence.start()])
            name = f"{page.stem}-{number}"
            assert over, f"{name}: write <!-- over: FILE bench: FILE --> on the line above it"
            assert not fence.group(1), f"{name}: nothing may follow ```yaml, or it is not rendered"
            found.append((name, over.group(1), over.group(2), fence.group(2)))
    return found


def laid_over(base: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with ``keys`` merged into it; None deletes."""
    made = copy.deepcopy(dict(base))
    for key, value in keys.items():
        if value is None:
            made.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(made.get(key), Mapping):
            made[key] = laid_over(made[key], value)
        else:
            made[key] = value
    return made


def blocks(base: str, bench: str, keys: str, folder: Path) -> list[str]:
    """What keeps a recipe from being run."""
    catalogue = catalogue_folder()
    written = laid_over(
        _YAML.load((catalogue / base).read_text(encoding="utf-8")), _YAML.load(keys)
    )
    file = folder / "recipe.yaml"
    with file.open("w", encoding="utf-8") as out:
        _YAML.dump(written, out)
    rig = load_rig(catalogue / bench)
    plan = compile(load_protocol(file), rig, today=date(2026, 11, 30))
    return [f"{f.code} {f.where}: {f.why}" for f in plan.findings if f.severity == "block"]


@pytest.mark.parametrize(("base", "bench", "keys"), [
    pytest.param(base, bench, keys, id=name) for name, base, bench, keys in recipes()
])  # fmt: skip
def test_a_recipe_can_be_run(base, bench, keys, tmp_path):
    assert blocks(base, bench, keys, tmp_path) == []


def test_a_recipe_that_cannot_be_run_is_found_out(tmp_path):
    weak = "stocks: {nerve-cocktail: {contents: {CNTF: 1 ng/mL}}}"
    found = blocks("demo-night.yaml", "rigs/simulated-bench.yaml", weak, tmp_path)
    assert any(one.startswith("perfusion.target-missed") for one in found), found
