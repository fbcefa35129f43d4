"""What it takes to measure the rounds and films of a run, on any machine that sees its folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from labrig.durable import read_json
from labrig.measure.closing import NOTHING_TOLD, close_measures
from labrig.measure.films import FilmJob, measure_films
from labrig.measure.junction_films import JunctionJob, measure_junction_films
from labrig.measure.rounds import RoundFrame, measure_round, our_name
from labrig.measure.sealing import MANIFEST, SealDamaged, changed_tables, seal
from labrig.night.processes import processes_here
from labrig.night.progress import TakenFrame
from labrig.night.run_cells import cells_of_run
from labrig.plan.store import read_plan
from labrig.protocol.models import Protocol
from labrig.run_folder import RunFolder
from labrig_analysis.nuclei.fusion import FusionSettings
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.tubes.tube_labels import TubeSettings
from labrig_measure.records import records_in_force


@dataclass(frozen=True, slots=True)
class RoundMeasurer:
    """Measures any round of one run; can be sent to another process or machine.

    Attributes:
        plate: the OME-Zarr plate.
        out: the run's ``measures`` folder.
        pixel_size_um: calibrated.
        channels: by the plate's channel, our name for what it shows.
        full_scale: by our name of a channel, the largest grey value of its camera.
        settings: the same for the whole run.
        run: its id.
        changed: tables that something else had changed since they were closed.
    """

    plate: Path
    out: Path
    pixel_size_um: float
    channels: Mapping[str, str]
    full_scale: Mapping[str, float]
    settings: MeasureSettings
    run: str = ""
    changed: tuple[str, ...] = ()

    @classmethod
    def of(cls, folder: RunFolder) -> RoundMeasurer:
        """The measurer of a run, with what its protocol says of measuring.

        Raises:
            labrig.problems.FileProblems: the run's protocol or rig cannot be read.
        """
        from labrig.plan.sources import planned_protocol, planned_rig

        camera = read_json(folder.camera)
        plan = read_plan(folder)
        protocol = planned_protocol(plan, folder.protocol)
        optics = planned_rig(plan, folder.rig).optics
        channels = {name: our_name(shows, name) for name, shows in camera["shows"].items()}
        return cls(
            plate=folder.plate,
            out=folder.measures,
            pixel_size_um=float(camera["layout"]["pixel_size_um"]),
            channels=channels,
            full_scale={ours: 2.0 ** optics[name].bit_depth - 1 for name, ours in channels.items()},
            settings=settings_of(protocol),
            run=read_json(folder.identity)["id"],
            changed=_changed(folder.measures),
        )

    def measure(self, taken: Iterable[TakenFrame]) -> int:
        """Measure the pictures of a round; returns how many fields have their record.

        Stained and unstained pictures of a field are measured apart, in rows of their own
        ``kind``: a tube seen in phase contrast and the same tube stained have different edges,
        and a growth curve must not jump where the one gives way to the other.

        Raises:
            OSError: a record cannot be written.
        """
        by_field: dict[tuple[str, int, bool], list[TakenFrame]] = {}
        for frame in taken:
            if frame.path:  # a rehearsal stores no pictures
                unstained = self.channels[frame.channel] == "phase"
                by_field.setdefault((frame.well, frame.field, unstained), []).append(frame)
        frames = [
            RoundFrame(
                well=well,
                field=field,
                round=found[0].round,
                offset_s=found[0].offset_s,
                channels={self.channels[f.channel]: f.channel for f in found},
                first_rounds={self.channels[f.channel]: f.first_round for f in found},
            )
            for (well, field, _), found in sorted(by_field.items())
        ]
        if not frames:
            return 0
        return measure_round(
            self.plate, frames, self.pixel_size_um, self.settings, self.out, self.full_scale
        )

    def measure_films(self, jobs: tuple[FilmJob | JunctionJob, ...]) -> int:
        """Measure the films of a block; returns how many have their record.

        Raises:
            OSError: a record cannot be written.
        """
        twitching = [job for job in jobs if isinstance(job, FilmJob)]
        of_chips = [job for job in jobs if isinstance(job, JunctionJob)]
        measured = measure_films(twitching, self.settings, self.out) if twitching else 0
        if of_chips:
            measured += measure_junction_films(of_chips, self.settings, self.out)
        return measured

    def close(self) -> int:
        """Judge frames, follow tubes, make the tables and list them with their SHA-256.

        Returns:
            the number of tracks.

        Raises:
            DamagedRecord: a record is not as it was written.
            OSError: a table cannot be read or written.
        """
        # The journal of a week is read for it: not where no row of any table could tell it.
        measured = records_in_force(self.out)
        cells = cells_of_run(RunFolder(self.out.parent)) if measured else NOTHING_TOLD
        tracks = close_measures(self.out, cells, processes_here().map)
        seal(self.out, self.run, "the night", settings=self.settings, changed=self.changed)
        return tracks


def settings_of(protocol: Protocol) -> MeasureSettings:
    """What a run of this protocol is measured with; what it does not say is the default."""
    return MeasureSettings(
        tubes=TubeSettings(phase_mask=protocol.imaging.phase_mask),
        fusion=FusionSettings(min_nuclei=protocol.definition.min_nuclei),
    )


def _changed(measures: Path) -> tuple[str, ...]:
    """A manifest that was edited keeps no picture from being measured; it is told at the end."""
    try:
        return changed_tables(measures)
    except SealDamaged:
        return (MANIFEST,)
