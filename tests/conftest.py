"""Options of the whole test suite (pytest reads them only from here)."""

from hypothesis import settings

# No test depends on the machine's speed; a failing example is printed so that it can be replayed.
settings.register_profile("labrig", deadline=None, print_blob=True)
settings.load_profile("labrig")


def pytest_addoption(parser):
    parser.addoption(
        "--instrument",
        action="append",
        default=[],
        metavar="NAME=PORT",
        help="also run the conformance suite of instrument type NAME on real hardware at PORT",
    )
