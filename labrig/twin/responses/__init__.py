"""What the simulated culture answers to, as data: factors and numbers of ``responses.toml``.

Standard library only: the runner of a simulated night loads it.
"""

from labrig.twin.responses.factors import Factor, Responses
from labrig.twin.responses.reading import BadResponses, Slip, read_responses, shipped_text

__all__ = ["BadResponses", "Factor", "Responses", "Slip", "read_responses", "shipped_text"]
