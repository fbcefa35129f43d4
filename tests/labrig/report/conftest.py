"""Small run folders with what we want gone wrong (:mod:`run_stories`)."""

from __future__ import annotations

import run_stories

write_run = run_stories.write_run
demo_protocol = run_stories.demo_protocol
story = run_stories.story
