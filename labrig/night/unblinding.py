"""Tell the arms of a blinded run, once its measures are closed, and write down who did and why."""

from __future__ import annotations

from labrig.durable import read_json
from labrig.measure.sealing import MANIFEST, SealDamaged, differences, read_seals
from labrig.night.afterwards import journal_without_runner
from labrig.plan.sources import planned_protocol
from labrig.plan.store import read_plan
from labrig.protocol.blinding import is_coded
from labrig.protocol.blinding_key import BlindingKey, note_seen, read_key
from labrig.record.glimpse import last_word
from labrig.record.reading import rows_of_kinds
from labrig.record.rows import JournalEntry
from labrig.record.unblinding import EARLY, KEY, Unblinding, unblindings
from labrig.run.lease import LeaseHeld
from labrig.run_folder import RunFolder


class UnblindingRefused(Exception):
    """Arms are not told; the message says why and what to do."""


def unblind(folder: RunFolder, by: str, reason: str, *, early: bool = False) -> BlindingKey:
    """Write into the journal that arms are told, and give their key.

    Args:
        folder: of a run that has ended.
        by: who answers for it.
        reason: why now.
        early: although measures are not closed; that is a deviation.

    Raises:
        UnblindingRefused: see its message; nothing was written.
        labrig.protocol.blinding_key.KeyDamaged: the key is not there, or not the sealed one.
        labrig.record.rows.JournalError: the journal cannot be read or written.
    """
    if not by.strip() or not reason.strip():
        raise UnblindingRefused("Say who tells the arms and why: --by NAME --reason TEXT.")
    protocol = planned_protocol(read_plan(folder), folder.protocol)
    if not is_coded(protocol):
        raise UnblindingRefused(
            "The arms of this run were never coded: its protocol has no `blinding: {arms: coded}`, "
            "so there is nothing to tell."
        )
    if last_word(folder.journal) not in ("finished", "stopped"):
        raise UnblindingRefused(
            "This run has not ended: arms stay coded until then. Who fills syringes reads them "
            "from `labrig check PROTOCOL --rig RIG --handler NAME`. `labrig stop` ends the run."
        )
    for done in unblindings(rows_of_kinds(folder.journal, ("note",))):
        raise UnblindingRefused(
            f"This run was unblinded at {done.utc} by {done.by} ({done.reason}). `labrig report` "
            "shows names."
        )
    closed_utc, chain, why_open = _closed(folder)
    if why_open and not early:
        raise UnblindingRefused(
            f"The measures are not closed: {why_open}. Or tell the arms all the same with --early: "
            "that is a deviation, and the first lines of the report say it."
        )
    key = read_key(folder.blinding_key, str(read_json(folder.identity).get("blinding", "")))
    opened = Unblinding("", by.strip(), reason.strip(), closed_utc, chain, key.sha256)
    entries = [JournalEntry("note", KEY, "noted", opened.detail())]
    if opened.early:
        said = {"by": opened.by, "reason": opened.reason, "what": why_open}
        entries.append(JournalEntry("deviation", EARLY, "noted", said))
    _append(folder, entries)
    note_seen(folder.blinding_key, opened.by, f"unblinded the run: {opened.reason}")
    return key


def _closed(folder: RunFolder) -> tuple[str, str, str]:
    """When measures were closed, the chain of that line, and what they lack to be so."""
    try:
        seals = read_seals(folder.measures / MANIFEST)
        changed = differences(folder.measures)
    except SealDamaged as error:
        return "", "", str(error).rstrip(".")
    if not seals:
        how = f"`labrig follow {folder.root}` measures what is missing and closes the tables"
        return "", "", f"there is no measures/{MANIFEST}. {how}"
    if changed:
        return "", "", "; ".join(changed).rstrip(".")
    return seals[-1].utc, seals[-1].chain, ""


def _append(folder: RunFolder, entries: list[JournalEntry]) -> None:
    try:
        with journal_without_runner(folder) as (journal, _):
            journal.note(*entries)
    except LeaseHeld as error:
        raise UnblindingRefused(f"{error}. Wait until its runner has gone.") from None
