"""Where the catalogue of protocols and rigs lies, and how a lab gets its own copy."""

from __future__ import annotations

import shutil
from pathlib import Path

DEMO_PROTOCOL = "demo-night.yaml"
DEMO_RIG = "rigs/simulated-bench.yaml"


def catalogue_folder() -> Path:
    """The folder with ``*.yaml``, those of rigs/, seed/ and experiments/, and their schemas.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    here = Path(__file__).parent
    # inside a wheel; in a checkout the catalogue lies beside the packages
    for folder in (here / "_catalogue", here.parent / "protocols"):
        if (folder / DEMO_PROTOCOL).exists():
            return folder
    raise FileNotFoundError(
        f"the catalogue of protocols is missing from {here}. Install labrig again."
    )


def copy_catalogue(destination: Path) -> tuple[Path, ...]:
    """Copy the catalogue to ``destination``; overwrites nothing.

    Returns:
        The files written.

    Raises:
        FileExistsError: one of them is there already; then nothing was written.
        OSError: the folder cannot be written.
    """
    source = catalogue_folder()
    kinds = (
        "*.yaml",
        "rigs/*.yaml",
        "seed/*.yaml",
        "experiments/*.yaml",
        "acceptance/*.yaml",
        "*.json",
    )
    files = sorted(file for kind in kinds for file in source.glob(kind))
    pairs = [(file, destination / file.relative_to(source)) for file in files]
    there = [str(target) for _, target in pairs if target.exists()]
    if there:
        raise FileExistsError(
            f"nothing was written, because {there[0]} exists. Choose an empty folder, or move "
            "your own files away first."
        )
    for file, target in pairs:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    return tuple(target for _, target in pairs)
