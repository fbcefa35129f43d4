"""The checklist names what is in the record and says "not done" of all else."""

from __future__ import annotations

import re
from dataclasses import replace

from labrig.export.checklist import ITEMS, checklist
from labrig.report.build import build_report


def answers(source) -> dict[str, str]:
    return {item.number: item.answer(source.runs[0]).in_words for item in ITEMS}


def test_every_file_that_is_named_is_there(source_of, write_run, two_donors):
    source = source_of(two_donors)
    folder = write_run(two_donors)
    build_report(folder)
    page = (folder.report / "report.html").read_text("utf-8")
    for said in answers(source).values():
        if said.startswith("not done"):
            continue
        for name in re.findall(
            r"(?:report|measures)/\w+\.\w+|(?<![\w/])[\w]+\.(?:json|yaml|sqlite)", said
        ):
            assert (folder.root / name).exists(), (name, said)
        for anchor in re.findall(r"report\.html#(\w+)", said):
            assert f'id="{anchor}"' in page


def test_what_is_not_in_the_record_is_not_done(source_of, story):
    said = answers(source_of(story))
    assert "how the number of donors and units was decided" in said["2b"]
    for number in ("5", "7b", "8b", "plan", "availability"):
        assert said[number].startswith("not done: "), number
    assert "more than one donor" in said["replication"]


def test_what_the_protocol_says_is_found(source_of, story):
    more = "  mycoplasma_tested: negative 2026-02-01\n  lots: {cells: L1}\n"
    edit = ("  operator: demo\n", f"  operator: demo\n{more}")
    told = replace(story, edits=(*story.edits, edit))
    said = answers(source_of(told))
    assert said["8b"] == (
        "protocol.yaml: culture.mycoplasma_tested (negative 2026-02-01), culture.lots"
    )
    unmeasured = answers(source_of(replace(story, measured=False)))
    assert unmeasured["3c"].startswith("not done: a comparison of arms")
    assert unmeasured["processing"] == "not done: its file is not in the run folder"
    assert unmeasured["6a"] == "not done: nothing was measured"
    assert unmeasured["10b"].startswith("not done")


def test_the_page_and_the_table_say_the_same(source_of, story):
    files = checklist(source_of(story))
    for item in ITEMS:
        assert f"| {item.number} | {item.asks} |" in files["checklist.md"]
    assert files["checklist.csv"].count("\r\n") == 1 + len(ITEMS)
