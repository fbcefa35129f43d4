"""A camera, video file, image folder or stream, read by OpenCV."""

from __future__ import annotations

from typing import TYPE_CHECKING

from labrig_drivers.instrument import InstrumentType
from labrig_drivers.opencv_camera.settings import OpenCvCameraSettings

if TYPE_CHECKING:
    from labrig_drivers.opencv_camera.driver import OpenCvCamera


def _driver(address: int | str, settings: OpenCvCameraSettings, name: str) -> OpenCvCamera:
    from labrig_drivers.opencv_camera.driver import OpenCvCamera

    return OpenCvCamera(address, settings, name)


INSTRUMENT = InstrumentType(
    name="opencv_camera",
    kind="camera",
    link="address",
    vendor="OpenCV",
    model="VideoCapture",
    serial=None,
    settings=OpenCvCameraSettings,
    driver=_driver,
    simulator=None,
    verified_on=("manual",),
    host="imaging",
    serves_files=True,
)
