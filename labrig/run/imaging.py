"""Stage and camera together: move, arrive, see that it arrived, take the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from labrig.error_rules import Action, Decision, Error, Retry
from labrig.plan.run_rules import RunRules
from labrig.plan.timeline import Film, Frame, Picture
from labrig.record.alarms import Question
from labrig.record.doubts import doubt_words
from labrig.record.kinds.levels import NotDone
from labrig.record.kinds.other_deviations import (
    BadPicture,
    MissedPicture,
    PositionOff,
    Saturated,
    StageHomedByOperator,
    StageLost,
)
from labrig.record.kinds.pictures import (
    FilmTaken,
    FrameTaken,
    PictureMissed,
    Reached,
    Stored,
    Where,
)
from labrig.record.kinds.runs import StageMarked
from labrig.run.desk import Desk
from labrig.run.disk_room import DiskRoom
from labrig.run.handler import ForHandler
from labrig.run.imaging_link import Imaging, ImagingFailed
from labrig.run.mode import Mode
from labrig.run.orders import Decided, Finish, InMode, Order
from labrig.run.whereabouts import Whereabouts
from labrig_drivers.errors import LinkError, Refused
from labrig_drivers.kinds import Stage, TellsReset

MOVE_DEADLINE_S = 60.0
MOST_SATURATED = 0.01
"""[P] A picture of which more is at full scale is told of; measures flag it from there, too."""
_FIRST_LOOK_S = 0.1
_LOOKS = 2.0
"""Each look at a moving stage comes this much later than the one before, up to half a second."""

Attach = Callable[[Picture, float, tuple[float, float]], Any]
"""What goes along with a request, from the picture, when it was begun (s from t0), and where the
stage says that it stands (x, y, µm)."""


LOOK_AT_CAMERA = "Look at camera and stage; the next picture is tried all the same."


class StageNotThere(Exception):
    """The stage did not come to rest in time."""


class LostStage(Exception):
    """Nobody knows where the stage stands: it is not where it was left."""


class ImagingHandler:
    """Owns one stage, and the camera that looks through it.

    Args:
        name: the stage's name.
        desk: clock, journal, fence and board.
        camera: the imaging process.
        rules: when a move counts as arrived.
        pause_until: waits on the run's clock; raises when the run is stopped meanwhile.
        attachment: what goes along with a request, unseen (a simulated bench's scene).
        whereabouts: where the stage should stand.
        lost: an earlier runner did not find it there, and nobody has put it right.
        room: says which pictures give way when the disk is short of room.
    """

    def __init__(
        self,
        name: str,
        desk: Desk,
        camera: Imaging,
        rules: RunRules,
        pause_until: Callable[[float], None],
        attachment: Attach | None,
        whereabouts: Whereabouts,
        lost: bool = False,
        room: DiskRoom | None = None,
    ) -> None:
        self._room = room
        self.name = name
        self._desk = desk
        self._camera = camera
        self._rules = rules
        self._pause_until = pause_until
        self._attachment = attachment
        self._stage: Stage | None = None
        self._marked_stage: TellsReset | None = None
        self._at_um: tuple[float, float] | None = None
        self._whereabouts = whereabouts
        self._lost = ""
        self._lost_before = lost
        self._too_bright: set[str] = set()
        self._doubted: dict[str, tuple[str, ...]] = {}

    def attach(self, driver: Stage) -> None:
        """Ask where the stage is; move nothing."""
        self._stage = driver
        self._marked_stage = driver if isinstance(driver, TellsReset) else None
        self._at_um = None
        x_um, y_um = driver.position_um()
        self._desk.measured(self.name, {"x_um": x_um, "y_um": y_um})

    def heed(self, message: ForHandler) -> None:
        """Take one frame or film; go on with a stage that was lost; stand still; let go."""
        match message:
            case Order(entry=Frame() | Film() as entry):
                self._desk.fence.check(message.epoch)
                self._take_picture(entry)
            case Decided(key=key, choice="homed") if key == self._question_id():
                self._is_homed()
            case Order():
                raise TypeError(f"{message.entry.key} is not for a stage")
            case InMode(mode=Mode(name="halted")):
                if self._stage is not None:
                    self._stage.stop()
                self._at_um = None
            case Finish():
                self._camera.close()
            case _:
                pass

    def _is_homed(self) -> None:
        """A person has put it right."""
        self._lost, self._lost_before = "", False
        self._whereabouts.forget()
        self._desk.deviation(StageHomedByOperator(instrument=self.name))
        self._desk.board.clear("stage-lost", self.name)

    def _take_picture(self, entry: Picture) -> None:
        if self._room is not None and (why := self._room.left_out(entry)):
            self._desk.note(entry.row_kind, entry.key, "skipped", NotDone(why))
            return
        begun_s = self._desk.clock.now_s()
        where = Where(
            entry.camera, entry.well, entry.field, entry.channel, entry.x_um, entry.y_um,
            entry.round if isinstance(entry, Frame) else None,
        )  # fmt: skip
        try:
            x_um, y_um = self._go_to(entry.x_um, entry.y_um)
            verified = self._near((x_um, y_um), entry)
            where = replace(where, reached=Reached(x_um, y_um, verified))
            if not verified:
                self._desk.deviation(PositionOff(key=entry.key, where=where))
            if isinstance(entry, Film) and entry.begins_s > self._desk.clock.now_s():
                self._pause_until(entry.begins_s)
            taken_s = self._desk.clock.now_s()
            reply, taken_s = self._taken(entry, (x_um, y_um))
        except (LostStage, StageNotThere, Refused, ImagingFailed) as error:
            reason = str(error)
            self._desk.note(
                entry.row_kind, entry.key, "missed", PictureMissed(reason, where),
                MissedPicture(key=entry.key, reason=reason),
            )  # fmt: skip
            if not isinstance(error, LostStage):
                what = f"a picture was missed: {reason.rstrip('.')}."
                self._desk.alarm("camera", entry.camera, what, LOOK_AT_CAMERA)
            return
        self._desk.board.clear("camera", entry.camera)
        if self._room is not None:
            self._room.stored(entry, reply.get("bytes"))
        self._judge_light(entry, reply.get("saturated_fraction") or 0.0)
        self._judge_doubts(entry, doubts := tuple(reply.get("doubts") or ()))
        self._desk.board.count("pictures")
        stored = Stored(
            reply["path"], reply["sha256"], reply.get("focus"), reply.get("exposure_ms"),
            reply.get("bytes"), reply.get("saturated_fraction"),
            entry.offset_s, round(begun_s, 3), round(taken_s - entry.offset_s, 3), doubts,
        )  # fmt: skip
        taken: FrameTaken | FilmTaken = FrameTaken(where, stored)
        if isinstance(entry, Film):
            taken = FilmTaken(where, stored, reply.get("frame_rate_hz"))
        self._desk.note(entry.row_kind, entry.key, "confirmed", taken)

    def _taken(self, entry: Picture, at_um: tuple[float, float]) -> tuple[dict[str, Any], float]:
        """The camera's reply and when it was asked, tried again by the rules of its errors.

        Raises:
            ImagingFailed: no try gave a picture.
        """
        while True:
            taken_s = self._desk.clock.now_s()
            error: Error = "bad_picture"
            reply, failed = {}, None
            try:
                reply = self._request(entry, taken_s, at_um)
            except ImagingFailed as found:
                error, failed, what = "camera_failed", found, found.what
            else:
                what = _what_is_bad(reply)
                if not what:
                    self._over(entry)
                    return reply, taken_s
            decision = self._troubles(entry, error, what)
            if isinstance(decision, Retry):
                if decision.apart_s:
                    self._pause_until(self._desk.clock.now_s() + decision.apart_s)
                continue
            if failed is not None:
                raise failed
            return reply, taken_s

    def _troubles(self, entry: Picture, error: Error, what: str) -> Decision:
        action: Action = "film" if isinstance(entry, Film) else "picture"
        return self._desk.troubles.met(action, error, entry.key, what, entry.wells)

    def _over(self, entry: Picture) -> None:
        self._desk.troubles.over("film" if isinstance(entry, Film) else "picture", entry.key)

    def _judge_light(self, entry: Picture, saturated: float) -> None:
        """Tell a person while the exposure can still be mended; once for each channel."""
        about = f"{entry.camera} {entry.channel}"
        if saturated <= MOST_SATURATED:
            self._too_bright.discard(about)
            self._desk.board.clear("saturated", about)
            return
        if about not in self._too_bright:
            self._too_bright.add(about)
            self._desk.deviation(Saturated(instrument=about, key=entry.key, fraction=saturated))
        self._desk.alarm(
            "saturated", about, f"{saturated:.0%} of the pixels are at the top of the scale.",
            "Less light or a shorter exposure; what is over-exposed cannot be measured.",
        )  # fmt: skip

    def _judge_doubts(self, entry: Picture, doubts: tuple[str, ...]) -> None:
        """The same of a picture that may be of no use; once for each channel and doubt."""
        about = f"{entry.camera} {entry.channel}"
        if not doubts:
            self._doubted.pop(about, None)
            self._desk.board.clear("bad-picture", about)
            return
        if self._doubted.get(about) != doubts:
            self._doubted[about] = doubts
            self._desk.deviation(BadPicture(instrument=about, key=entry.key, doubts=doubts))
        self._desk.alarm(
            "bad-picture", about, f"a picture {doubt_words(doubts)}.",
            "Look at lamp, focus, camera and cable. Pictures go on as planned.",
        )  # fmt: skip

    def _request(
        self, entry: Picture, taken_s: float, at_um: tuple[float, float]
    ) -> dict[str, Any]:
        length_s = entry.length_s if isinstance(entry, Film) else 0.0
        attachment = None
        if self._attachment is not None:
            if length_s:
                # Pulses may begin while a film is taken: what it shows is known when it is over.
                self._pause_until(taken_s + length_s)
            attachment = self._attachment(entry, taken_s, at_um)
        common: dict[str, Any] = {
            "camera": entry.camera, "channel": entry.channel, "well": entry.well,
            "field": entry.field, "exposure_ms": entry.exposure_ms, "offset_s": taken_s,
            "attachment": attachment,
        }  # fmt: skip
        if entry.z_um is not None:
            common["z_um"] = entry.z_um
        exposure_s = entry.exposure_ms / 1000.0
        if isinstance(entry, Frame):
            return self._camera.request(
                exposure_s, do="snap", round=entry.round, t_index=entry.round, **common
            )
        return self._camera.request(
            # Storing a film takes longer than making it.
            exposure_s + 4 * length_s, do="film", name=entry.key,
            frame_rate_hz=entry.frame_rate_hz, frames=entry.frames, **common,
        )  # fmt: skip

    def _go_to(self, x_um: float, y_um: float) -> tuple[float, float]:
        """Where the stage is after trying twice to be there.

        Raises:
            LostStage: it does not stand where it was left; it is not moved until a person has
                looked.
        """
        target = (x_um, y_um)
        here = self._look()
        if self._at_um == target:
            return here
        if not self._whereabouts.marked and self._marked_stage is not None:
            self._whereabouts.marked = self._marked_stage.mark()
            if self._whereabouts.marked:
                self._desk.of_run(StageMarked(instrument=self.name))
        self._at_um = None
        troubles = self._desk.troubles
        while True:
            self._whereabouts.leaves(here, target)
            self._move(target)
            here = self._look()
            self._whereabouts.rests(here)
            position = {"x_um": here[0], "y_um": here[1]}
            if self._close(here, target):
                # The picture's row will say so.
                self._desk.told_elsewhere(self.name, position)
                self._pause_until(self._desk.clock.now_s() + self._rules.settle_s)
                self._at_um = target
                troubles.over("move", self.name)
                break
            what = f"sent to {x_um:g}, {y_um:g} µm it stands at {here[0]:g}, {here[1]:g} µm"
            decision = troubles.met("move", "not_arrived", self.name, what)
            if not isinstance(decision, Retry):
                break
            self._desk.measured(self.name, position)
            if decision.apart_s:
                self._pause_until(self._desk.clock.now_s() + decision.apart_s)
        return here

    def _look(self) -> tuple[float, float]:
        """Where the stage stands, if that can be believed."""
        stage = self._port()
        if self._lost:
            raise LostStage(self._lost)
        found = stage.position_um()
        unmarked = False
        if self._whereabouts.marked and self._marked_stage is not None:
            unmarked = self._marked_stage.was_reset()
        doubt = self._whereabouts.doubt(found, stage.limits(), unmarked)
        if not doubt and self._lost_before:
            doubt = "it was not where it had been left, and nobody has put it right since"
        if not doubt:
            return found
        self._lose(found, doubt)
        raise LostStage(self._lost)

    def _lose(self, found: tuple[float, float], doubt: str) -> None:
        """Have it put right by a person."""
        self._at_um = None
        self._lost = f"{self.name} is lost: {doubt}."
        self._desk.deviation(
            StageLost(instrument=self.name, x_um=found[0], y_um=found[1], what=doubt)
        )
        remedy = (
            "Was it without power, or moved by hand? Bring it to where its coordinates are right "
            "(see the rig's origin), zero it there, then answer. It is not moved until then."
        )
        self._desk.alarm("stage-lost", self.name, f"{doubt}.", remedy)
        question = f"{self._lost} {remedy}"
        now_s = self._desk.clock.now_s()
        troubles = self._desk.troubles
        facts = troubles.by_default("move", "lost") or None
        self._desk.board.ask(
            Question(self._question_id(), question, ("homed", "leave"), now_s, facts)
        )
        troubles.give_up("move", "lost", self.name, doubt, ())

    def _question_id(self) -> str:
        return f"stage:{self.name}"

    def _move(self, target: tuple[float, float]) -> None:
        stage = self._port()
        stage.move_to(*target)
        began_s = self._desk.clock.now_s()
        look_s = _FIRST_LOOK_S
        while stage.moving():
            now_s = self._desk.clock.now_s()
            if now_s - began_s > MOVE_DEADLINE_S:
                stage.stop()
                raise StageNotThere(
                    f"{self.name} was still moving after {MOVE_DEADLINE_S:g} s and was stopped."
                )
            self._pause_until(now_s + look_s)
            look_s = min(look_s * _LOOKS, 0.5)

    def _near(self, reached: tuple[float, float], entry: Picture) -> bool:
        return self._close(reached, (entry.x_um, entry.y_um))

    def _close(self, one: tuple[float, float], other: tuple[float, float]) -> bool:
        within = self._rules.arrive_within_um
        return abs(one[0] - other[0]) <= within and abs(one[1] - other[1]) <= within

    def _port(self) -> Stage:
        if self._stage is None:
            raise LinkError(self.name, "it has not answered since this runner started.")
        return self._stage


def _what_is_bad(reply: Mapping[str, Any]) -> str:
    """In words; "" for a picture that can be used."""
    found = []
    if (fraction := reply.get("saturated_fraction") or 0.0) > MOST_SATURATED:
        found.append(f"{fraction:.0%} of its pixels are at the top of the scale")
    if doubts := reply.get("doubts"):
        found.append(f"it {doubt_words(doubts)}")
    return "; ".join(found)
