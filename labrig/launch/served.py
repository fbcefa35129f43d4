"""What a rig's keeper serves: these protocols, on this rig, into this folder, and nothing else.

Whoever asks for a start, asks for one of these by name. No path of a file to run comes from
Prefect's database or from its page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from labrig.durable import read_json, write_json
from labrig.run_folder import RunFolder

SERVED_VARIABLE = "LABRIG_SERVED"
"""Names the file, in the environment of a flow's process."""


class NotServed(Exception):
    """Somebody asked for a protocol that is not served; the message says which are."""


@dataclass(frozen=True, slots=True)
class Served:
    """One rig and what may run on it.

    Attributes:
        protocols: absolute path of each protocol file, by the protocol's name.
        rig, runs: absolute paths.
        simulate: on the rig's simulators.
        fast: as fast as the computer can; simulated only.
    """

    protocols: Mapping[str, str]
    rig: str
    runs: str
    simulate: bool
    fast: bool

    @classmethod
    def read(cls, path: Path) -> Served:
        """Read what :meth:`write` wrote. Raises OSError, ValueError."""
        return cls(**read_json(path))

    def write(self, path: Path) -> None:
        """Write it whole or not at all. Raises OSError."""
        write_json(path, asdict(self), 0o600)

    def protocol(self, name: str) -> Path:
        """The file of a protocol.

        Raises:
            NotServed: there is none of this name.
        """
        if name not in self.protocols:
            raise NotServed(
                f"{name!r} is not served here; there are {', '.join(sorted(self.protocols))}. "
                "What may run is said when `labrig serve` is started."
            )
        return Path(self.protocols[name])

    def reason_against(self, folder: RunFolder) -> str:
        """Why a prepared run is none of these, or empty.

        Raises:
            OSError, ValueError: the folder is damaged.
        """
        if folder.root.resolve().parent != Path(self.runs).resolve():
            return f"{folder.root} does not lie in {self.runs}"
        identity = read_json(folder.identity)
        if identity["protocol"] not in self.protocols:
            return f"the protocol {identity['protocol']!r} is not served here"
        if identity["simulated"] is not self.simulate:
            bench = "simulated bench" if self.simulate else "real bench"
            return f"only the {bench} is served here"
        if folder.rig.read_bytes() != Path(self.rig).read_bytes():
            return f"its rig file is not {self.rig} as it stands"
        return ""
