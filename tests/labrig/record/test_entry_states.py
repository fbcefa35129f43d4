from hypothesis import given
from hypothesis import strategies as st

from labrig.plan.key_table import KeyTable
from labrig.record.entry_states import SETTLED, EntryState, EntryStates

KEYS = st.sampled_from(["frame/1/2", "dose/a", "é", "", "frame/1/20"])
STATES = st.builds(
    EntryState,
    st.sampled_from([*sorted(SETTLED), "intent", "sent", "unknown"]),
    st.floats(allow_nan=False) | st.integers(0, 9),
    st.sampled_from(
        [{}, {"begun_s": 2.5}, {"begun_s": 3}, {"begun_s": None}, {"resolution": "redo"},
         {"begun_s": -0.0, "done_s": 4.0}, {"begun_s": -0.0}]
    ),
)  # fmt: skip
DEEDS = st.lists(st.tuples(st.sampled_from(["set", "pop"]), KEYS, STATES), max_size=30)


@given(DEEDS)
def test_it_is_as_a_dict_would_be(deeds):
    short, plain = EntryStates(), {}
    for deed, key, said in deeds:
        if deed == "set":
            short[key] = plain[key] = said
        else:
            assert short.pop(key, None) == plain.pop(key, None)
        assert len(short) == len(plain)
        assert (key in short) == (key in plain)
    assert short == plain
    assert {k: repr(v) for k, v in short.items()} == {k: repr(v) for k, v in plain.items()}
    assert {k: v.settled for k, v in short.items()} == {k: v.settled for k, v in plain.items()}


@given(st.lists(st.text(max_size=3)))
def test_keys_are_numbered_in_the_order_in_which_they_come(keys):
    table = KeyTable()
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    assert [table.add(key) for key in keys] == [numbers[key] for key in keys]
    assert list(table) == list(numbers)
    assert {key: table.number(key) for key in keys} == numbers
    assert table.number("longer than any") is None


def test_many_keys_are_all_found():
    table = KeyTable()
    for number in range(3000):
        table.add(f"frame/{number}")
    assert [table.number(f"frame/{number}") for number in range(3000)] == list(range(3000))
    assert table.number("frame/3000") is None
