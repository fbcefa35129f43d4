"""Files that are no protocol at all are told as such, with their line."""

import pytest

UNREADABLE = {
    "empty": (b"", 1, "empty"),
    "only a comment": (b"# nothing\n", 1, "empty"),
    "a list": (b"- 1\n- 2\n", 1, "a list"),
    "a word": (b"protocol\n", 1, "a single value"),
    "not UTF-8": (b"labrig: 1\nname: \xff\n", 2, "0xff is not UTF-8"),
    "a tab": (b"labrig: 1\nculture:\n\tcells: x\n", 3, "not YAML"),
    "an open bracket": (b"labrig: 1\nmedia: [a\n", 2, "not closed"),
    "a key twice": (b"labrig: 1\nname: a\nname: b\n", 3, 'duplicate key "name"'),
    "a zero byte": (b"labrig: \x00\n", 1, "not YAML"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_file_that_is_no_yaml_is_told_with_its_line(case, tmp_path, problems_of):
    content, line, what = UNREADABLE[case]
    file = tmp_path / "night.yaml"
    file.write_bytes(content)
    (problem,) = problems_of(file)
    assert problem.line == line
    assert what in problem.what
    assert problem.remedy


def test_a_tab_is_named_in_the_remedy(tmp_path, problems_of):
    file = tmp_path / "night.yaml"
    file.write_bytes(UNREADABLE["a tab"][0])
    (problem,) = problems_of(file)
    assert "tab" in problem.remedy


def test_a_missing_file_is_told(tmp_path, problems_of):
    (problem,) = problems_of(tmp_path / "none.yaml")
    assert "no such file" in problem.what


def test_a_folder_is_no_file(tmp_path, problems_of):
    (problem,) = problems_of(tmp_path)
    assert "cannot be read" in problem.what
