"""Every number of a file of responses carries the mark of where it comes from.

``[S]`` read in a source, ``[K]`` common knowledge, ``[P]`` a proposal, ``[C]`` computed: in a
comment at the end of the line, since TOML keeps none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_MARK = re.compile(r"\[[SKPC]\]")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')
_NUMBER = re.compile(r"(?<![\w.-])[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![\w-])")
_AMOUNT = re.compile(r'["\'][0-9.eE+-]*[0-9]\s*(?:[%x]|[a-zA-Z]+/?[a-zA-Z]*(?: h)?)["\']')


def unmarked_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines, counted from 1, with a number and no mark; and what stands there."""
    for number, line in enumerate(text.splitlines(), start=1):
        values, comment = _split(line)
        if values.lstrip().startswith("[") or values.split("=")[0].strip() == "version":
            continue
        bare = _TEXT.sub('""', values.partition("=")[2])
        has_number = _NUMBER.search(bare) or _AMOUNT.search(values.partition("=")[2])
        if has_number and not _MARK.search(comment):
            yield number, line.strip()


def _split(line: str) -> tuple[str, str]:
    """What stands before the comment, and the comment."""
    masked = _TEXT.sub(lambda found: "_" * len(found[0]), line)
    at = masked.find("#")
    return (line, "") if at < 0 else (line[:at], line[at:])
