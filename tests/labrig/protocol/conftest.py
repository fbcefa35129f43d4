"""What the tests of protocols share."""

import pytest

from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol


@pytest.fixture
def problems_of():
    """Gives the problems for which a protocol file is refused."""

    def read(path):
        with pytest.raises(FileProblems) as caught:
            load_protocol(path)
        return caught.value.problems

    return read
