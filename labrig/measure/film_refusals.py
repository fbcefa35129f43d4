"""What is said when a film cannot be measured; apart, so that a command can name it at once."""

from __future__ import annotations


class FilmRefused(Exception):
    """The film or what came with it cannot be used; the text says what to do."""
