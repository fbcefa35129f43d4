"""ISA-Tab (isa-specs.readthedocs.io): investigation, study and assays as tab-separated text.

Donors are sources, wells are samples, arms with their factors are factor values; pictures and films
are raw data, the long tables derived data. Written here because isatools pins pandas and SQLAlchemy
to versions that labrig does not run with; what is written loads and validates with it. Its default
configuration knows one kind of assay by microscope, histology, so both assays say that, and what
they measured in a comment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from labrig.export.source import Source, run_id
from labrig.plan.sides import side_arm, sided
from labrig.protocol.compartments import compartments_of
from labrig.protocol.models import Protocol
from labrig.protocol.programme_words import bolus_words, factor_words, factors_of, pattern_words
from labrig.protocol.segments import boluses
from labrig.report.analysis import Analysis

STUDY, IMAGING, FILMS = "s_study.txt", "a_imaging.txt", "a_contraction.txt"
_CULTURE, _TREATMENT = "cell culture", "treatment"
_TIME_LAPSE, _FILMING, _MEASURING = "time-lapse imaging", "contraction films", "image analysis"


def isa_tab(source: Source) -> dict[str, str]:
    """Text by name of file, without the tables it names (:mod:`labrig.export.long_tables`)."""
    filmed = any(not run.record.films.empty for run in source.runs)
    files = {
        "i_investigation.txt": _investigation(source, filmed=filmed),
        STUDY: _table(*_study(source)),
        IMAGING: _table(*_assay(source, _TIME_LAPSE, "images/plate.ome.zarr", "wells_long.csv")),
    }
    if filmed:
        files[FILMS] = _table(*_assay(source, _FILMING, "films", "films_long.csv"))
    return files


def _investigation(source: Source, *, filmed: bool) -> str:
    first = source.runs[0].record
    identity, protocol = first.identity, first.protocol
    simulated = any(run.record.identity["simulated"] for run in source.runs)
    description = protocol.purpose.strip()
    if simulated:
        description = f"SIMULATED: no instrument was real and no cell was. {description}"
    day = _day(source.runs[0].outcome.started_utc or str(identity["made_utc"]))
    factors = factor_names(source)
    assays = [(IMAGING, "diameter, area and nuclei of myotubes")]
    assays += [(FILMS, "optical contraction")] if filmed else []
    committed = first.commitment.entries[-1]["sha256"] if first.commitment else ""
    sections: Sequence[tuple[str, Mapping[str, Sequence[str]]]] = [
        ("ONTOLOGY SOURCE REFERENCE", _empty(_of("Term Source", _ONTOLOGY), 0)),
        ("INVESTIGATION", {
            "Investigation Identifier": [source.name],
            "Investigation Title": [str(identity["title"])],
            "Investigation Description": [description],
            "Investigation Submission Date": [day],
            "Investigation Public Release Date": [],
            "Comment[Made by]": [f"labrig {source.maker.labrig}"],
        }),
        ("INVESTIGATION PUBLICATIONS", _empty(_of("Investigation", _PUBLICATION), 0)),
        ("INVESTIGATION CONTACTS", _empty(_of("Investigation Person", _PERSON), 0)),
        ("STUDY", {
            "Study Identifier": [source.name],
            "Study Title": [str(identity["title"])],
            "Study Description": [description],
            "Study Submission Date": [day],
            "Study Public Release Date": [],
            "Study File Name": [STUDY],
            "Comment[Commitment SHA-256]": [committed],
            "Comment[Run id]": [" ".join(run_id(run) for run in source.runs)],
        }),
        ("STUDY DESIGN DESCRIPTORS", {
            "Study Design Type": ["randomised block design"],
            **_empty(_terms("Study Design Type"), 1),
        }),
        ("STUDY PUBLICATIONS", _empty(_of("Study", _PUBLICATION), 0)),
        ("STUDY FACTORS", {
            "Study Factor Name": factors,
            "Study Factor Type": ["treatment", "electrical stimulation",
                                  *["concentration"] * (len(factors) - 2)],
            **_empty(_terms("Study Factor Type"), len(factors)),
        }),
        ("STUDY ASSAYS", {
            "Study Assay File Name": [name for name, _ in assays],
            "Study Assay Measurement Type": ["histology"] * len(assays),
            **_empty(_terms("Study Assay Measurement Type"), len(assays)),
            "Study Assay Technology Type": [""] * len(assays),
            **_empty(_terms("Study Assay Technology Type"), len(assays)),
            "Study Assay Technology Platform": [first.rig.name] * len(assays),
            "Comment[Measured]": [what for _, what in assays],
        }),
        ("STUDY PROTOCOLS", _protocols(source, filmed=filmed)),
        ("STUDY CONTACTS", _contacts(source)),
    ]  # fmt: skip
    lines = []
    for title, rows in sections:
        lines.append(title)
        lines += ["\t".join([key, *map(_quoted, values or [""])]) for key, values in rows.items()]
    return "\n".join(lines) + "\n"


def factor_names(source: Source) -> list[str]:
    """Arm, impulses and every factor that an arm is given."""
    names: dict[str, None] = {}
    for run in source.runs:
        protocol = sided(run.record.protocol)
        for arm in protocol.arms:
            names |= dict.fromkeys(factors_of(protocol, arm))
            names |= dict.fromkeys(bolus.factor for bolus in boluses(protocol, arm))
    return ["Arm", "Impulses", *names]


def _factor_values(source: Source, protocol: Protocol, name: str) -> list[str]:
    split = sided(protocol)
    parts = {side: side_arm(name, side) for side in compartments_of(protocol)}
    impulses = {side: pattern_words(split, part) or "none" for side, part in parts.items()}
    values = [name, _by_side(impulses)]
    for factor in factor_names(source)[2:]:
        said = {}
        for side, part in parts.items():
            given = [factor_words(split, part, factor)]
            given += [
                f"{bolus_words(bolus)} of {bolus.stock}"
                for bolus in boluses(split, part)
                if bolus.factor == factor
            ]
            said[side] = " and ".join(given)
        values.append(_by_side(said))
    return values


def _by_side(said: Mapping[str, str]) -> str:
    """``nerve: 10 nM, muscle: none``; without sides, what is said of the arm."""
    return ", ".join(f"{side}: {text}" if side else text for side, text in said.items())


def _study(source: Source) -> tuple[list[str], Iterator[list[str]]]:
    names = factor_names(source)
    columns = [
        "Source Name", "Characteristics[Cells]", "Characteristics[Age group]",
        "Characteristics[Passage]", "Protocol REF", "Protocol REF", "Sample Name",
        "Characteristics[Experimental unit]", *(f"Factor Value[{name}]" for name in names),
    ]  # fmt: skip
    return columns, _study_rows(source)


def _study_rows(source: Source) -> Iterator[list[str]]:
    for run, well, unit in source.wells():
        protocol = run.record.protocol
        donor = next(d for d in protocol.donors if d.id == well.donor)
        yield [
            donor.id, protocol.culture.cells, donor.age_group,
            "" if donor.passage is None else str(donor.passage), _CULTURE, _TREATMENT,
            sample_name(run, well.well), unit, *_factor_values(source, protocol, well.arm),
        ]  # fmt: skip


def _assay(
    source: Source, imaging: str, raw: str, derived: str
) -> tuple[list[str], Iterator[list[str]]]:
    names = factor_names(source)
    columns = [
        "Sample Name", "Protocol REF", "Assay Name", "Raw Data File", "Protocol REF",
        "Data Transformation Name", "Derived Data File", *(f"Factor Value[{n}]" for n in names),
    ]  # fmt: skip
    rows = (
        [
            sample_name(run, well.well), imaging, f"{sample_name(run, well.well)} {imaging}",
            f"{run.record.folder.root.resolve().name}/{raw}", _MEASURING, f"labrig {run_id(run)}",
            derived, *_factor_values(source, run.record.protocol, well.arm),
        ]
        for run, well, _ in source.wells()
    )  # fmt: skip
    return columns, rows


def sample_name(run: Analysis, well: str) -> str:
    """A well of a run, unique over runs."""
    return f"{run_id(run)} {well}"


def _protocols(source: Source, *, filmed: bool) -> dict[str, list[str]]:
    record = source.runs[0].record
    protocol = record.protocol
    measured = ""
    if "definition" in record.fields:
        measured = ", ".join(sorted(map(str, record.fields["definition"].dropna().unique())))
    phases = "; ".join(f"{p.name} {p.duration_s / 3600:g} h" for p in protocol.phases)
    rows = [
        (_CULTURE, "sample collection", _culture_words(protocol)),
        (_TREATMENT, "treatment protocol",
         f"{phases}. Allocated by lot, seed {record.plan.seed}; every dose and pulse is in the "
         "journal of the run."),
        (_TIME_LAPSE, "histology",
         f"Every {protocol.imaging.interval_s / 60:g} min, {protocol.imaging.sites} field(s) a "
         f"well, channels {', '.join(protocol.imaging.channels)}."),
        *([(_FILMING, "histology", "Films of contraction under test pulses.")]
          if filmed else []),
        (_MEASURING, "data transformation",
         f"labrig {record.identity['versions'].get('labrig', '')}; {measured}".rstrip("; ")),
    ]  # fmt: skip
    empty = [""] * len(rows)
    return {
        "Study Protocol Name": [name for name, _, _ in rows],
        "Study Protocol Type": [kind for _, kind, _ in rows],
        **_empty(_terms("Study Protocol Type"), len(rows)),
        "Study Protocol Description": [said for _, _, said in rows],
        "Study Protocol URI": empty,
        "Study Protocol Version": [str(record.identity["protocol_sha256"])[:12]] * len(rows),
        "Study Protocol Parameters Name": empty,
        **_empty(_terms("Study Protocol Parameters Name"), len(rows)),
        "Study Protocol Components Name": empty,
        "Study Protocol Components Type": empty,
        **_empty(_terms("Study Protocol Components Type"), len(rows)),
    }


def _culture_words(protocol: Protocol) -> str:
    culture = protocol.culture
    said = [culture.cells]
    if culture.seeding_per_cm2 is not None:
        said.append(f"{culture.seeding_per_cm2} per cm2")
    if culture.days_differentiated is not None:
        said.append(f"differentiated {culture.days_differentiated:g} days")
    if culture.mycoplasma_tested:
        said.append(f"mycoplasma: {culture.mycoplasma_tested}")
    said += [f"{name}: {medium.description}, {medium.serum}" for name, medium in
             protocol.media.items()]  # fmt: skip
    return "; ".join(said)


def _contacts(source: Source) -> dict[str, list[str]]:
    """People as they were typed; a name of one word is first and last name, both are asked for."""
    people: dict[str, str] = {}
    for run in source.runs:
        people.setdefault(str(run.record.identity["operator"]), "operator")
        commitment = run.record.commitment
        for entry in () if commitment is None else commitment.entries:
            people |= {name: "stands by the commitment" for name in entry["names"]}
    names = [name.rsplit(" ", 1) for name in people]
    rows: dict[str, list[str]] = {key: [""] * len(names) for key in _of("Study Person", _PERSON)}
    rows["Study Person Last Name"] = [parts[-1] for parts in names]
    rows["Study Person First Name"] = [parts[0] for parts in names]
    rows["Study Person Roles"] = list(people.values())
    return rows


_ONTOLOGY = ("Name", "File", "Version", "Description")
_PUBLICATION = (
    "PubMed ID", "Publication DOI", "Publication Author List", "Publication Title",
    "Publication Status", "Publication Status Term Accession Number",
    "Publication Status Term Source REF",
)  # fmt: skip
_PERSON = (
    "Last Name", "First Name", "Mid Initials", "Email", "Phone", "Fax", "Address", "Affiliation",
    "Roles", "Roles Term Accession Number", "Roles Term Source REF",
)  # fmt: skip


def _of(what: str, keys: Sequence[str]) -> list[str]:
    return [f"{what} {key}" for key in keys]


def _terms(key: str) -> list[str]:
    return [f"{key} Term Accession Number", f"{key} Term Source REF"]


def _empty(keys: Sequence[str], cells: int) -> dict[str, list[str]]:
    return {key: [""] * cells for key in keys}


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["\t".join(map(_quoted, columns))]
    lines += ["\t".join(map(_quoted, row)) for row in rows]
    return "\n".join(lines) + "\n"


def _quoted(value: Any) -> str:  # noqa: ANN401 - a cell
    """A cell without what would end it; ISA-Tab knows no escape for a quote within quotes."""
    text = " ".join(str(value).split()).replace('"', "'")
    return f'"{text}"'


def _day(utc: str) -> str:
    return utc[:10]
