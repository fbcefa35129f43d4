"""The simulated culture of one well: what is true of it, and how it changes.

Each module holds one part of the state and its equation; ``docs/simulated-culture.md`` writes them
out. The numbers are those of ``responses.toml``.
"""

from labrig.twin.culture.activity import Activity
from labrig.twin.culture.culture import Culture
from labrig.twin.culture.donor import Donor
from labrig.twin.culture.surroundings import Surroundings

__all__ = ["Activity", "Culture", "Donor", "Surroundings"]
