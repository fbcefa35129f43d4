"""Third parties' packages of instruments, as pip leaves them: for children of this process, too."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from labrig_drivers.instrument import installed_types


class PlugIns:
    """Packages in a folder of their own."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self._folder = folder
        monkeypatch.syspath_prepend(str(folder))
        inherited = os.environ.get("PYTHONPATH")
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [inherited])]))

    def install(self, package: str, entries: dict[str, str], source: str) -> None:
        """A package with these entry points (name: object) and this module's source."""
        module = package.replace("-", "_")
        (self._folder / f"{module}.py").write_text(source, encoding="utf-8")
        info = self._folder / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"{name} = {module}:{what}\n" for name, what in entries.items()]
        (info / "entry_points.txt").write_text("[labrig.instruments]\n" + "".join(lines))
        sys.modules.pop(module, None)
        importlib.invalidate_caches()
        installed_types.cache_clear()
