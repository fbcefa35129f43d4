"""``stop.json``: a stop that reaches a run whether or not its runner answers, or lives.

Whoever wants a run stopped writes this file first and knocks at the runner's door then. A runner
that hangs finds it when it wakes; one that takes over from a dead one finds it before it asserts
anything. It stays in the run folder.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labrig.durable import read_json, write_json
from labrig.record.writable import clean_text
from labrig.run.grace import grace_s_of

YES = "yes"


@dataclass(frozen=True, slots=True)
class StopRequest:
    """Who wants a run stopped, why, since when.

    Attributes:
        command_id: the same at the door, so that it is carried out once.
        asked_utc: ISO 8601.
        grace_s: for so many seconds it can be taken back.
        abort: pumps that feed the cells end as the rig says of an abort.
    """

    command_id: str
    reason: str
    by: str
    asked_utc: str
    grace_s: float = 0.0
    abort: bool = False

    @classmethod
    def now(cls, reason: str, by: str, grace_s: float = 0.0, abort: bool = False) -> StopRequest:
        """A stop that is asked for now."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        return cls(str(uuid.uuid4()), clean_text(reason), clean_text(by), at, grace_s, abort)

    @property
    def args(self) -> dict[str, Any]:
        """As arguments of the command ``stop``."""
        return {
            "reason": self.reason,
            "by": self.by,
            "asked_utc": self.asked_utc,
            "grace_s": repr(self.grace_s),
            **({"abort": YES} if self.abort else {}),
        }


def write_stop(path: Path, request: StopRequest) -> None:
    """Put it on the disk; one that lies there already stays.

    Raises:
        OSError: the disk refuses.
    """
    if not path.exists():
        write_json(path, {"command_id": request.command_id, **request.args})


def read_stop(path: Path) -> StopRequest | None:
    """The stop that was asked for, if any.

    A file that cannot be read is a stop as well: somebody wanted one.
    """
    try:
        raw = read_json(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raw = {"reason": f"a stop.json that cannot be read ({error})"}
    return StopRequest(
        str(raw.get("command_id") or f"stop-{path.parent.name}"),
        clean_text(str(raw.get("reason", ""))),
        clean_text(str(raw.get("by", ""))),
        str(raw.get("asked_utc", "")),
        # One that cannot be read is for good.
        grace_s_of(raw) or 0.0,
        raw.get("abort") == YES,
    )
