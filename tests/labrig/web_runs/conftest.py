"""The small run folders of the report's tests, for what the page shows of them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_PATH = Path(__file__).parents[1] / "report" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("run_folders_of_the_report", _PATH)
assert _SPEC is not None
assert _SPEC.loader is not None
_stories = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = _stories
_SPEC.loader.exec_module(_stories)

write_run = _stories.write_run
story = _stories.story
