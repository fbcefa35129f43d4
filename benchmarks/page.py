"""What the page weighs, how fast a click arrives, and what its tabs cost the machine.

    python benchmarks/page.py

A rehearsal at sixty times its pace, the page in a process of its own, Chromium in front of it.
Goals: 250 kB a page, 150 ms from the click to "taken" on a quiet machine, 2 % of a core with three
tabs open. What the runner feels of it is told as a ratio in the same run: the spread of the spacing
of its looks at one pump, without any tab and with three tabs.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from browsed_bench import CATALOGUE, Bench, Visitor
from playwright.sync_api import Page, sync_playwright

from labrig.record.clock import steady_s

CHROMIUM = "/usr/bin/chromium"
CLICKS = 20
STRETCH_S = 20.0
TABS = 3
SCREENS = ("", "/plots", "/log")
_CLICKED = """(name) => new Promise((done) => {
  const buttons = [...document.querySelectorAll("#dock button")];
  const button = buttons.find((each) => each.innerText.startsWith(name));
  const said = document.getElementById("said");
  said.replaceChildren();
  const began = performance.now();
  new MutationObserver((_, observer) => {
    if (!said.innerText.includes("taken")) return;
    observer.disconnect();
    done(performance.now() - began);
  }).observe(said, { childList: true, subtree: true });
  button.click();
})"""


def weight(visitor: Visitor, address: str) -> tuple[int, int]:
    """Bytes and requests of one page, for a browser that knows nothing yet."""
    tab = visitor.context.new_page()
    answers: list[Any] = []
    tab.on("response", lambda answer: answers.append(answer))
    tab.goto(address)
    tab.wait_for_timeout(1500)
    size = sum(len(answer.body()) for answer in answers if answer.ok)
    tab.close()
    return size, len(answers)


def clicks_ms(tab: Page) -> list[float]:
    """From a click on Hold or Go on to the word that it was taken."""
    found = []
    for number in range(CLICKS):
        name = "Go on" if number % 2 else "Hold"
        tab.locator("#dock").get_by_role("button", name=name).wait_for()
        found.append(float(tab.evaluate(_CLICKED, name)))
    return found


def cpu_s(pid: int) -> float:
    """What a process has computed (Linux)."""
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def spread_ms(journal: Path, since_s: float, until_s: float) -> float:
    """95th percentile of how far looks at one pump were from their usual spacing."""
    connection = sqlite3.connect(f"{journal.as_uri()}?mode=ro", uri=True)
    rows = connection.execute(
        "SELECT monotonic_s FROM journal WHERE kind = 'sample' AND monotonic_s BETWEEN ? AND ? AND "
        "key = (SELECT key FROM journal WHERE kind = 'sample' LIMIT 1) ORDER BY seq",
        (since_s, until_s),
    ).fetchall()
    connection.close()
    at_s = [float(row[0]) for row in rows]
    gaps = [after - before for before, after in pairwise(at_s)]
    usual = median(gaps)
    return 1000 * quantiles([abs(gap - usual) for gap in gaps], n=20)[-1]


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        os.environ["LABRIG_STATE"] = str(Path(scratch) / "state")
        bench = Bench(Path(scratch))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            folder = bench.start(CATALOGUE / "demo-night.yaml", "60")
            runner = bench.runners[folder.root.name].pid
            here = f"{bench.open_page()}/run/{folder.root.name}"
            time.sleep(3.0)
            alone = _stretch(folder.journal, runner)
            page = bench.page.pid
            for rest in SCREENS:
                size, requests = weight(Visitor(browser), here + rest)
                print(f"page {rest or '/':7} {size / 1000:6.0f} kB in {requests} requests")
            visitor = Visitor(browser)
            tabs = [visitor.open(here + rest) for rest in SCREENS[:TABS]]
            found = clicks_ms(tabs[0])
            print(
                f"click to taken: median {median(found):.0f} ms, p95 "
                f"{quantiles(found, n=20)[-1]:.0f} ms of {CLICKS}"
            )
            time.sleep(5.0)
            began_s, began = cpu_s(page), time.monotonic()
            with_tabs = _stretch(folder.journal, runner)
            share = (cpu_s(page) - began_s) / (time.monotonic() - began)
            print(f"page's process with {len(tabs)} tabs: {100 * share:.1f} % of a core")
            print(f"page's process: {resident_mb(page):.0f} MB")
            print(
                f"runner: spacing of looks within {alone[0]:.1f} ms (p95) alone, "
                f"{with_tabs[0]:.1f} ms with the page, ratio {with_tabs[0] / alone[0]:.2f}; "
                f"{alone[1]:.0f} MB alone, {with_tabs[1]:.0f} MB with it"
            )
        finally:
            browser.close()
            bench.close()


def _stretch(journal: Path, runner: int) -> tuple[float, float]:
    began_s = steady_s()
    time.sleep(STRETCH_S)
    return spread_ms(journal, began_s, steady_s()), resident_mb(runner)


if __name__ == "__main__":
    main()
