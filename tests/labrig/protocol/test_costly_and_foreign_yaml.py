"""No file costs more than its size allows, none is executed, and each is told with its line.

What a file costs is counted as work (bytes read, nodes put together, unit texts computed), not
as time on a shared machine.
"""

import codecs
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labrig import units, yaml_file, yaml_nodes
from labrig.documents import MOST_PROBLEMS
from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig
from labrig.yaml_file import MAX_BYTES, MAX_REPEATED, read_yaml
from labrig.yaml_nodes import MAX_DEPTH, MAX_NODES

NINE = range(1, 9)
COSTLY = {
    "nine anchors that double": "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in NINE),
    "mappings that double": "a0: &a0 {k: 1}\n"
    + "".join(f"a{i}: &a{i} {{k: *a{i - 1}, l: *a{i - 1}}}\n" for i in range(1, 200)),
    "merges that double": "a0: &a0 {k0: {x: 1}}\n"
    + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}], k{i}: *a{i - 1}}}\n" for i in NINE),
    "a long list again and again": "a: &a ["
    + "x," * 1000
    + "x]\n"
    + "".join(f"b{i}: *a\n" for i in range(800)),
    "a chain of lists": "a0: &a0 [x]\n"
    + "".join(f"a{i}: &a{i} [*a{i - 1}]\n" for i in range(1, 450)),
    "a chain of merges": "a0: &a0 {k: 1}\n"
    + "".join(f"a{i}: &a{i} {{<<: *a{i - 1}}}\n" for i in range(1, 350)),
    "brackets": "[" * 20_000,
    "braces": "{" * 9_000,
    "keys of keys": "? " * 5_000,
    "dashes": "- " * 5_000,
    "400,000 keys": "".join(f"k{i}: 1\n" for i in range(400_000)),
    "200,000 items": "a: [" + "a," * 200_000 + "]",
}


class Work:
    """Counts what is put together, and how deep."""

    def __init__(self, monkeypatch):
        self.nodes = self.plain = self.deepest = 0
        inner, of = yaml_nodes._Composer.take, yaml_file._Plain.of

        def take(composer, event):
            self.nodes += 1
            return inner(composer, event)

        def plain(this, node, path):
            self.plain += 1
            self.deepest = max(self.deepest, len(path))
            return of(this, node, path)

        monkeypatch.setattr(yaml_nodes._Composer, "take", take)
        monkeypatch.setattr(yaml_file._Plain, "of", plain)


def only_problem(path):
    with pytest.raises(FileProblems) as found:
        load_protocol(path)
    (problem,) = found.value.problems
    return problem


@pytest.mark.parametrize("what", COSTLY)
def test_a_file_that_asks_for_more_than_it_holds_is_refused_early(what, tmp_path, monkeypatch):
    text = COSTLY[what]
    file = tmp_path / "night.yaml"
    file.write_text(text, encoding="utf-8")
    work = Work(monkeypatch)
    problem = only_problem(file)
    assert problem.line >= 1
    assert problem.remedy
    assert any(word in problem.what for word in ("more than", "larger than")), problem.what
    written = min(len(text), 2 * MAX_NODES) + 10
    assert work.nodes <= written
    assert work.plain <= written + MAX_REPEATED + 2
    assert work.deepest <= MAX_DEPTH


def test_what_stays_within_the_limits_is_read(tmp_path):
    file = tmp_path / "night.yaml"
    inner = "[" * (MAX_DEPTH - 1) + "x" + "]" * (MAX_DEPTH - 1)
    file.write_text(f"a: {inner}\nb: &b [x, x]\n" + "".join(f"c{i}: *b\n" for i in range(1000)))
    document = read_yaml(file)
    assert len(document.data) == 1002
    assert document.place(("c7", 1)) == (2, 11)


def test_a_file_of_ten_kilobytes_explains_no_more_than_a_person_reads(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_text("".join(f"k{i}: 1\n" for i in range(1200)))
    with pytest.raises(FileProblems) as found:
        load_protocol(file)
    problems = found.value.problems
    assert len(problems) == MOST_PROBLEMS + 1
    assert "more mistakes" in problems[-1].what
    assert [p.line for p in problems] == sorted(p.line for p in problems)


UNITS = ["m**9**9**9", "m^9^9^9", "m**99999999", "(m)", "m" * 41, "m*" * 4000 + "m", "9**9 m"]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit[:12])
def test_no_unit_is_computed_that_is_not_one(unit, monkeypatch):
    # pint would raise powers of powers for ever
    monkeypatch.setattr(units, "_registry", lambda: pytest.fail(f"{unit[:20]} was computed"))
    with pytest.raises(Exception, match=r"is not known|not a number with a unit"):
        units.parse_quantity(f"10 {unit}", "mL/h")


def test_units_are_told_apart_in_linear_time():
    assert units._UNIT.fullmatch("a" * 40) is not None
    assert units._UNIT.fullmatch("a" * 39 + "!") is None  # exponential patterns do not end here


@pytest.mark.parametrize(
    ("text", "unit"),
    [("1 uL / h", "mL/h"), ("3 mL per h", "mL/h"), ("2 cm²", "cm**2"), ("1 m^2", "cm**2"),
     ("5 s**-1", "Hz")],
)  # fmt: skip
def test_usual_spellings_of_units_are_still_read(text, unit):
    assert units.parse_quantity(text, unit) > 0


FOREIGN = {
    "a Python object": ("a: 1\nb: !!python/object/apply:os.system [touch RAN]\n", 2, "the tag"),
    "a Python name": ("b: !!python/name:os.system\n", 1, "the tag"),
    "a tag of its own": ("a: 1\nb: !lab 3\n", 2, "the tag !lab"),
    "the empty tag": ("a: ! 3\n", 1, "the tag !"),
    "a set": ("a: !!set {b, c}\n", 1, "the tag !!set"),
    "binary": ("a: !!binary xx\n", 1, "the tag"),
    "a number by force": ("a: !!int x\n", 1, "the tag !!int"),
    "a tag of a directive": ("%TAG ! tag:lab,2000:\n---\na: !x 1\n", 3, "the tag"),
    "the tag of a key": ("!!str a: 1\n", 1, "the tag"),
    "another version": ("%YAML 1.1\n---\nfactors: off\n", 2, "another version"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, "second document"),
    "two documents with an end": ("a: 1\n...\n---\nb: 2\n", 3, "second document"),
    "a merge of itself": ("a: &x\n  <<: *x\n", 2, "*x stands inside"),
    "a list in itself": ("a: &x [1, *x]\n", 1, "*x stands inside"),
    "itself as a key": ("a: &x {*x : 1}\n", 1, "*x stands inside"),
    "an unknown alias": ("a: 1\nb: *c\n", 2, "&c"),
    "a merge of a number": ("a: 1\n<<: 3\n", 2, "<<"),
    "a merge of a list of numbers": ("<<: [1, 2]\n", 1, "<<"),
    "a key that is a list": ("? [a, b]\n: c\n", 1, "a key is one word"),
    "a key that is nothing": (": 3\n", 1, "a key is one word"),
    "a number and a text as one key": ('1: a\n"1": b\n', 2, "duplicate key"),
    "a day that is none": ("a: 1\non: 2026-13-45\n", 2, "no day 2026-13-45"),
    "a number of 5,000 digits": ("a: " + "7" * 5000, 1, "5000 digits"),
    "a hexadecimal number": ("a: 0x" + "f" * 5000, 1, "5002 digits"),
    "half a character": ('a: 1\nb: "\\ud83d"\n', 2, "backslash"),
    "no character": ('a: 1\nb: "\\UFFFFFFFF"\n', 2, "no character"),
    "a zero in quotes": ('a: "\\0"\n', 1, "backslash"),
    "a bell": ("a: 1\nb: \x07\n", 2, "not YAML"),
    "a Windows path": ('a: 1\nb: "C:\\videos\\new\\night.avi"\n', 2, "backslash in double quotes"),
    "a Windows path of line ends": ('b: "D:\\new\\table"\n', 1, "backslash in double quotes"),
    "a Windows path of no escapes": ('a: 1\nb: "C:\\data"\n', 2, "not YAML"),
}  # fmt: skip


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("load", [load_protocol, load_rig])
def test_what_no_protocol_needs_is_told_and_not_done(what, load, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text, line, said = FOREIGN[what]
    file = tmp_path / "night.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FileProblems) as found:
        load(file)
    (problem,) = found.value.problems
    assert (problem.line, said in problem.what) == (line, True), problem
    assert problem.remedy
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("mark", [True, False])
def test_other_encodings_are_named(encoding, mark, tmp_path):
    file = tmp_path / "night.yaml"
    marks = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE,
             "utf-32-be": codecs.BOM_UTF32_BE}  # fmt: skip
    file.write_bytes((marks.get(encoding, b"") if mark else b"") + "labrig: 1\n".encode(encoding))
    problem = only_problem(file)
    assert "UTF-16" in problem.what or "UTF-32" in problem.what
    assert "UTF-8" in problem.remedy


def test_a_mark_of_utf_8_is_no_text(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_bytes(codecs.BOM_UTF8 + b"labrig: 1\n")
    assert list(read_yaml(file).data) == ["labrig"]


def test_a_merge_brings_in_what_is_not_there(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_text("x: &x {a: {b: 1}, c: 2}\nz: &z {c: 9, d: 4}\ny:\n  c: 3\n  <<: [*x, *z]\n")
    document = read_yaml(file)
    assert document.data["y"] == {"c": 3, "a": {"b": 1}, "d": 4}
    assert document.place(("y", "c")) == (4, 3)
    assert document.place(("y", "a", "b")) == (1, 12)


def test_a_number_without_end_is_no_number(tmp_path):
    text = (Path(__file__).parents[3] / "protocols" / "rigs" / "simulated-bench.yaml").read_text(
        encoding="utf-8"
    )
    for key, value in (("speed_mm_s: 5.0", "speed_mm_s: .inf"), ("ratio: 1.15", "ratio: .nan")):
        file = tmp_path / "bench.yaml"
        file.write_text(text.replace(key, value), encoding="utf-8")
        with pytest.raises(FileProblems) as found:
            load_rig(file)
        assert any("Write a number" in p.remedy for p in found.value.problems)


@given(
    st.text(
        alphabet=st.sampled_from(
            list("ab1 \n\t-?:,[]{}#&*!|>'\"%@`<~.=0xe\\\x00\x85\ufeff\u2028é")
        ),
        max_size=200,
    )
)
@example("a: &a {<<: *a}")
@example('"\\x')
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_told(text):
    said = None
    try:
        node = yaml_nodes.compose(text)
        if node is not None:
            yaml_file._Plain({}).of(node, ())
    except yaml_nodes.NotYaml as error:
        said = error
    assert said is None or (said.line >= 1 and said.what and said.remedy)


def test_the_largest_file_is_read_and_no_more(tmp_path):
    file = tmp_path / "night.yaml"
    file.write_bytes(b"a: 1\n#" + b"x" * (MAX_BYTES - 6))
    assert read_yaml(file).data == {"a": 1}
    file.write_bytes(b"a: 1\n#" + b"x" * (MAX_BYTES - 5))
    assert "larger than" in only_problem(file).what
