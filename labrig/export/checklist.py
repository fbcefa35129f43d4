"""A reporting checklist filled from the record: every item is "where" or "not done".

ARRIVE 2.0, the Essential 10 (Percie du Sert et al. 2020, PLoS Biol 18:e3000410), read for cultures
as its authors do for animals; and, in words of our own, what RIVER (Reporting In Vitro Experiments
Responsibly, NC3Rs, preprint 2023, by now DRIVER) asks beyond it. A file is named only where it lies
in the run folder, a key only where the protocol holds a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from labrig.export.source import Source, run_id
from labrig.export.spreadsheet import csv_text
from labrig.protocol.analysis_plan import plan_in_force
from labrig.report.analysis import Analysis
from labrig.report.arms.effects import Effect
from labrig.report.junctions import junctions

ARRIVE, RIVER = "ARRIVE 2.0", "RIVER, in our words"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the record says to one item.

    Attributes:
        where: page, file and key; "" where it was not done.
        lacks: what is not in the record, also beside a where.
    """

    where: str
    lacks: str = ""

    @property
    def in_words(self) -> str:
        """``where``, or ``not done`` and what is missing."""
        if not self.where:
            return f"not done: {self.lacks or 'its file is not in the run folder'}"
        return self.where + (f". Not in the record: {self.lacks}" if self.lacks else "")


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a guideline and how it is answered."""

    guideline: str
    number: str
    asks: str
    answer: Callable[[Analysis], Answer]


def checklist(source: Source) -> dict[str, str]:
    """By name of file: the list to read, and the same as a table."""
    rows = [(run, item, item.answer(run)) for run in source.runs for item in ITEMS]
    table = csv_text(
        ("run", "guideline", "item", "asks", "done", "where_or_what_is_missing"),
        (
            {"run": run_id(run), "guideline": item.guideline, "item": item.number,
             "asks": item.asks, "done": bool(answer.where),
             "where_or_what_is_missing": answer.in_words}
            for run, item, answer in rows
        ),
    )  # fmt: skip
    return {"checklist.md": "\n".join(_page(source)) + "\n", "checklist.csv": table}


def _page(source: Source) -> Iterator[str]:
    yield f"# Reporting checklist of {source.name}"
    yield ""
    yield (
        f"Filled by labrig {source.maker.labrig} at {source.maker.utc} from the record alone. It "
        "says where something is written down, or that it was not done; it judges nothing. Paths "
        "are those of the run folder."
    )
    for run in source.runs:
        answers = [(item, item.answer(run)) for item in ITEMS]
        done = sum(bool(answer.where) for _, answer in answers)
        yield ""
        yield f"## Run {run_id(run)}: {run.record.identity['title']}"
        yield ""
        yield f"{done} of {len(answers)} items are in the record."
        for guideline in (ARRIVE, RIVER):
            yield ""
            yield f"### {guideline}"
            yield ""
            yield "| item | asks | where |"
            yield "|---|---|---|"
            for item, answer in answers:
                if item.guideline == guideline:
                    yield f"| {item.number} | {item.asks} | {answer.in_words.replace('|', '/')} |"


def _groups(run: Analysis) -> Answer:
    arms = run.record.protocol.arms
    where = _page_at(run, "ran", "Arms", f"protocol.yaml: arms ({', '.join(arms)})")
    return Answer(where, "" if run.control else "a control arm")


def _unit(run: Analysis) -> Answer:
    return Answer(_page_at(run, "ran", "n at every level", f"a unit shares a {run.unit_is}"))


def _number_of_units(run: Analysis) -> Answer:
    counts: dict[str, int] = {}
    for unit in run.units:
        counts[unit.arm] = counts.get(unit.arm, 0) + 1
    said = ", ".join(f"{arm} {count}" for arm, count in counts.items())
    donors = len(run.record.protocol.donors)
    return Answer(_page_at(run, "ran", "n at every level", f"units: {said}; donors: {donors}"))


def _sample_size(run: Analysis) -> Answer:
    plan = run.record.protocol.analysis
    how = "how the number of donors and units was decided"
    if plan is None or plan.donors is None:
        return Answer("", how)
    return Answer(f"protocol.yaml: analysis.donors (planned: {plan.donors.planned})", how)


def _criteria(run: Analysis) -> Answer:
    d = run.record.protocol.definition
    said = (
        f"protocol.yaml: definition (min_tubes {d.min_tubes}, min_nuclei {d.min_nuclei}, doses "
        f"{d.fidelity_low:g} to {d.fidelity_high:g} of the plan)"
    )
    committed = run.record.commitment is not None
    return Answer(
        said + ("; fixed before: commitment.json" if committed else ""),
        "" if committed else "that they were set before the run (no commitment)",
    )


def _exclusions(run: Analysis) -> Answer:
    cultures = {well.well: well.chip or well.well for well in run.record.plan.wells}
    by_dose, of_chips = {cultures[well] for well in run.left_out}, junctions(run.record)
    films = sum(flag.count for flag in run.films_left_out)
    films += of_chips.films - of_chips.counted if of_chips is not None else 0
    chips = any(well.chip for well in run.record.plan.wells)
    counts = {
        f"{'chip' if chips else 'well'}(s) by dose": len(by_dose),
        "well(s) by name or with too few tubes": len(run.excluded),
        "film(s)": films,
    }
    said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    tables = "wells_long.csv, films_long.csv" + (", chip_films_long.csv" if chips else "")
    how_many = f"left out: {said}" if said else "none left out"
    return Answer(f"export: {tables}, column excluded_why ({how_many})")


def _analysed(run: Analysis) -> Answer:
    if all(effect.estimate is None for effect in _effects_of_arms(run)):
        return Answer("", "a comparison of arms: there is no control, or nothing was measured")
    return Answer(_file(run, "report/verdict.json", "arms[].mass.effect.n, donors, carriers"))


def _randomised(run: Analysis) -> Answer:
    plan = run.record.protocol.randomisation
    return Answer(
        f"protocol.yaml: randomisation (seed {plan.seed}, best balanced of {plan.candidates} "
        "layouts); plan.json: wells"
    )


def _confounders(run: Analysis) -> Answer:
    if not run.record.protocol.randomisation.balance_edges:
        return Answer("", "edges were not balanced (randomisation.balance_edges: false)")
    return Answer(
        "protocol.yaml: randomisation.balance_edges; every picture's time: report/frames.csv",
        "a drawn order of the pictures (wells are photographed in that of the plate)",
    )


def _blinded(run: Analysis) -> Answer:
    state = run.record.blinding
    if state.opened is None:
        return Answer("", "arms were named on every page and list, to everybody")
    row = f"journal.sqlite: row unblinded ({state.line.rstrip('.')})"
    return Answer(
        f"protocol.yaml: blinding (handlers, judges); {row}",
        " ".join(state.troubles).rstrip("."),
    )


def _outcomes(run: Analysis) -> Answer:
    rows = run.record.fields
    how = ""
    if "diameter_definition" in rows and rows["diameter_definition"].notna().any():
        how = f" ({rows['diameter_definition'].dropna().iloc[0]})"
    if rows.empty:
        return Answer("", "nothing was measured")
    return Answer(f"measures/fields.csv: diameter_definition{how}, definition; docs: measures.md")


def _primary(run: Analysis) -> Answer:
    protocol, commitment = run.record.protocol, run.record.commitment
    if protocol.analysis is None:
        return Answer("", "a primary outcome: the protocol has no analysis plan")
    primary = ", ".join(plan_in_force(protocol).primary or ())
    return Answer(
        f"protocol.yaml: analysis.primary ({primary})",
        "" if commitment is not None else "that it was fixed before the run (no commitment)",
    )


def _statistics(run: Analysis) -> Answer:
    methods = dict.fromkeys(effect.method for effect in _effects_of_arms(run) if effect.method)
    if not methods:
        return Answer("", "a statistical test: no error could be told")
    key = f"arms[].mass.effect.method ({'; '.join(methods)}), analysis_plan"
    version = run.record.identity["versions"].get("labrig", "")
    where = _file(run, "report/verdict.json", key)
    return Answer(f"{where}; run.json: versions (labrig {version}); export: primary_test.R")


def _assumptions(run: Analysis) -> Answer:
    return Answer("", "whether the data met the assumptions of the tests")


def _cells(run: Analysis) -> Answer:
    culture, donors = run.record.protocol.culture, run.record.protocol.donors
    days = culture.days_differentiated
    if days is None and culture.compartments is not None:
        days = culture.compartments.muscle.days
    lacks = [
        *(["seeding density"] if culture.seeding_per_cm2 is None else []),
        *(["days differentiated"] if days is None else []),
        *(f"passage of {d.id}" for d in donors if d.passage is None),
        *(f"age of {d.id}" for d in donors if d.age_group == "unknown" and d.age_years is None),
        *(f"sex of {d.id}" for d in donors if d.sex is None),
    ]
    ids = ", ".join(donor.id for donor in donors)
    said = f"protocol.yaml: culture.cells ({culture.cells}), donors ({ids})"
    return Answer(said, ", ".join(lacks))


def _provenance(run: Analysis) -> Answer:
    culture, donors = run.record.protocol.culture, run.record.protocol.donors
    has = [
        *([f"culture.mycoplasma_tested ({culture.mycoplasma_tested})"]
          if culture.mycoplasma_tested else []),
        *(["culture.lots"] if culture.lots else []),
        *(["donors[].lot"] if any(d.lot for d in donors) else []),
    ]  # fmt: skip
    lacks = [
        *([] if culture.mycoplasma_tested else ["a mycoplasma test"]),
        *([] if culture.lots or any(d.lot for d in donors) else ["lots of cells and media"]),
    ]
    return Answer(f"protocol.yaml: {', '.join(has)}" if has else "", ", ".join(lacks))


def _procedures(run: Analysis) -> Answer:
    keys = ["arms", "phases"]
    keys += [k for k in ("factors", "stocks", "patterns") if getattr(run.record.protocol, k)]
    keys += ["perfusion"] if run.record.protocol.perfusion is not None else []
    return Answer(
        f"protocol.yaml: {', '.join(keys)}; what was delivered: "
        + _page_at(run, "doses", "Delivered and intended dose", "report/dose_ledger.csv")
    )


def _when(run: Analysis) -> Answer:
    if not run.outcome.started_utc:
        return Answer("", "the run never began")
    return Answer(
        f"journal.sqlite: column utc (from {run.outcome.started_utc}); report/deviations.csv for "
        "what was late or missed"
    )


def _place(run: Analysis) -> Answer:
    rig = run.record.rig
    simulated = " SIMULATED" if run.record.identity["simulated"] else ""
    return Answer(f"rig.yaml ({rig.name}{simulated}); run.json: machine, operator")


def _why(run: Analysis) -> Answer:
    purpose = run.record.protocol.purpose.strip()
    return Answer("protocol.yaml: purpose" if purpose else "", "" if purpose else "a purpose")


def _results(run: Analysis) -> Answer:
    if run.itt.empty:
        return Answer("", "nothing was measured")
    return Answer(
        _page_at(run, "growth", "Growth", "report/units.csv, every unit and round")
        + "; export: superplot_*.csv"
    )


def _effects(run: Analysis) -> Answer:
    shown = [effect.estimate for effect in _effects_of_arms(run) if effect.estimate is not None]
    if not shown:
        return Answer("", "an effect: nothing could be compared")
    without = sum(estimate.low is None for estimate in shown)
    key = "arms[].mass.effect.estimate (log ratio: value, low, high)"
    where = _page_at(run, "verdict", "Verdict", _file(run, "report/verdict.json", key))
    return Answer(where, f"an interval of {without} of {len(shown)} ratios" if without else "")


def _effects_of_arms(run: Analysis) -> list[Effect]:
    """Of every arm and primary read-out, in the plan's analysis set."""
    found = [(arm.mass, arm.strength) for arm in run.arms.arms]
    return [finding.effect for pair in found for finding in pair if finding is not None]


def _fixed_before(run: Analysis) -> Answer:
    commitment = run.record.commitment
    if commitment is None:
        return Answer("", "a commitment: this run was an uncommitted pilot")
    if commitment.after_data == len(commitment.entries):
        return Answer("", "a plan fixed before the data: it was committed after the run had begun")
    entry = commitment.entries[-1 - commitment.after_data]
    return Answer(f"commitment.json: number {entry['number']}, {entry['utc']}, {entry['sha256']}")


def _deviations(run: Analysis) -> Answer:
    outcome = run.outcome
    return Answer(
        _page_at(
            run, "time", "Late, missed, uncertain",
            f"report/deviations.csv ({len(outcome.deviations)} deviations, {len(outcome.slips)} "
            "late or missed)",
        )
    )  # fmt: skip


def _missing(run: Analysis) -> Answer:
    return Answer(
        "report/frames.csv: state, reason of every picture; export: wells_long.csv holds wells and "
        "rounds without a picture"
    )


def _replication(run: Analysis) -> Answer:
    donors = len(run.record.protocol.donors)
    said = f"protocol.yaml: donors ({donors})"
    return Answer(said, "more than one donor: nothing here speaks for people" if donors < 2 else "")


def _medium(run: Analysis) -> Answer:
    protocol = run.record.protocol
    lots = [name for name, medium in protocol.media.items() if not medium.lot]
    return Answer(
        f"protocol.yaml: media ({', '.join(protocol.media)})",
        f"lot of {', '.join(lots)}" if lots else "",
    )


def _measured_how(run: Analysis) -> Answer:
    return Answer(_file(run, "measures/manifest.jsonl", "settings, labrig, SHA-256 of the tables"))


def _availability(run: Analysis) -> Answer:
    return Answer("", "where data and code are deposited (a .eln holds all but the pictures)")


ITEMS: Sequence[Item] = (
    Item(ARRIVE, "1a", "groups compared, controls", _groups),
    Item(ARRIVE, "1b", "experimental unit", _unit),
    Item(ARRIVE, "2a", "number of experimental units in each group", _number_of_units),
    Item(ARRIVE, "2b", "how the sample size was decided", _sample_size),
    Item(ARRIVE, "3a", "criteria of inclusion and exclusion, set beforehand", _criteria),
    Item(ARRIVE, "3b", "what was left out, and why", _exclusions),
    Item(ARRIVE, "3c", "n of each analysis", _analysed),
    Item(ARRIVE, "4a", "randomisation and how it was done", _randomised),
    Item(ARRIVE, "4b", "confounders: position, order", _confounders),
    Item(ARRIVE, "5", "blinding: who knew the groups, when", _blinded),
    Item(ARRIVE, "6a", "outcome measures, defined", _outcomes),
    Item(ARRIVE, "6b", "primary outcome", _primary),
    Item(ARRIVE, "7a", "statistical methods and software", _statistics),
    Item(ARRIVE, "7b", "whether assumptions were met", _assumptions),
    Item(ARRIVE, "8a", "test system: cells, donors, age, sex", _cells),
    Item(ARRIVE, "8b", "provenance and health of the cells", _provenance),
    Item(ARRIVE, "9a", "what was done, how", _procedures),
    Item(ARRIVE, "9b", "when and how often", _when),
    Item(ARRIVE, "9c", "where", _place),
    Item(ARRIVE, "9d", "why", _why),
    Item(ARRIVE, "10a", "results of each group with their spread", _results),
    Item(ARRIVE, "10b", "effect sizes with intervals", _effects),
    Item(RIVER, "plan", "plan and hypotheses fixed before the data", _fixed_before),
    Item(RIVER, "deviations", "departures from the plan", _deviations),
    Item(RIVER, "replication", "independent replication apart from sub-samples", _replication),
    Item(RIVER, "medium", "media, serum and lots", _medium),
    Item(RIVER, "missing", "missing data", _missing),
    Item(RIVER, "processing", "how images became numbers, and with which settings", _measured_how),
    Item(RIVER, "availability", "data and code", _availability),
)


def _page_at(run: Analysis, anchor: str, title: str, said: str) -> str:
    """A section of the report where there is one, and what else says it."""
    if (run.record.folder.report / "report.html").exists():
        return f'report/report.html#{anchor} ("{title}"); {said}'
    return said


def _file(run: Analysis, name: str, key: str) -> str:
    """A file of the run with its key; "" where it is not there."""
    return f"{name}: {key}" if (run.record.folder.root / name).exists() else ""
