"""A third party's package that is broken costs those whose rig names it, and nobody else."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import labrig_drivers
from labrig_drivers import instrument
from labrig_drivers.instrument import (
    GROUP,
    BrokenType,
    InstalledTypes,
    InstrumentType,
    installed_types,
    usable_types,
)


class Entry(EntryPoint):
    """An entry point of a named package."""

    def __new__(cls, name, value, package):
        return super().__new__(cls)

    def __init__(self, name, value, package):
        super().__init__(name, value, GROUP)
        vars(self)["dist"] = SimpleNamespace(name=package)


@pytest.fixture
def module(monkeypatch):
    made = ModuleType("somebodys_drivers")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


def own(name):
    return next(e for e in instrument.entry_points(group=GROUP) if e.name == name)


def a_type(name):
    known = installed_types()["opencv_camera"]
    return InstrumentType(
        name, "camera", "address", "Somebody", "X", None, known.settings, known.driver, None, (),
        host="imaging",
    )  # fmt: skip


BROKEN = {
    "does not import": ("no_such_module:INSTRUMENT", "does not load"),
    "has no such object": ("somebodys_drivers:MISSING", "does not load"),
    "is no type": ("somebodys_drivers:WORD", "not an InstrumentType"),
    "has another name": ("somebodys_drivers:OTHER", "must give both the same name"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_type_is_told_when_it_is_named_and_only_then(what, module):
    module.WORD, module.OTHER = "word", a_type("other")
    value, said = BROKEN[what]
    types = InstalledTypes([own("new_era_ne1000"), Entry("theirs", value, "somebodys")])
    assert types["new_era_ne1000"].kind == "pump"
    assert "theirs" in types
    with pytest.raises(BrokenType, match=said):
        types["theirs"]
    usable, wrong = usable_types(types)
    assert [t.name for t in usable] == ["new_era_ne1000"]
    assert len(wrong) == 1
    assert said in wrong[0]


@pytest.mark.parametrize("error", [ImportError, RuntimeError, SystemExit, KeyError])
def test_whatever_a_package_raises_is_told_as_that(error, module, monkeypatch):
    entry = Entry("theirs", "somebodys_drivers:X", "somebodys")
    monkeypatch.setattr(Entry, "load", lambda self: (_ for _ in ()).throw(error("no licence")))
    with pytest.raises(BrokenType, match=r"somebodys.*no licence"):
        InstalledTypes([entry])["theirs"]


def test_two_packages_with_one_type_are_both_named(module):
    module.INSTRUMENT = a_type("theirs")
    value = "somebodys_drivers:INSTRUMENT"
    types = InstalledTypes([Entry("theirs", value, "one"), Entry("theirs", value, "two")])
    with pytest.raises(BrokenType, match=r"one, two.*all but one"):
        types["theirs"]


@pytest.mark.parametrize("first", [True, False])
def test_nobody_replaces_a_type_of_labrig(module, first):
    module.INSTRUMENT = a_type("new_era_ne1000")
    theirs = Entry("new_era_ne1000", "somebodys_drivers:INSTRUMENT", "somebodys")
    mine = own("new_era_ne1000")
    types = InstalledTypes([theirs, mine] if first else [mine, theirs])
    assert types["new_era_ne1000"].vendor == "New Era"
    _, wrong = usable_types(types)
    assert len(wrong) == 1
    assert "somebodys" in wrong[0]


def test_the_names_of_own_types_are_those_of_their_entry_points():
    types = installed_types()
    assert [types[name].name for name in types] == list(types)
    own = {path.parent.name for path in Path(labrig_drivers.__file__).parent.glob("*/__init__.py")}
    own = {name for name in own if hasattr(import_module(f"labrig_drivers.{name}"), "INSTRUMENT")}
    assert len(types) == len(own) >= 6, "each has an entry point in pyproject.toml"


def test_nothing_is_loaded_that_nobody_names(module):
    loads = []
    entry = Entry("theirs", "somebodys_drivers:INSTRUMENT", "somebodys")
    type(entry).load = lambda self: loads.append(self.name)
    try:
        types = InstalledTypes([entry, own("opencv_camera")])
        assert "theirs" in types
        assert list(types) == ["opencv_camera", "theirs"]
        assert types["opencv_camera"].kind == "camera"
        assert loads == []
    finally:
        del type(entry).load
