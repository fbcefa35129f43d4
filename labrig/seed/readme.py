"""The page of the seed: every row with its question, its protocol and what is expected."""

from __future__ import annotations

from labrig.seed.index import Index, Row

_HEAD = """# The paper's systems as protocols

Every system and definition that "Sarcopenia, a neurogenic syndrome?" names, with the protocol that
asks about it. `labrig seed check` tries them all. This page is made of `index.yaml` by
`python -m labrig.seed.readme`.

*Seen* are rows of which a short run through pictures and films to its report was looked at, and
showed every read-out and sign; each of the others may, but nobody has looked, or it says what was
missing. `labrig seed check --run FOLDER` runs them all, in about an hour and a half of CPU. What is
small beside the scatter of a few wells must not be contradicted there; what is large must show.

What is *expected* is a hypothesis of the paper. The simulated culture is made to answer with its
sign, for training and for tests; that says nothing about cells. Doses and times are proposals, to
be edited.

| row | the paper says | asks | protocol, bench | the report shows | expected | seen |
|---|---|---|---|---|---|---|
"""


def page(index: Index) -> str:
    """The page as Markdown."""
    return _HEAD + "".join(_line(number, row) for number, row in index.rows.items())


def _line(number: str, row: Row) -> str:
    if row.out_of_scope:
        return (
            f"| {number} | {row.claims} | {row.asks} | out of scope: {row.out_of_scope} | | | |\n"
        )
    files = f"[{row.protocol}]({row.protocol}), [{_stem(row.bench)}](../{row.bench})"
    expected = "<br>".join(str(one) for one in row.predicts) or "nothing is predicted"
    seen = "yes" if row.seen else row.unseen or "not looked at yet"
    return (
        f"| {number} | {row.claims} | {row.asks} | {files} | "
        f"{', '.join(name.replace('_', ' ') for name in row.read_outs)} | {expected} | {seen} |\n"
    )


def _stem(bench: str | None) -> str:
    return (bench or "").rpartition("/")[2].removesuffix(".yaml")


if __name__ == "__main__":
    from labrig.seed.index import load_index, seed_folder

    (seed_folder() / "README.md").write_text(page(load_index()), encoding="utf-8")
