"""What every camera driver must do. It needs three frames or more, and no light."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from labrig_drivers.conformance import Clock, check_identifies, refused
from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import Camera, Picture

MakeCamera = Callable[[], Camera]

_EXPOSURE_MS = 10.0


def check_snaps_grey_frames(make_driver: MakeCamera, clock: Clock) -> None:
    """Frames are two-dimensional, uint8 or uint16, of one size, with an exposure."""
    with closing(make_driver()) as driver:
        pictures = [driver.snap(_EXPOSURE_MS) for _ in range(3)]
        for picture in pictures:
            _assert_grey(picture)
        shapes = {picture.pixels.shape for picture in pictures}
        assert len(shapes) == 1, f"frames differ in shape: {shapes}"


def check_films(make_driver: MakeCamera, clock: Clock, frame_rate_hz: float = 10.0) -> None:
    """A film has as many frames as asked, all grey and of one size."""
    with closing(make_driver()) as driver:
        film = driver.film(_EXPOSURE_MS, frame_rate_hz, 3)
        assert len(film) == 3, f"asked for 3 frames, got {len(film)}"
        for picture in film:
            _assert_grey(picture)
        assert len({picture.pixels.shape for picture in film}) == 1, "frames differ in shape"


def check_refuses_nonsense(make_driver: MakeCamera, clock: Clock) -> None:
    """No exposure, no frames and no rate are OutOfRange."""
    with closing(make_driver()) as driver:
        for exposure_ms in (0.0, float("nan")):
            with refused(OutOfRange, f"an exposure of {exposure_ms} ms"):
                driver.snap(exposure_ms)
        for frame_rate_hz, frames in ((10.0, 0), (0.0, 3)):
            with refused(OutOfRange, f"{frames} frames at {frame_rate_hz} Hz"):
                driver.film(_EXPOSURE_MS, frame_rate_hz, frames)


def check_opens_again_after_close(make_driver: MakeCamera, clock: Clock) -> None:
    """Close is safe twice, and a new driver finds the camera free."""
    first = make_driver()
    first.snap(_EXPOSURE_MS)
    first.close()
    first.close()
    with closing(make_driver()) as driver:
        _assert_grey(driver.snap(_EXPOSURE_MS))


def _assert_grey(picture: Picture) -> None:
    pixels = picture.pixels
    assert pixels.ndim == 2, f"a frame of shape {pixels.shape} is not grey"
    assert pixels.size > 0, "an empty frame"
    assert pixels.dtype.name in ("uint8", "uint16"), f"a frame of {pixels.dtype.name}"
    assert picture.exposure_ms > 0, f"an exposure of {picture.exposure_ms} ms"


CHECKS = (
    check_identifies,
    check_snaps_grey_frames,
    check_films,
    check_refuses_nonsense,
    check_opens_again_after_close,
)
