"""What can be wrong with a request to measure, said so that the person at the bench can mend it."""

from __future__ import annotations


class MeasureError(Exception):
    """The whole request cannot be carried out; the text says where, what and how to mend it."""


class UnreadableImage(Exception):
    """One image cannot be read; its field becomes a row with this reason."""


class PixelsNotSquare(UnreadableImage):
    """The file states pixels of two sides: no one size is right for lengths."""
