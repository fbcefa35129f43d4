"""A film is written and hashed without a second one in memory, and always to the same bytes."""

import hashlib
import tracemalloc
import uuid

import numpy as np
import pytest
import tifffile

from labrig.frames.film_store import write_film

FRAMES = np.random.default_rng(5).integers(0, 4096, (60, 256, 256)).astype(np.uint16)


@pytest.mark.parametrize("frames", [FRAMES[:4], FRAMES[:8:2, :, ::2], FRAMES[:4].astype("u1")])
def test_the_uuid_is_that_of_the_pixels_and_the_hash_that_of_the_file(tmp_path, frames):
    written = write_film(tmp_path / "films", "one", frames, 0.65, 50.0)
    path = tmp_path / written.path
    content = path.read_bytes()
    assert (written.sha256, written.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    pixels = uuid.UUID(bytes=hashlib.sha256(frames.tobytes()).digest()[:16])
    assert f"urn:uuid:{pixels}".encode() in content
    assert np.array_equal(tifffile.imread(path), frames)


def test_writing_takes_a_small_part_of_the_film_in_memory(tmp_path):
    write_film(tmp_path / "first", "film", FRAMES[:2], 0.65, 50.0)  # what is imported on first use
    tracemalloc.start()
    try:
        write_film(tmp_path / "films", "film", FRAMES, 0.65, 50.0)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 0.3 * FRAMES.nbytes
