"""Options of the whole test suite (pytest reads them only from here)."""


def pytest_addoption(parser):
    parser.addoption(
        "--instrument",
        action="append",
        default=[],
        metavar="NAME=PORT",
        help="also run the conformance suite of instrument type NAME on real hardware at PORT",
    )
