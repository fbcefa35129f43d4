"""Every screen, light and dark, wide and narrow: for everybody, and for a thumb at two at night."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsed_bench import CATALOGUE

from labrig.web.navigation import NAVIGATION, RUN_TABS

pytestmark = pytest.mark.slow
LOOKS = [
    (scheme, width, height)
    for scheme in ("light", "dark")
    for width, height in ((1280, 900), (360, 740))
]
SCREENS = [address for _, address in NAVIGATION if address != "/"]
OF_A_RUN = [rest for _, rest in RUN_TABS]


@pytest.fixture(scope="module")
def addresses(bench, album):
    live = [bench.start(CATALOGUE / "demo-night.yaml", "60").root.name]
    at = bench.open_page()
    return {
        **{screen: at + screen for screen in (*SCREENS, "/login")},
        **{f"live {rest}": f"{at}/run/{live[0]}{rest}" for rest in OF_A_RUN},
        "live /amend": f"{at}/run/{live[0]}/amend",
        **{f"ended {rest}": f"{at}/run/{album.root.name}{rest}" for rest in OF_A_RUN},
    }


@pytest.mark.parametrize(
    "screen",
    [
        *SCREENS,
        "/login",
        "live /amend",
        *(f"{of} {rest}" for of in ("live", "ended") for rest in OF_A_RUN),
    ],
)
def test_a_screen_is_for_everybody(visitor, addresses, screen):
    one = visitor()
    tab = one.open(addresses[screen])
    tab.wait_for_load_state("networkidle") if screen.startswith("ended") else None
    for scheme, width, height in LOOKS:
        tab.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        tab.set_viewport_size({"width": width, "height": height})
        found = Axe().run(tab)
        assert found.violations_count == 0, f"{scheme} {width}\n{found.generate_report()}"
        overflow = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{scheme} {width}: {overflow} px stick out to the side"
    outside = [u for u in one.asked if not u.startswith((addresses[screen][:21], "data:"))]
    assert outside == []


def test_the_first_that_tab_reaches_is_stop(visitor, addresses):
    tab = visitor().open(addresses["live "])
    tab.locator("[data-stop]").wait_for()
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.hasAttribute('data-stop')")
    tab.locator("#main").focus()
    tab.keyboard.press("s")
    assert tab.evaluate("document.activeElement.hasAttribute('data-stop')")
    box = tab.locator("[data-stop]").bounding_box()
    assert box["height"] >= 64
