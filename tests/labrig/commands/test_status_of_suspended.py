"""`labrig status` says what interlocks keep from going on."""

from labrig.commands.status_display import suspended_lines


def test_each_suspended_instrument_is_named_with_its_rules_and_no_other():
    modes = {
        "pulses": {"name": "suspended", "why": ["co2_off", "door"], "beneath": "held"},
        "base": {"name": "held", "why": [], "beneath": "held"},
        "stage": {"name": "halted", "why": [], "beneath": "following"},
    }
    [line] = suspended_lines({"modes": modes})
    assert line.startswith("pulses is suspended by co2_off, door;")


def test_a_status_of_an_older_runner_has_no_modes():
    assert suspended_lines({}) == []
