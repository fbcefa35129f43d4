"""Looks at the disk while pictures are taken, and lets some give way before it is full.

Flow, doses, impulses and the journal ask nobody here. What is left out is written down picture by
picture, and a person is told while room can still be made. Workers of several stages share it.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from collections.abc import Callable

from labrig.plan.disk_room import RECORD_BYTES, Sizes, Stage, record_bytes, why_words
from labrig.plan.packed import packed
from labrig.plan.plan import Plan
from labrig.plan.timeline import Frame, Picture
from labrig.record.kinds.other_deviations import DiskShort
from labrig.record.supplies_now import SupplyNow
from labrig.run.desk import Desk

CODE = "disk-short"
LOOK_EVERY_S = 30.0
MARGIN = 1.05
"""[P] Pictures give way when what is still to come is not there with so much over."""
BACK = 1.3
"""[P] And come back when there is as much as a start asks for: not back and forth."""
KNOWN_AFTER = 20
"""[P] After so many pictures their size on disk is known better than before compression."""
_STAGES: tuple[Stage, ...] = (0, 1, 2, 3)


class DiskRoom:
    """Of one run.

    Args:
        plan: what is still to come.
        desk: clock, journal and board.
        free_bytes: on the disk of the run folder; raises OSError where nobody can say.
    """

    def __init__(self, plan: Plan, desk: Desk, free_bytes: Callable[[], int]) -> None:
        self._desk = desk
        self._free_bytes = free_bytes
        # Nobody is told, and no disk is asked, while it is held.
        self._lock = threading.Lock()
        self._sizes = Sizes.of_plan(plan)
        timeline = packed(plan.timeline)
        self._timeline = timeline
        self._places = array("I", (
            place for place in range(len(timeline))
            if isinstance(timeline.specimen(place), Picture)
        ))  # fmt: skip
        self._times = array("d", (timeline.offsets_s[place] for place in self._places))
        self._sums_of: dict[Stage, array[int]] = {}
        self._record_bytes = record_bytes(plan.timeline) - RECORD_BYTES
        self._duration_s = plan.forecast.duration_s
        self._next_s = 0.0
        self._planned_bytes = self._stored_bytes = self._count = 0
        self._stage: Stage = 0
        self._judged = False

    def _to_come(self, stage: Stage) -> array[int]:
        """By picture in order of time, what it and all after it take."""
        if stage not in self._sums_of:
            self._sums_of[stage] = self._sums(stage)
        return self._sums_of[stage]

    def _sums(self, stage: Stage) -> array[int]:
        sums, total = array("q", [0]), 0
        each: dict[int, tuple[int, int]] = {}
        for place in reversed(self._places):
            like_it = self._timeline.specimen(place)
            if (found := each.get(id(like_it))) is None:
                assert isinstance(like_it, Picture)
                found = self._sizes.keeps_every(like_it, stage), self._sizes.bytes(like_it)
                each[id(like_it)] = found
            every, size = found
            if every and (every == 1 or self._timeline.rounds[place] % every == 0):
                total += size
            sums.append(total)
        sums.reverse()
        return sums

    def left_out(self, picture: Picture) -> str:
        """Why a picture that is due now is not taken; "" where it is."""
        if not isinstance(picture, Frame):
            return ""
        self._look()
        with self._lock:
            stage = self._stage
        if not self._sizes.gives_way(picture, stage):
            return ""
        size = self._sizes.of.get(picture.channel)
        return why_words(stage, size is not None and size.secondary)

    def stored(self, picture: Picture, on_disk: int | None) -> None:
        """A picture was stored, in so many bytes."""
        planned = self._sizes.bytes(picture)
        if on_disk is not None and planned:
            with self._lock:
                self._planned_bytes += planned
                self._stored_bytes += on_disk
                self._count += 1

    def now(self) -> SupplyNow | None:
        """For the forecast; None where nobody can say."""
        try:
            free = self._free_bytes()
        except OSError:
            return None
        now_s = self._desk.clock.now_s()
        room = free - self._record_still(now_s)
        place = self._place(now_s)
        ends_s = None
        if self._needs(0, place) > max(room, 0.0):
            sums, scale = self._to_come(0), self._scale()
            # Sums fall with the place; what is taken from now to there is what counts.
            taken = [(sums[place] - left) * scale for left in sums[place:]]
            at = place + max(0, bisect_left(taken, max(room, 0.0)) - 1)
            ends_s = max(now_s, self._times[min(at, len(self._times) - 1)])
        return SupplyNow("disk", "disk", free / 1e9, "GB", ends_s)

    def _look(self) -> None:
        now_s = self._desk.clock.now_s()
        with self._lock:
            if now_s < self._next_s:
                return
            self._next_s = now_s + LOOK_EVERY_S
        try:
            free = self._free_bytes()
        except OSError:
            return  # its own alarm tells that the folder is gone
        room, place = free - self._record_still(now_s), self._place(now_s)
        with self._lock:
            before, first = self._stage, not self._judged
            stage = self._stage = self._stage_for(room, place)
            self._judged = True
        if stage != before:
            self._tell(stage, free, self._needs(0, place))
        elif first:
            # What an earlier runner had raised may be over.
            self._desk.board.clear(CODE, "disk")

    def _stage_for(self, room: float, place: int) -> Stage:
        if not self._needs(0, place):
            room = 0.0  # of pictures whose size nobody knows, none gives way
        stage = next((s for s in _STAGES if self._needs(s, place) * MARGIN <= room), _STAGES[-1])
        if stage < self._stage:
            back = (s for s in _STAGES if self._needs(s, place) * BACK <= room)
            stage = min(self._stage, next(back, self._stage))
        return stage

    def _tell(self, stage: Stage, free: int, needed: float) -> None:
        names = tuple(size.channel for size in self._sizes.of.values() if size.secondary)
        self._desk.deviation(
            DiskShort(stage, round(free / 1e9, 3), round(needed / 1e9, 3), names if stage else ())
        )
        if stage == 0:
            self._desk.board.clear(CODE, "disk")
            return
        what = [f"of {', '.join(names)} none is taken" if names else ""]
        what.append({2: "every second round is left out", 3: "three of four rounds are left out"}
                    .get(stage, ""))  # fmt: skip
        self._desk.board.clear(CODE, "disk")
        self._desk.alarm(
            CODE, "disk", f"{free / 1e9:.3g} GB are free, and pictures still to come need "
            f"{needed / 1e9:.3g} GB: {'; '.join(filter(None, what)) or 'nothing can give way'}.",
            "Free space on the disk of the run folder: then all pictures are taken again.",
        )  # fmt: skip

    def _place(self, now_s: float) -> int:
        return bisect_left(self._times, now_s)

    def _needs(self, stage: Stage, place: int) -> float:
        return self._to_come(stage)[place] * self._scale()

    def _scale(self) -> float:
        # One value each: whoever stores a picture meanwhile changes it by one in a thousand.
        stored, planned, count = self._stored_bytes, self._planned_bytes, self._count
        return 1.0 if count < KNOWN_AFTER else stored / planned

    def _record_still(self, now_s: float) -> float:
        """Of what is written besides pictures, what is still to come: it goes before them."""
        share = max(0.0, 1.0 - now_s / self._duration_s) if self._duration_s else 0.0
        return self._record_bytes * share + RECORD_BYTES
