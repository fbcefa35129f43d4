"""Options of the whole test suite (pytest reads them only from here)."""

import os
import time

import pytest
from hypothesis import settings

# No test depends on the machine's speed; a failing example is printed so that it can be replayed.
settings.register_profile("labrig", deadline=None, print_blob=True)
settings.load_profile("labrig")


@pytest.fixture(autouse=True, scope="session")
def _state_of_the_tests(tmp_path_factory):
    """Runs of the tests, in processes of their own too, are in no user's register."""
    os.environ["LABRIG_STATE"] = str(tmp_path_factory.mktemp("state"))
    # A page outlives the night that it was started with; a test that wants one says --page.
    os.environ["LABRIG_PAGE"] = "0"


BEGAN = time.monotonic()


def pytest_runtest_setup(item):
    """Long tests are begun while CI's time for them lasts (LABRIG_SLOW_MINUTES), and not after."""
    minutes = os.environ.get("LABRIG_SLOW_MINUTES")
    if not minutes or not item.get_closest_marker("slow"):
        return
    if time.monotonic() > BEGAN + 60.0 * float(minutes):
        pytest.skip(f"{minutes} min for long tests are over; `pytest -m slow` runs them all")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """What was logged may hold half characters, which no pipe between processes takes."""
    report = yield
    report.sections = [
        (name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections
    ]
    return report


def pytest_addoption(parser):
    parser.addoption(
        "--instrument",
        action="append",
        default=[],
        metavar="NAME=PORT",
        help="also run the conformance suite of instrument type NAME on real hardware at PORT",
    )
