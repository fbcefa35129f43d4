"""From a protocol and a rig to a run folder that a runner can start from."""

from __future__ import annotations

import platform
import shutil
import tempfile
import uuid
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from labrig.documents import Loaded
from labrig.durable import write_json
from labrig.frames.plate_layout import PlateLayout
from labrig.launch.imaging_spec import HostedEntry, ImagingSpec
from labrig.launch.own_responses import own_responses
from labrig.launch.twin_spec import twin_spec, unanswered
from labrig.local_zone import local_zone_name_or_none
from labrig.login_name import login_name
from labrig.places import in_order
from labrig.plan.compile import compile as compile_plan
from labrig.plan.findings import Finding
from labrig.plan.forecast import stored_levels
from labrig.plan.plan import Plan
from labrig.plan.store import to_json
from labrig.plan.timeline import Frame
from labrig.protocol.blinding import is_coded
from labrig.protocol.blinding_key import (
    BlindingKey,
    draw_key,
    key_path,
    read_key,
    seen_path,
    write_key,
)
from labrig.protocol.commitment_file import read_commitment
from labrig.protocol.culture import CultureRecord, Donor
from labrig.protocol.lab_log import LAB_LOG
from labrig.protocol.loading import load_protocol
from labrig.protocol.models import Protocol
from labrig.protocol.rules import Override
from labrig.protocol.verification import start_permission
from labrig.protocol.witness import witness_path
from labrig.record.origin import file_sha256
from labrig.record.writable import clean_text
from labrig.rig.bench import SIMULATED, bench_spec
from labrig.rig.loading import load_rig
from labrig.rig.models import Rig
from labrig.run_folder import RunFolder
from labrig.twin.spec import FaultSpec
from labrig_drivers.instrument import installed_types

VERSIONS_OF = (
    "labrig",
    "prefect",
    "pymodbus",
    "pyserial",
    "opencv-python-headless",
    "scikit-image",
    "numpy",
    "zarr",
)


class StartRefused(Exception):
    """The run will not start; ``findings`` say why and what to do."""

    def __init__(self, what: str, findings: tuple[Finding, ...] = ()) -> None:
        self.findings = findings
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class StartRequest:
    """Everything a person decides when a run is started.

    Attributes:
        protocol, rig: files.
        runs: folder in which the run's own folder is made.
        simulate: run on the rig's simulators instead of its ports.
        operator: who starts it.
        culture, donors: of the day, in place of the protocol file's; None keeps them.
        overrides: blocks that a person answers for today, beside those of the protocol file.
        faults: scripted faults of simulated instruments.
        rehearse: simulated, and the camera answers without a picture.
    """

    protocol: Path
    rig: Path
    runs: Path
    simulate: bool
    operator: str = ""
    culture: CultureRecord | None = None
    donors: tuple[Donor, ...] | None = None
    overrides: tuple[Override, ...] = ()
    faults: tuple[FaultSpec, ...] = ()
    rehearse: bool = False


def prepare_run(request: StartRequest, now: datetime | None = None) -> RunFolder:
    """Check, compile and lay out a run folder; nothing is sent to any instrument.

    Raises:
        labrig.problems.FileProblems: a file is wrong.
        StartRefused: the plan is blocked, the protocol is not committed, or the rig's ports are
            simulated although a real run was asked for.
        OSError: the disk refuses.
    """
    now = now or datetime.now(UTC)
    rig = load_rig(request.rig)
    with tempfile.TemporaryDirectory() as scratch:
        # under its own name, which messages about it cite
        day = Path(scratch) / request.protocol.name
        write_day_protocol(request, day)
        return _prepare(request, load_protocol(day), rig, now)


def plan_of(request: StartRequest, now: datetime | None = None) -> Plan:
    """What a run so started would do, and all that speaks against it; no folder is made.

    Raises:
        labrig.problems.FileProblems: a file is wrong.
        OSError: a file cannot be read.
    """
    now = now or datetime.now(UTC)
    rig = load_rig(request.rig)
    with tempfile.TemporaryDirectory() as scratch:
        day = Path(scratch) / request.protocol.name
        write_day_protocol(request, day)
        return _planned(request, load_protocol(day), rig, now)


def reason_against_its_bench(request: StartRequest, rig: Rig) -> str:
    """Why a rig's ports are none for what is asked, or empty."""
    pretended = [name for name, port in rig.ports.items() if port.address == SIMULATED]
    if not pretended or request.simulate:
        return ""
    return (
        f"in {request.rig} these ports are on the simulated bench: {', '.join(pretended)}. Add "
        "--simulate, or write where they really are (`labrig doctor` lists what is plugged in)"
    )


def blocks_of(plan: Plan, *, rehearse: bool) -> tuple[Finding, ...]:
    """What keeps it from starting."""
    return tuple(
        f
        for f in plan.findings
        # a rehearsal delivers nothing, so what a person may answer for need not be answered yet
        if f.severity == "block" and not (rehearse and f.overridable)
    )


def write_day_protocol(request: StartRequest, path: Path) -> None:
    """Copy the protocol file with the day's cells, donors and overrides in their places.

    Raises:
        labrig.problems.FileProblems: the protocol file is wrong.
    """
    day: dict[str, Any] = {}
    if request.culture is not None:
        day["culture"] = request.culture.model_dump(mode="json", exclude_defaults=True)
    if request.donors is not None:
        day["donors"] = [d.model_dump(mode="json", exclude_defaults=True) for d in request.donors]
    protocol = load_protocol(request.protocol).model
    if request.overrides:
        answered = {one.finding: one for one in (*protocol.overrides, *request.overrides)}
        day["overrides"] = [one.model_dump(mode="json") for one in answered.values()]
    if not day:
        shutil.copyfile(request.protocol, path)
        return
    yaml = YAML()
    document = yaml.load(request.protocol.read_text(encoding="utf-8"))
    document.update(day)
    with path.open("w", encoding="utf-8") as stream:
        yaml.dump(document, stream)


def _prepare(
    request: StartRequest, protocol: Loaded[Protocol], rig: Loaded[Rig], now: datetime
) -> RunFolder:
    simulated = rig.model if not request.simulate else _simulated(rig.model)
    if reason := reason_against_its_bench(request, rig.model):
        raise StartRefused(reason)
    plan = _planned(request, protocol, rig, now)
    blocks = blocks_of(plan, rehearse=request.rehearse)
    if blocks:
        raise StartRefused(
            f"{protocol.model.name} cannot run on {rig.model.name}: "
            f"{len(blocks)} finding(s) block the start",
            blocks,
        )
    permission = start_permission(request.protocol)
    if not permission.allowed and not request.rehearse:
        raise StartRefused(permission.reason)
    warnings = [permission.reason] if permission.reason else []
    if lifted := [f.code for f in plan.findings if f.severity == "block"]:
        warnings.append(f"a real run would not start: {', '.join(dict.fromkeys(lifted))}")
    folder = RunFolder.new(request.runs, _run_name(protocol.model, now, request))
    for part in (folder.root, folder.wire, folder.plate.parent, folder.measures, folder.report):
        part.mkdir(parents=True)
    shutil.copyfile(protocol.path, folder.protocol)
    shutil.copyfile(request.rig, folder.rig)
    commitment = None
    if permission.commitment_path is not None:
        shutil.copyfile(permission.commitment_path, folder.commitment)
        commitment = read_commitment(folder.commitment)
        if (log := permission.commitment_path.with_name(LAB_LOG)).exists():
            shutil.copyfile(log, folder.commitments)
        if (stamps := witness_path(request.protocol)).exists():
            shutil.copyfile(stamps, folder.witness)
    key = _blinding_key(request, protocol.model, folder)
    folder.plan.write_text(to_json(plan), encoding="utf-8")
    write_json(folder.bench, bench_spec(simulated).to_json())
    write_json(folder.camera, _camera_spec(protocol.model, simulated, plan).to_json())
    if request.simulate:
        folder.twin.mkdir()
        own = own_responses(protocol.model, request.protocol)
        if own:
            (folder.twin / "own_responses.toml").write_text(own, encoding="utf-8")
        world = twin_spec(protocol.model, simulated, plan, request.faults, own)
        (folder.twin / "spec.json").write_text(world.to_json(), encoding="utf-8")
    # last: with this file the folder is a run
    identity = _identity(request, protocol, rig, plan, now) | {"warnings": warnings}
    identity["plan_sha256"] = file_sha256(folder.plan)
    identity["commitment"] = commitment.entries[-1].chain if commitment is not None else None
    if key is not None:
        identity["blinding"] = key.sha256
    if (own_file := folder.twin / "own_responses.toml").exists():
        identity["own_responses_sha256"] = file_sha256(own_file)
    write_json(folder.identity, identity)
    return folder


def _planned(
    request: StartRequest, protocol: Loaded[Protocol], rig: Loaded[Rig], now: datetime
) -> Plan:
    # a rehearsal stores no picture
    disk = None if request.rehearse else shutil.disk_usage(_existing_parent(request.runs))
    free_bytes = None if disk is None else disk.free
    plan = compile_plan(protocol, rig, today=now.date(), free_bytes=free_bytes)
    if request.simulate:
        own = own_responses(protocol.model, request.protocol)
        return replace(plan, findings=(*plan.findings, *unanswered(protocol.model, own)))
    return plan


def _blinding_key(
    request: StartRequest, protocol: Protocol, folder: RunFolder
) -> BlindingKey | None:
    """The key sealed in the commitment, copied; a pilot without one gets its own."""
    if not is_coded(protocol):
        return None
    sealed = key_path(request.protocol)
    key = read_key(sealed) if folder.commitment.exists() else draw_key(protocol)
    write_key(folder.blinding_key, key)
    if folder.commitment.exists() and seen_path(sealed).exists():
        shutil.copyfile(seen_path(sealed), seen_path(folder.blinding_key))
    return key


def _identity(
    request: StartRequest, protocol: Loaded[Protocol], rig: Loaded[Rig], plan: Plan, now: datetime
) -> dict[str, Any]:
    return {
        "format": 1,
        "id": uuid.uuid4().hex,
        "made_utc": now.isoformat(timespec="seconds"),
        "protocol": protocol.model.name,
        "title": protocol.model.title,
        "protocol_sha256": protocol.sha256,
        "rig": rig.model.name,
        "rig_sha256": rig.sha256,
        "pilot": plan.pilot,
        "simulated": request.simulate,
        "rehearsal": request.rehearse,
        "seed": plan.seed,
        "operator": clean_text(request.operator or protocol.model.culture.operator or login_name()),
        "machine": platform.node(),
        "zone": local_zone_name_or_none(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in VERSIONS_OF},
        "faults": [asdict(f) for f in request.faults],
    }


def _simulated(rig: Rig) -> Rig:
    """The rig with every port on the simulated bench.

    A camera that serves a folder or a file of pictures stays: real images in a simulated night.
    """
    types = installed_types()
    pictures = {
        entry.port
        for entry in rig.instruments.values()
        if types[entry.type].serves_files and _serves_files(rig.ports[entry.port].address)
    }
    ports = {
        name: port if name in pictures else port.model_copy(update={"address": SIMULATED})
        for name, port in rig.ports.items()
    }
    return rig.model_copy(update={"ports": ports})


def _serves_files(address: str) -> bool:
    path = Path(address)
    return path.is_dir() or path.is_file()


def _camera_spec(protocol: Protocol, rig: Rig, plan: Plan) -> ImagingSpec:
    channels = tuple(protocol.imaging.channels)
    frames = [e for e in plan.timeline if isinstance(e, Frame)]
    optics = {name: rig.optics[name] for name in channels}
    first = optics[channels[0]]
    layout = PlateLayout(
        name=protocol.name,
        wells=in_order({f.well for f in frames}),
        fields=protocol.imaging.sites,
        channels=channels,
        rounds=max((f.round for f in frames), default=0) + 1,
        height_px=first.height_px,
        width_px=first.width_px,
        pixel_size_um=first.pixel_size_um,
        interval_s=protocol.imaging.interval_s,
        full_scale=tuple(2**o.bit_depth - 1 for o in optics.values()),
        levels=stored_levels(first),
    )
    cameras = sorted({o.camera for o in optics.values()})
    stage = rig.stage.instrument
    hosted = installed_types()[rig.instruments[stage].type].host == "imaging"
    return ImagingSpec(
        layout=layout.to_json(),
        cameras=tuple(_hosted(rig, name) for name in cameras),
        stages=(_hosted(rig, stage),) if hosted else (),
        pixel_size_um={name: o.pixel_size_um for name, o in optics.items()},
        shows={name: c.shows for name, c in protocol.imaging.channels.items()},
        full_scale={name: 2.0**o.bit_depth - 1 for name, o in optics.items()},
    )


def _hosted(rig: Rig, name: str) -> HostedEntry:
    entry = rig.instruments[name]
    return HostedEntry(name, entry.type, rig.ports[entry.port].address, dict(entry.settings))


def _run_name(protocol: Protocol, now: datetime, request: StartRequest) -> str:
    """Nobody must take the folder of a rehearsal for that of a night."""
    kind = "_rehearsal" if request.rehearse else ""
    return f"{now:%Y-%m-%d_%H%M%S}_{protocol.name}{kind}"


def _existing_parent(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
