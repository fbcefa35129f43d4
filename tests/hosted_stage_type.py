"""The source of a third party's package: a stage without a byte protocol, as a library moves it."""

SOURCE = '''
from dataclasses import dataclass
from labrig_drivers.instrument import InstrumentType
from labrig_drivers.kinds import Identity, StageLimits

@dataclass(frozen=True)
class Settings:
    label: str = "XY"
    reach_um: float = 60_000.0

def travel(settings):
    return StageLimits(-settings.reach_um, settings.reach_um, -settings.reach_um, settings.reach_um)

class Driver:
    """Moves at once. Never made in a runner: the library that it stands for loads arrays."""
    def __init__(self, address, settings, name):
        import numpy
        self.at, self.settings = numpy.zeros(2), settings
    def identify(self):
        return Identity("Acme", "library stage", "2")
    def close(self):
        pass
    def limits(self):
        return travel(self.settings)
    def position_um(self):
        return tuple(self.at.tolist())
    def move_to(self, x_um, y_um):
        self.at[:] = x_um, y_um
    def moving(self):
        return False
    def stop(self):
        pass

INSTRUMENT = InstrumentType(
    name="acme_stage", kind="stage", link="address", vendor="Acme", model="library stage",
    serial=None, settings=Settings, driver=Driver, simulator=None, verified_on=(),
    host="imaging", bus_key=lambda settings: settings.label, travel=travel,
)
'''
