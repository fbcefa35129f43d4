"""Words that the rows of a journal share between whoever writes and whoever reads them."""

from __future__ import annotations

from typing import Literal

Condition = Literal["starting", "running", "held", "stopping", "stopped", "finished", "failed"]
"""Of a run."""

DIED = "died"
"""Said from outside of a run whose runner is gone, and that has no end."""

Classification = Literal["done", "not done", "partly", "unknown", "under way"]
"""What became of a dose that was sent, by what its pump tells."""
