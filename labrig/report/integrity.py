"""Whether what lies in a run folder is what its run was done with, and when it was committed.

What is compared: the plan with ``run.json``, the files with the plan and with the first row of the
journal, the commitment with its own chain and with that row, the tables with their manifest. There
is no key in any of it: it shows what was edited, swapped, added or deleted, and not the work of
somebody who writes journal, anchors and all else anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from labrig.documents import Loaded, canonical_sha256, sha256_of_text
from labrig.plan.plan import Plan
from labrig.problems import FileProblems
from labrig.protocol.added_keys import changes
from labrig.protocol.commitment_file import Commitment, CommitmentDamaged, read_commitment
from labrig.protocol.fixed_part import fixed_part
from labrig.protocol.lab_log import LabLogDamaged, read_lab_log
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol
from labrig.protocol.verification import unlike_log
from labrig.record.kinds.runs import RunStarted
from labrig.record.origin import file_sha256
from labrig.record.rows import Row
from labrig.record.said import said
from labrig.report.amendments import amendments_shown, faults_of_amendments
from labrig.report.blinding import faults_of_key
from labrig.report.results import faults_of_results
from labrig.report.sealed_measures import faults_of_measures, notes_on_measures
from labrig.report.witnessing import witness_of
from labrig.rig.loading import load_rig
from labrig.run_folder import RunFolder

_BACK = "Put it back from a copy"
_ENDS = ("finished", "stopped")
_READ_AS_TEXT = ("protocol.yaml", "rig.yaml")
"""Compared by what they say; a comment or another order of keys changes nothing."""


@dataclass(frozen=True, slots=True)
class CommitmentShown:
    """The commitment a run was started under.

    Attributes:
        entries: number, utc, names, reason, sha256 of each, oldest first.
        fits: whether what the run is judged by, and the protocol in its folder, are what stood
            committed when it began.
        after_data: how many of the entries, the last ones, were made after the run's first row.
        witness: who else than this computer has witnessed its time, in words; "" for nobody.
        run_otherwise: keys of what stood committed and was amended while the run went on; never
            what the run is judged by. No more than keys: arms may be coded.
    """

    entries: tuple[Mapping[str, Any], ...]
    fits: bool
    after_data: int = 0
    witness: str = ""
    run_otherwise: tuple[str, ...] = ()

    @property
    def post_hoc(self) -> bool:
        """Whether it was made or amended after there could be data."""
        return self.after_data > 0

    @property
    def amended_before_data(self) -> bool:
        """Whether it was amended before there could be any."""
        return len(self.entries) - self.after_data > 1


@dataclass(frozen=True, slots=True)
class Integrity:
    """What was found.

    Attributes:
        failures: which file, what is wrong with it, what to do; none when all is as it was.
        warnings: what a reader must know first although nothing was changed.
        notes: what could not be checked, and what was done again in the open.
    """

    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Run:
    folder: RunFolder
    identity: Mapping[str, Any]
    plan: Plan
    protocol: Protocol
    rows: Sequence[Row]

    @property
    def start(self) -> Row | None:
        return next((r for r in self.rows if r.kind == "run" and r.key == "started"), None)

    @property
    def began(self) -> RunStarted:
        """What the journal's first row says; nothing where there is none."""
        told = None if self.start is None else said(self.start)
        return told if isinstance(told, RunStarted) else RunStarted()

    @property
    def hashes(self) -> Mapping[str, str | None]:
        """SHA-256 by file, of the journal's first row; empty in runs of an older labrig."""
        return self.began.sha256 or {}

    @property
    def vouches(self) -> bool:
        """Whether this run was prepared by a labrig that vouches for its files."""
        return "plan_sha256" in self.identity


def examine(
    folder: RunFolder,
    identity: Mapping[str, Any],
    plan: Plan,
    protocol: Protocol,
    rows: Sequence[Row],
    journal_problem: str = "",
) -> tuple[Integrity, CommitmentShown | None]:
    """Compare all that lies in a run folder.

    Args:
        folder: the run's.
        identity: its ``run.json``.
        plan: the one that it was started with.
        protocol: that of this plan.
        rows: its journal; empty when it was never begun or cannot be trusted.
        journal_problem: why it cannot.
    """
    run = _Run(folder, identity, plan, protocol, rows)
    shown, faults, warnings = _commitment(run)
    edited = [*_files(run)]
    if shown is not None and any(said.startswith("protocol.yaml") for said in edited):
        shown = replace(shown, fits=False)
    failures = [journal_problem] if journal_problem else []
    failures += [*_plan(run), *edited, *_journal(run), *faults]
    failures += faults_of_key(folder, identity, protocol, _sealed_key(run))
    failures += faults_of_measures(
        folder.measures,
        str(identity.get("id")),
        protocol,
        closed=bool(run.hashes) and any(r.kind == "run" and r.key in _ENDS for r in rows),
    )
    failures += faults_of_results(folder, rows)
    failures += faults_of_amendments(folder, rows)
    notes = [*_notes(run), *notes_on_measures(folder.measures)]
    return Integrity(tuple(dict.fromkeys(failures)), tuple(warnings), tuple(notes)), shown


def committed_protocol(folder: RunFolder, identity: Mapping[str, Any], read: Protocol) -> Protocol:
    """What a run is judged by whose plan, of an older labrig, holds no protocol.

    That is the protocol in its folder; where somebody edited it and there is a sound commitment,
    all that was committed stands in place of the edits.
    """
    if canonical_sha256(read) == identity.get("protocol_sha256"):
        return read
    try:
        fixed = read_commitment(folder.commitment).entries[0].fixed
        return Protocol.model_validate(read.model_dump(mode="json", by_alias=True) | fixed)
    except (OSError, CommitmentDamaged, ValueError):
        return read


def _plan(run: _Run) -> Iterator[str]:
    plan, identity, root = run.plan, run.identity, run.folder.root
    said = {
        "protocol_sha256": plan.protocol_sha256, "rig_sha256": plan.rig_sha256,
        "seed": plan.seed, "pilot": plan.pilot, "protocol": plan.protocol_name,
        "rig": plan.rig_name,
    }  # fmt: skip
    if wrong := [key for key, value in said.items() if identity.get(key) != value]:
        yield (
            f"plan.json and run.json do not belong together ({', '.join(wrong)}): one was edited "
            f"or is that of another run. Put both back from a copy of {root.name}"
        )
    if run.vouches and file_sha256(run.folder.plan) != identity["plan_sha256"]:
        yield f"plan.json is not the one that run.json names. {_BACK}"
    for name, text, sha256 in (
        ("protocol", plan.protocol, plan.protocol_sha256),
        ("rig", plan.rig, plan.rig_sha256),
    ):
        if text and _sha256(text) != sha256:
            yield f"plan.json: the {name} in it was edited, its hash does not fit. {_BACK}"


def _files(run: _Run) -> Iterator[str]:
    """Protocol and rig beside the plan: do they still say what was planned?"""
    plan, folder = run.plan, run.folder
    for name, path, load, text, sha256 in (
        ("protocol.yaml", folder.protocol, load_protocol, plan.protocol, plan.protocol_sha256),
        ("rig.yaml", folder.rig, load_rig, plan.rig, plan.rig_sha256),
    ):
        try:
            loaded: Loaded[Any] = load(path)
        except (OSError, FileProblems) as error:
            yield f"{name} cannot be read any more ({_first_line(error)}). {_BACK}"
            continue
        if not text:
            if loaded.sha256 != sha256:
                yield (
                    f"{name} is not the one that the run was started with, by its SHA-256 in "
                    f"run.json: it was edited since, and its plan, of an older labrig, holds no "
                    f"copy of it. {_BACK}"
                )
            continue
        planned = type(loaded.model).model_validate_json(text)
        if found := changes(_said(planned), _said(loaded.model)):
            yield (
                f"{name} was edited after the start ({', '.join(found[:5])}); nothing is judged by "
                f"the edit, which would be post hoc. {_BACK}: plan.json holds it as it was"
            )


def _journal(run: _Run) -> Iterator[str]:
    """Is the journal this run's, and are the files those it began with?"""
    if run.start is None:
        return
    began, identity = run.began, run.identity
    if run.vouches and not run.hashes:
        yield (
            "journal.sqlite is not this run's: its first row does not name the files that the run "
            f"began with, as every journal of the labrig that prepared it does. {_BACK}"
        )
    if began.origin is not None and began.origin.run != identity.get("id"):
        yield (
            f"journal.sqlite is that of run {began.origin.run}, and run.json is that of "
            f"{identity.get('id')}. Put back the one that does not belong here"
        )
    if began.plan is not None and began.plan != run.plan.protocol_name:
        yield f"journal.sqlite is that of a run of {began.plan}, not of this one. {_BACK}"
    elif not run.hashes and _second(run.start.utc) < _second(str(identity["made_utc"])):
        yield (
            f"journal.sqlite begins at {run.start.utc}, before run.json was made "
            f"({identity['made_utc']}): it is that of another run. {_BACK}"
        )
    for name, sha256 in run.hashes.items():
        if name in _READ_AS_TEXT or (name == "commitment.json" and sha256 is not None):
            continue
        now = file_sha256(run.folder.root / name)
        if now == sha256:
            continue
        if sha256 is None:
            yield (
                f"{name} was put into the folder after the run had begun: it proves nothing about "
                "this run. Take it away"
            )
        else:
            what = "is gone" if now is None else "was changed after the run had begun"
            yield f"{name} {what}, by its SHA-256 in the journal's first row. {_BACK}"


def _commitment(run: _Run) -> tuple[CommitmentShown | None, list[str], list[str]]:
    """What is shown of it, what is wrong, what a reader must know."""
    faults: list[str] = []
    warnings: list[str] = []
    try:
        commitment: Commitment | None = read_commitment(run.folder.commitment)
    except FileNotFoundError:
        if run.identity.get("commitment") is not None:
            faults.append(f"commitment.json is gone: this run was committed. {_BACK}")
        return None, faults, warnings
    except CommitmentDamaged as error:
        faults.append(f"{error}. {_BACK}")
        commitment = error.commitment
    if commitment is None:
        return None, faults, warnings
    after = _made_after(run, commitment, faults)
    in_force = commitment.entries[max(0, len(commitment.entries) - after - 1)]
    differs = changes(in_force.fixed, fixed_part(run.protocol))
    if differs:
        faults.append(
            f"commitment.json: number {in_force.number} does not fix what this run was done with "
            f"({', '.join(differs[:5])}): it was made for another protocol, or edited. {_BACK}"
        )
    try:
        log = read_lab_log(run.folder.commitments)
        if remark := unlike_log(commitment, log):
            warnings.append(remark)
    except LabLogDamaged as error:
        faults.append(str(error))
    entries = tuple(
        {"number": e.number, "utc": e.utc, "names": e.names, "reason": e.reason,
         "sha256": e.sha256, "after_data": at >= len(commitment.entries) - after}
        for at, e in enumerate(commitment.entries)
    )  # fmt: skip
    witness = witness_of(run.folder, run.identity, run.rows)
    otherwise = tuple(
        dict.fromkeys(
            key
            for shown in amendments_shown(run.rows)
            if shown.in_force
            for key in (path.partition(".")[0] for path in shown.said.changed)
            if key in in_force.fixed
        )
    )
    return CommitmentShown(entries, not differs, after, witness, otherwise), faults, warnings


def _made_after(run: _Run, commitment: Commitment, faults: list[str]) -> int:
    """How many entries, the last ones, are of a time at which the run had begun."""
    entries = commitment.entries
    count = len(entries)
    if run.start is None:
        return 0
    began = _second(run.start.utc)
    # Counted from the first that is later: an entry follows all before it, whatever it says.
    late = next((n for n, e in enumerate(entries) if _second(e.utc) > began), count)
    if "commitment" in run.identity:
        chain = run.identity["commitment"]
        known = next((n for n, e in enumerate(entries) if e.chain == chain), None)
        if known is None:
            faults.append(
                "commitment.json does not hold the commitment that this run was started under: it "
                f"was made, or put here, afterwards. {_BACK}"
            )
            late = 0 if chain is None else late
        else:
            if known >= late:
                faults.append(_late(entries[late].number, entries[late].utc, run.start.utc))
            late = min(late, known + 1)
    elif late == 0:
        faults.append(_late(entries[0].number, entries[0].utc, run.start.utc))
    return count - late


def _sealed_key(run: _Run) -> str:
    """SHA-256 of the key to the codes, of the commitment that the run was started under."""
    try:
        entries = read_commitment(run.folder.commitment).entries
    except (FileNotFoundError, CommitmentDamaged):
        return ""
    chain = run.identity.get("commitment")
    return next((entry.blinding for entry in entries if entry.chain == chain), "")


def _late(number: int, utc: str, began: str) -> str:
    return (
        f"commitment.json: number {number} was made at {utc}, after the run had begun ({began}), "
        "by this computer's clock: what it fixes is post hoc. Commit before the start"
    )


def _notes(run: _Run) -> Iterator[str]:
    if not run.plan.protocol:
        yield (
            "The plan of this run was made by an older labrig and holds no definition: judged by "
            "what protocol.yaml says, or by what was committed where that was edited"
        )
    if run.start is not None and not run.hashes:
        yield (
            "The first row of this run's journal names no hashes (an older labrig): that plan, "
            "rig and tables belong to this journal is not witnessed"
        )
    for name in _READ_AS_TEXT:
        sha256 = run.hashes.get(name)
        if sha256 is not None and file_sha256(run.folder.root / name) not in (sha256, None):
            yield f"{name} is not byte for byte what it was at the start"


def _sha256(text: str) -> str:
    try:
        return sha256_of_text(text)
    except ValueError:
        return ""


def _said(model: Any) -> dict[str, Any]:  # noqa: ANN401 - a protocol or a rig
    dumped: dict[str, Any] = model.model_dump(mode="json", by_alias=True)
    return dumped


def _second(utc: str) -> datetime:
    """To the second below, as commitments are written down."""
    return datetime.fromisoformat(utc).astimezone(UTC).replace(microsecond=0)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")[:160]
