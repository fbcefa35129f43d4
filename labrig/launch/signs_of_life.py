"""Whether a process that does not answer yet gets on with its work."""

from __future__ import annotations

from pathlib import Path

from labrig.run_folder import RunFolder


def signs_of_life(pid: int, folder: RunFolder) -> tuple[int, ...]:
    """Figures of a starting runner that change while it works: compare two looks.

    The time it has computed (Linux only), and the sizes of what it writes.
    """
    written = [folder.log, folder.journal, *sorted(folder.wire.glob("*"))]
    return (_computed(pid), *(_size(path) for path in written))


def _computed(pid: int) -> int:
    """In ticks, with its children's; `utime` to `cstime` of proc_pid_stat(5)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    # after the name, which may hold anything, the first field is the third
    return sum(int(ticks) for ticks in text.rpartition(")")[2].split()[11:15])


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
