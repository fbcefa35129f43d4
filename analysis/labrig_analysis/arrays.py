"""What kinds of arrays the analysis passes about.

OpenCV's stubs promise no more than "integer or floating", so the element type is named here for
the reader and not checked by mypy; shapes and units stand in the docstrings.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy.typing as npt

GreyImage: TypeAlias = npt.NDArray[Any]
"""(y, x), any integer or floating type, as a camera or a file gave it."""

FloatImage: TypeAlias = npt.NDArray[Any]
"""(y, x) float32, or a flat float32 list of values."""

LabelImage: TypeAlias = npt.NDArray[Any]
"""(y, x) uint16 or int32: 0 is background, 1..n are objects."""

Columns: TypeAlias = dict[str, npt.NDArray[Any]]
"""A table: columns of one length by name. It becomes a data frame once, when it is complete: pandas
takes longer to add a column than to be given all of them."""

Mask: TypeAlias = npt.NDArray[Any]
"""(y, x) bool."""
