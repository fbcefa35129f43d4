"""The JSON schemas with which editors complete protocols, rigs, experiments and files of faults.

``python -m labrig.schemas`` writes them into the catalogue; a test says when they are stale.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from labrig.catalogue import catalogue_folder
from labrig.experiment.models import Experiment
from labrig.protocol.models import Protocol
from labrig.rig.fault_script import FaultScript
from labrig.rig.models import Rig

SCHEMAS: Mapping[str, type[BaseModel]] = {
    "schema.json": Protocol,
    "rig.schema.json": Rig,
    "experiment.schema.json": Experiment,
    "faults.schema.json": FaultScript,
}


def schema_text(model: type[BaseModel]) -> str:
    """The schema of a file, keys as YAML writes them, stable in order."""
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_any_of(model.model_json_schema(by_alias=True, mode="validation")),
    }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _any_of(node: Any) -> Any:  # noqa: ANN401 - JSON
    """Unions as `anyOf`: pydantic tells their members apart by more than a schema says.

    A time such as ``24 h`` fits the schema of a named moment too, and `oneOf` would refuse it.
    """
    if isinstance(node, list):
        return [_any_of(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {"anyOf" if key == "oneOf" else key: _any_of(value) for key, value in node.items()}


def main() -> None:
    """Write them into the catalogue."""
    for name, model in SCHEMAS.items():
        path = catalogue_folder() / name
        path.write_text(schema_text(model), encoding="utf-8")
        print(path)


if __name__ == "__main__":
    main()
