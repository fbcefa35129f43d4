"""The hub goes on looking, whatever tabs do meanwhile."""

from __future__ import annotations

import asyncio
import threading

from labrig.web import hub as hub_of_the_page
from labrig.web.hub import Hub
from labrig.web.live_runs import NoSuchRun


def test_a_tab_that_is_opened_while_runs_are_looked_for_ends_nothing(tmp_path, monkeypatch):
    asked, go_on = threading.Event(), threading.Event()

    def slow(name, runs):
        asked.set()
        go_on.wait()
        raise NoSuchRun(name)

    monkeypatch.setattr(hub_of_the_page, "run_named", slow)
    monkeypatch.setattr(hub_of_the_page, "registered_runs", list)

    async def tabs():
        hub = Hub(tmp_path)
        with hub.watching("one"):
            await asyncio.to_thread(asked.wait)
            with hub.watching("another"):
                go_on.set()
                for _ in range(20):
                    await asyncio.sleep(0.01)
                return hub._register.done()

    assert not asyncio.run(tabs())
