"""Numbers in findings are written as a person writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.plan.figures import figure


@pytest.mark.parametrize(
    ("value", "said"),
    [(20000.4, "20000"), (10000.0, "10000"), (0.0001, "0.0001"), (0.00001234567, "0.00001235"),
     (1.5, "1.5"), (0.0, "0"), (123456.0, "123500"), (-20000.0, "-20000"), (9.3e-18, "9.3e-18")],
)  # fmt: skip
def test_figures(value, said):
    assert figure(value) == said


@given(st.floats(1e-6, 1e8))
def test_a_figure_reads_back_to_its_digits(value):
    assert "e" not in figure(value)
    assert float(figure(value)) == pytest.approx(value, rel=6e-4)
