"""What a browser may ask for: every address is answered, and none with an error of ours."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from starlette.testclient import TestClient

from labrig.run.register import STATE
from labrig.web.app import create_app
from labrig.web.site import Site


@pytest.fixture(scope="module")
def night(write_run, story):
    return write_run(story)


@pytest.fixture
def page(night, tmp_path, monkeypatch):
    monkeypatch.setenv(STATE, str(tmp_path / "state"))
    site = Site(night.root.parent, tmp_path, tmp_path / "state", ZoneInfo("Europe/Berlin"))
    with TestClient(
        create_app(site), base_url="http://127.0.0.1", client=("127.0.0.1", 50000)
    ) as client:
        client.base_url = client.base_url.join(f"/run/{night.root.name}/")
        yield client


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("pictures", 200),
        ("pictures?well=B3&round=1", 200),
        ("pictures?round=99999999999999999999", 200),
        ("pictures?well=Z9", 404),
        ("pictures?field=-1", 404),
        ("pictures?channel=../x", 404),
        ("pictures?field=one", 422),
        ("pictures/rounds?well=B3&field=0&channel=phase", 200),
        ("pictures/rounds?well=B3&field=0&channel=red", 404),
        ("pictures/rounds?well=Z9&field=0&channel=phase", 404),
        ("pictures/rounds", 422),
        ("img/B3/0/1/phase", 200),
        ("img/B3/0/1/phase?w=65536", 200),
        ("img/B3/0/0/phase?overlay=1", 200),
        ("img/B3/0/1/phase?overlay=1", 404),
        ("img/B3/0/99999999999999999999/phase", 404),
        ("img/B3/-1/0/phase", 404),
        ("img/%2e%2e/0/0/phase", 404),
        ("img/B3/0/1/phase?w=0", 422),
        ("img/B3/0/1/phase?w=1e9", 422),
        ("img/B3/0/one/phase", 422),
        ("plots", 200),
        ("plots.json", 200),
        ("plots/dose-cntf.csv", 200),
        ("plots/dose-cntf.csv?from_h=1&to_h=2", 200),
        ("plots/dose-cntf.csv?from_h=nan", 422),
        ("plots/none.csv", 404),
    ],
)
def test_every_address_has_its_answer(page, address, status):
    assert page.get(address).status_code == status


def test_a_picture_is_sent_once_and_again_only_when_it_changed(page):
    first = page.get("img/B3/0/1/phase")
    again = page.get("img/B3/0/1/phase", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = page.get("img/B3/0/2/phase", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


def test_a_table_says_what_is_seen_in_the_labs_time(page):
    text = page.get("plots/dose-cntf.csv?from_h=1&to_h=2").content
    assert text.startswith(b"\xef\xbb\xbfhours,clock (Europe/Berlin),")
    rows = text.decode("utf-8-sig").splitlines()[1:]
    assert rows
    assert all(1.0 <= float(row.split(",")[0]) <= 2.0 for row in rows)
    # the night began at 18:00 UTC
    assert all(row.split(",")[1].startswith("2026-03-01 20:") for row in rows[:-1])
