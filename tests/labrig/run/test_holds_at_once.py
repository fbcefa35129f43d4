"""A rule's hold and a person's resume, which come from two threads."""

import threading
from types import SimpleNamespace

from labrig.run.at_once import AtOnce
from labrig.run.captures import Captures
from labrig.run.grace import Grace


class Desk:
    """Its disk is slow: while the resume is written, somebody else acts."""

    def __init__(self):
        self.held, self.written = True, []
        self.board = SimpleNamespace(condition="held")
        self.meanwhile = lambda: None

    def of_run(self, said):
        self.written.append(said.KEY)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()


def test_a_hold_that_comes_while_a_resume_is_written_is_not_lost(tmp_path):
    desk = Desk()
    captures = Captures({}, desk, ())
    at_once = AtOnce(desk, [], None, Grace(), captures, tmp_path / "stop.json", None, None)
    holder = threading.Thread(target=at_once.hold, args=("CO2 is off.", "interlock co2"))

    def meanwhile():
        holder.start()
        holder.join(0.1)

    desk.meanwhile = meanwhile
    at_once._resume({"by": "Mia"})
    holder.join(5.0)
    assert (desk.held, desk.board.condition) == (True, "held")
    assert desk.written == ["resumed", "held"]
