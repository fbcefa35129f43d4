"""The page in a real browser: it can be read, at any width, and asks for nothing."""

import pytest
from chromium import chromium

from labrig.report.build import build_report


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.mark.parametrize("width", [1280, 390])
def test_a_person_can_read_it(browser, write_run, story, width):
    page_path = build_report(write_run(story))
    page = browser.new_page(viewport={"width": width, "height": 900}, java_script_enabled=False)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_path.as_uri())
    assert page.locator("h1").inner_text() == "The night is finished."
    assert page.locator("h2").all_inner_texts() == [
        "What ran", "Delivered and intended dose", "Late, missed, uncertain", "Growth",
        "Contraction", "Pictures", "Verdict", "Outcomes", "If the definition were another",
        "Behind the run",
    ]  # fmt: skip
    assert page.locator("svg").count() == 5
    assert "No verdict" in page.locator(".verdict").inner_text()
    assert page.locator("table.plate td b").count() == 24
    boxes = [image.bounding_box() for image in page.locator("img").all()]
    assert len(boxes) == 4 * 4
    assert all(box and box["width"] > 60 for box in boxes)
    # nothing sticks out to the side: wide tables and figures scroll by themselves
    body = page.locator("main").bounding_box()
    assert body is not None
    assert body["x"] >= 0
    assert body["x"] + body["width"] <= width
    plate = page.locator("table.plate").bounding_box()
    assert plate is not None
    assert plate["x"] + plate["width"] <= width, "the whole plate is seen at once"
    page.emulate_media(media="print")
    assert page.locator("details.long > .scroll").first.is_hidden()
    assert page.locator("details:not(.long) > .scroll").first.is_visible()
    outside = [url for url in asked if not url.startswith(("file://", "data:"))]
    assert outside == []
    assert [url for url in asked if url.startswith("file://")] == [page_path.as_uri()]
    page.close()
