"""What the runner's process may hold in memory."""

from __future__ import annotations

import subprocess
import sys

FORBIDDEN = ("prefect", "cv2", "numpy", "zarr", "pandas", "pydantic", "pint", "sqlalchemy")


def test_the_runner_imports_nothing_heavy():
    code = (
        "import sys, labrig.run.runner, labrig.plan.store; "
        "from labrig_drivers.instrument import installed_types; installed_types(); "
        f"print([m for m in {FORBIDDEN!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr
