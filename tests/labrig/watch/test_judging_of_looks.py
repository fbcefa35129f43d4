"""What looks at a run mean: deaths, hangs, alarms, questions, ends; and what means nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labrig.display.alarms import ALARMS
from labrig.display.legend import Legend
from labrig.watch.judging import Doubts, Known, judge
from labrig.watch.looking import JournalRow, Look
from labrig.watch.routes import Routes
from labrig.watch.severities import severity_of

KNOWN = Known("/runs/night", "night", "night on bench (real bench)", "id-1", pid=7)


def status(now_s=100.0, threads=(), alarms=(), questions=()):
    return {
        "now_s": now_s, "utc": "2026-11-30T02:13:00+00:00",
        "threads": threads, "alarms": alarms, "questions": questions,
    }  # fmt: skip


def sound(now_s=100.0, pid=7, rows=(), **shown):
    return Look(True, pid, True, status(now_s, **shown), (), tuple(rows), None, True)


DEAD = Look(False, 0, False, None, (), (), None, True)


def mute(signs=(1, 2), door=True):
    return Look(True, 7, door, None, tuple(signs), (), None, True)


def ended(condition, **more):
    return replace(DEAD, outcome={"condition": condition, "over": True, **more})


def thread(name="dispatcher", alive=True, doing="the schedule", for_s=1.0):
    return {"name": name, "alive": alive, "doing": doing, "for_s": for_s, "overdue_s": 0.0}


def alarm(code="stall", about="nerve_02", since_s=90.0):
    return {"code": code, "about": about, "since_s": since_s, "what": "it stopped itself",
            "remedy": "Look."}  # fmt: skip


def question(key="stall:nerve_02", since_s=95.0):
    return {"id": key, "what": "Restart?", "options": ["restart", "leave"], "since_s": since_s,
            "facts": {"rate_ul_min": 0.35, "from_s": 60.0}}  # fmt: skip


class Night:
    """Looks one after the other, a second apart, and what came of them."""

    def __init__(self, lab=None, known=KNOWN):
        self.lab, self.known = lab or Routes(), known
        self.now_s, self.doubts = 1000.0, Doubts(1000.0)
        self.causes, self.standing, self.over = [], frozenset(), False
        self.first_s = {}

    def look(self, look, times=1, step_s=1.0):
        for _ in range(times):
            self.now_s += step_s
            told = judge(self.known, self.doubts, look, self.now_s, self.lab, Legend)
            self.known, self.doubts = told.known, told.doubts
            self.standing, self.over = told.standing, told.over
            for cause in told.causes:
                if cause.key not in self.first_s:
                    self.first_s[cause.key] = self.now_s
                    self.causes.append(cause)
        return self

    @property
    def told(self):
        return [(cause.severity, cause.subject) for cause in self.causes]


def test_a_dead_runner_is_told_after_seconds_and_stands_until_it_is_brought_back():
    night = Night().look(sound())
    night.look(DEAD, times=3)
    assert night.told == []
    night.look(DEAD)
    assert night.told == [("call", "the runner is dead")]
    assert "labrig resume /runs/night" in night.causes[0].text
    assert "makes the bench safe" in night.causes[0].text
    night.look(DEAD, times=100)
    assert len(night.causes) == 1
    assert night.causes[0].key in night.standing
    night.look(sound(pid=8))
    assert len(night.causes) == 1
    assert night.causes[0].key not in night.standing


def test_a_watch_that_begins_anew_takes_no_dead_runner_for_one_that_is_well():
    night = Night().look(sound()).look(DEAD, times=4)
    (cause,) = night.causes
    night.doubts = Doubts(night.now_s)
    night.look(DEAD)
    assert len(night.causes) == 1
    assert cause.key in night.standing


def test_a_runner_that_is_brought_back_at_once_calls_nobody_and_is_told():
    night = Night().look(sound()).look(DEAD, times=2).look(sound(pid=8), times=20)
    assert night.told == [("tell", "the runner died and was brought back")]


def test_the_second_death_of_a_night_is_another_cause():
    night = Night().look(sound()).look(DEAD, times=9).look(sound(pid=8)).look(DEAD, times=9)
    assert len({cause.key for cause in night.causes}) == 2


def test_a_runner_without_any_sign_of_life_hangs_and_one_at_work_gets_more_time():
    night = Night().look(mute(), times=11)
    assert night.told == [("call", "the runner hangs")]
    busy = Night()
    for tick in range(22):
        busy.look(mute(signs=(tick,)))
    assert busy.told == []
    busy.look(mute(signs=(99,)))
    assert busy.told == [("call", "the runner hangs")]
    assert max(n.first_s[n.causes[0].key] for n in (night, busy)) - 1000.0 < 30.0


def test_a_runner_that_starts_may_be_silent_while_it_works():
    night = Night()
    for tick in range(600):
        night.look(mute(signs=(tick,), door=False))
    assert night.told == []
    night.look(mute(signs=(0,), door=False), times=62)
    assert night.told == [("call", "the runner hangs")]


def test_a_dispatcher_that_is_long_busy_is_told_within_half_a_minute():
    night = Night()
    for second in range(30):
        night.look(sound(threads=[thread(for_s=float(second))]))
    assert night.told == [("call", "the runner hangs (dispatcher)")]
    assert night.first_s[night.causes[0].key] - 1000.0 < 25.0
    # the runner's own alarm about it is the same cause
    night.look(sound(200.0, threads=[thread(alive=False)], alarms=[alarm("hung", "dispatcher")]))
    assert len({cause.key for cause in night.causes}) == 1


def test_threads_that_wait_or_are_late_once_are_sound():
    night = Night()
    night.look(sound(threads=[thread(doing="waiting", for_s=9999.0)]), times=60)
    night.look(sound(threads=[thread(alive=False)]), times=3)
    night.look(sound(threads=[thread()]), times=10)
    night.look(sound(threads=[thread("p1", doing="a picture", for_s=200.0)]), times=20)
    assert night.told == []


def test_after_a_sleep_nothing_counts_that_was_wrong_before():
    night = Night().look(DEAD, times=3)
    night.look(DEAD, step_s=8 * 3600.0)
    assert night.told == []
    # all threads overslept; they come back within seconds
    night.look(sound(threads=[thread(alive=False, for_s=3e4)]), step_s=8 * 3600.0)
    night.look(sound(threads=[thread(alive=False, for_s=3e4)]), times=3)
    night.look(sound(threads=[thread()]), times=30)
    assert night.told == []


def test_an_alarm_and_its_question_are_one_message_with_each_choice_and_its_consequence():
    night = Night()
    night.look(sound(92.0, alarms=[alarm()]))
    assert night.told == []
    night.look(sound(93.0, alarms=[alarm(), alarm("rate")]))
    assert night.told == []
    night.look(sound(96.0, alarms=[alarm("rate"), alarm()], questions=[question()]), times=5)
    ((severity, subject),) = night.told
    assert (severity, subject) == ("call", "nerve_02: no liquid comes")
    text = night.causes[0].text
    assert "labrig answer stall:nerve_02 restart /runs/night" in text
    assert "It is tried at once" in text
    assert "labrig: It is tried again by itself" in text
    assert "Also, since" in text
    assert len(night.causes[0].also) == 2
    # a later question is a new decision
    night.look(sound(300.0, alarms=[alarm(), alarm("rate")], questions=[question(since_s=290.0)]))
    assert night.told[1][1].startswith("your decision is wanted")


def test_an_alarm_that_mends_itself_soon_wakes_nobody():
    night = Night()
    night.look(sound(100.0, alarms=[alarm("link", "air", 95.0)]))
    night.look(sound(130.0), times=5)
    assert night.told == []
    assert night.known.standing == ()


def row(seq, state, run_s, key="link:air", kind="alarm"):
    said = {"what": "no answer", "remedy": "Look.", "options": ["a"]}
    return JournalRow(seq, kind, key, state, run_s, said)


def test_what_came_and_went_between_two_looks_is_told_when_it_stood_long_enough():
    night = Night()
    short = [row(1, "raised", 10.0), row(2, "cleared", 40.0)]
    night.look(sound(5000.0, rows=short))
    assert night.told == []
    long = [row(3, "raised", 100.0), row(4, "cleared", 900.0)]
    night.look(sound(5000.0, rows=long))
    assert night.told == [("call", "air: does not answer")]
    assert night.standing == frozenset()
    assert night.known.seq == 4


def test_an_alarm_on_record_goes_by_its_row_even_when_the_row_comes_late():
    night = Night()
    night.look(sound(100.0, alarms=[alarm("link", "air", 90.0)], rows=[row(1, "raised", 90.0)]))
    night.look(sound(170.0))
    assert night.told == [("call", "air: does not answer")]
    night.look(sound(170.0, rows=[row(2, "cleared", 165.0)]))
    assert night.standing == frozenset()


def test_alarms_of_a_dead_process_are_over_once_another_has_taken_over():
    night = Night().look(sound(100.0, alarms=[alarm("worker", "port")],
                               rows=[row(1, "raised", 90.0, "worker:port")]))  # fmt: skip
    assert len(night.standing) == 1
    night.look(DEAD, times=2).look(sound(120.0, pid=8))
    assert night.standing == frozenset()


@pytest.mark.parametrize(
    ("look", "lab", "told"),
    [
        (ended("finished"), Routes(), []),
        (ended("finished"), Routes(closing=True), [("tell", "all well, finished")]),
        (ended("stopped"), Routes(), [("tell", "stopped")]),
        (ended("failed"), Routes(), [("call", "failed")]),
        (ended("finished", unsafe=["base"]), Routes(), [("call", "finished")]),
        (replace(DEAD, begun=False), Routes(), []),
    ],
)
def test_ends(look, lab, told):
    night = Night(lab).look(sound(), times=3)
    if not look.begun:
        night = Night(lab)
    night.look(look)
    assert night.told == told
    assert night.over


def test_a_run_that_was_stopped_says_who_did_it_and_why():
    who = {"stopped_utc": "2026-11-30T02:13:00+00:00", "by": "A. Technician", "reason": "leak"}
    night = Night().look(sound()).look(ended("stopped", **who))
    assert "stopped by A. Technician, Mon 02:13: leak." in night.causes[0].text


def test_a_run_that_failed_half_way_stands_until_somebody_goes_on_with_it():
    night = Night().look(sound()).look(ended("failed", over=False), times=5)
    assert night.told == [("call", "failed")]
    assert not night.over
    assert night.standing
    night.look(sound(pid=8))
    assert not night.standing


def test_a_folder_that_is_gone_with_its_runner_is_told():
    night = Night().look(sound()).look(replace(DEAD, begun=False))
    assert night.told == [("call", "the run folder is gone")]
    assert night.over


def test_every_code_has_a_severity_and_a_lab_may_set_its_own():
    assert {severity_of(code, {}) for code in ALARMS} == {"call", "tell"}
    assert severity_of("of-a-newer-labrig", {}) == "call"
    assert severity_of("camera", {"camera": "note"}) == "note"
