"""The small run folders of the report's tests, for what the page shows of them."""

from __future__ import annotations

import run_stories

write_run = run_stories.write_run
story = run_stories.story
