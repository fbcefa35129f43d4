"""docs/deviations.md lists what the code writes: every code of a deviation, alarm and question."""

import ast
import importlib
import re
from pathlib import Path

import pytest

import labrig
from labrig.display.alarms import ALARMS
from labrig.record.said import classes

PACKAGE = Path(labrig.__file__).parent
PAGE = (PACKAGE.parent / "docs" / "deviations.md").read_text(encoding="utf-8")


class Calls(ast.NodeVisitor):
    """Collects, of one module, what is written where: ``(call, argument, function around it)``."""

    def __init__(self, module):
        self.module = module
        self.around = []
        self.found = []

    def visit_FunctionDef(self, node):
        self.around.append(node)
        self.generic_visit(node)
        self.around.pop()

    def visit_Call(self, node):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        self.found.append((name, node.args, self.around[-1] if self.around else None))
        self.generic_visit(node)

    def values(self, argument, function):
        """What an argument may be: by the module's names, or by what a local name is set to."""
        try:
            return {eval(ast.unparse(argument), vars(self.module))}
        except NameError:
            assert isinstance(argument, ast.Name), f"{self.module.__name__}: cannot tell"
        found = set()
        for node in ast.walk(function):
            if not isinstance(node, ast.Assign):
                continue
            [target], value = node.targets, node.value
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=True))
            found |= {v.value for t, v in pairs if ast.unparse(t) == argument.id}
        return found


@pytest.fixture(scope="module")
def written():
    """Codes by kind: ``deviation``, ``alarm``, ``run``, and ``question`` with its answers."""
    codes = {"alarm": set(), "question": set()}
    for kind in ("deviation", "run"):
        codes[kind] = {key for of, key, _ in classes() if of == kind}
    # Only the runner raises and asks; others read and tell of it.
    for path in sorted((PACKAGE / "run").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not re.search(r"alarm|Question", text):
            continue
        name = ".".join(("labrig", *path.relative_to(PACKAGE).with_suffix("").parts))
        module = importlib.import_module(name)
        calls = Calls(module)
        calls.visit(ast.parse(text))
        for call, arguments, function in calls.found:
            if call == "alarm" and len(arguments) > 1:
                codes[call] |= calls.values(arguments[0], function)
            elif call == "Question" and _asks_the_operator(module):
                if not _is_passed_on(arguments[2]):
                    codes["question"] |= calls.values(arguments[2], function)
    return codes


def _is_passed_on(node):
    """The desk and the board pass on what others say."""
    return isinstance(node, ast.Name) and node.id in ("code", "options")


def _asks_the_operator(module):
    from labrig.record.alarms import Question

    return getattr(module, "Question", None) is Question


def listed(heading):
    """First cells of the tables under a heading, and the last ones."""
    part = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    first = [code for row in rows for code in re.findall("`([a-z-]+)`", row[0])]
    last = [tuple(re.findall("`(.*?)`", row[-1])) for row in rows]
    assert len(set(first)) == len(first)
    return set(first), {answers for answers in last if answers}


@pytest.mark.parametrize(
    ("heading", "kind"),
    [("Deviations", "deviation"), ("Alarms", "alarm"), ("Rows of kind `run`", "run")],
)
def test_every_code_that_is_written_is_listed_and_no_other(written, heading, kind):
    assert listed(heading)[0] == written[kind]
    assert len(written[kind]) > 10


def test_every_question_is_listed_with_its_answers(written):
    assert listed("Questions")[1] == written["question"]
    assert len(written["question"]) == 9


def test_people_are_told_of_every_alarm_in_words_of_its_own(written):
    assert set(ALARMS) == written["alarm"]
