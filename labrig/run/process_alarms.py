"""What is told of the runner's own ground: its folder, its threads, the journal it found."""

from __future__ import annotations

from pathlib import Path

from labrig.record.kinds.other_deviations import FolderBack, FolderLost, JournalDamaged
from labrig.run.desk import Desk
from labrig.run.liveness import ThreadState


def tell_of_folder(desk: Desk, folder: Path, lost: bool) -> None:
    """Another or no folder has this path; or it is back."""
    if not lost:
        desk.board.clear("folder", "run folder")
        desk.deviation(FolderBack(folder=str(folder)))
        return
    desk.deviation(FolderLost(folder=str(folder)))
    desk.alarm(
        "folder", "run folder", f"{folder} was renamed, moved or deleted.",
        "Put it back under its name. The run goes on and feeds the cells; pictures cannot be "
        "stored meanwhile. `labrig stop` without a folder still reaches it.",
    )  # fmt: skip


def distrust_journal(desk: Desk, what: str) -> None:
    """The journal that this run was taken over from is not what was written."""
    desk.deviation(JournalDamaged(what=what))
    desk.alarm(
        "journal-damaged", "journal", what,
        "The run goes on with what the journal says since. Keep the file; look at the doses "
        "before, and stop the run if they are in doubt.",
    )  # fmt: skip


def tell_of_thread(desk: Desk, thread: ThreadState) -> None:
    """It hangs."""
    what = f"the thread {thread.name} hangs: {thread.in_words()}."
    desk.alarm(
        "hung", thread.name, what,
        "`labrig stop` and `labrig hold` still work. Look at its instruments and the disk; send "
        "the run folder to whoever looks after labrig.",
    )  # fmt: skip
