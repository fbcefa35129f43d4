"""Where the watch keeps what is its own: in the user's state folder, readable by this user only."""

from __future__ import annotations

from pathlib import Path

from labrig.run.register import state_folder

MEMORY = "memory.json"
"""In either folder: what was told, and what is watched."""


def watch_folder() -> Path:
    """The folder, made when missing. Raises OSError."""
    folder = state_folder() / "watch"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def remote_folder() -> Path:
    """That of the watch that listens to other computers, made when missing. Raises OSError."""
    folder = watch_folder() / "remote"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def routes_file() -> Path:
    """Who is told by which way; written by people and by the page."""
    return state_folder() / "watch" / "routes.yaml"


def trials_file() -> Path:
    """When each route was last tried out, and what came of it."""
    return state_folder() / "watch" / "trials.json"
