"""The OpenCV camera on files, folders and a device that is only pretended."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from labrig_drivers import opencv_camera
from labrig_drivers.conformance import SteppedClock, camera
from labrig_drivers.errors import NoReply, OutOfRange, PortMissing, ReplyError
from labrig_drivers.opencv_camera import sources
from labrig_drivers.opencv_camera.address import parse_address
from labrig_drivers.opencv_camera.grey import to_grey
from labrig_drivers.opencv_camera.settings import OpenCvCameraSettings

RATE_HZ = 10.0


def open_camera(address, **settings):
    return opencv_camera.INSTRUMENT.driver(str(address), OpenCvCameraSettings(**settings), "cam")


def grey_level(number):
    return 20 + 40 * number


@pytest.fixture
def video(tmp_path):
    """Four frames of 48 × 64, each of one grey level, at 10 Hz."""
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE_HZ, (64, 48))
    assert writer.isOpened()
    for number in range(4):
        writer.write(np.full((48, 64, 3), grey_level(number), np.uint8))
    writer.release()
    return path


@pytest.fixture
def folder(tmp_path):
    """Three 16-bit images, written in the wrong order, and a file that is none."""
    path = tmp_path / "frames"
    path.mkdir()
    for number in (2, 0, 1):
        pixels = np.full((48, 64), 1000 * (number + 1), np.uint16)
        assert cv2.imwrite(str(path / f"frame_{number:04d}.png"), pixels)
    (path / "notes.txt").write_text("not an image")
    return path


@pytest.mark.parametrize("check", camera.CHECKS)
@pytest.mark.parametrize("what", ["video", "folder"])
def test_conforms_to_its_kind(check, what, request):
    address = request.getfixturevalue(what)
    check(lambda: open_camera(address), SteppedClock())


def test_a_video_gives_its_frames_in_order_then_says_so(video):
    cam = open_camera(video)
    levels = [float(cam.snap(10).pixels.mean()) for _ in range(4)]
    assert levels == pytest.approx([grey_level(n) for n in range(4)], abs=2)
    with pytest.raises(NoReply, match="at_end: loop"):
        cam.snap(10)


@pytest.mark.parametrize("what", ["video", "folder"])
def test_it_loops_when_told_to(what, request):
    cam = open_camera(request.getfixturevalue(what), at_end="loop")
    levels = [float(cam.snap(10).pixels.mean()) for _ in range(9)]
    length = 4 if what == "video" else 3
    assert levels[length : 2 * length] == pytest.approx(levels[:length], abs=1)
    assert len(set(np.round(levels[:length]))) == length


def test_a_folder_is_read_in_the_order_of_names_with_its_16_bits(folder):
    cam = open_camera(folder)
    pictures = [cam.snap(10) for _ in range(3)]
    assert [int(picture.pixels[0, 0]) for picture in pictures] == [1000, 2000, 3000]
    assert pictures[0].pixels.dtype == np.uint16
    with pytest.raises(NoReply):
        cam.snap(10)


def test_a_numbered_sequence_is_read(folder):
    picture = open_camera(folder / "frame_%04d.png").snap(10)
    assert picture.pixels.shape == (48, 64)


def test_a_film_has_the_files_own_rate(video):
    film = open_camera(video).film(5, RATE_HZ, 3)
    assert [picture.exposure_ms for picture in film] == [5, 5, 5]
    with pytest.raises(OutOfRange, match="10 Hz where 50 Hz was asked"):
        open_camera(video).film(5, 50, 3)


def test_identity_says_what_reads_it(folder):
    identity = open_camera(folder).identify()
    assert identity.model == "path read by image folder"
    assert identity.firmware == cv2.__version__


def test_what_is_not_there_is_missing(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    text = tmp_path / "text.avi"
    text.write_text("this is no video")
    for address, said in (
        (tmp_path / "nothing.avi", "no file"),
        (empty, "holds no images"),
        (text, "cannot open"),
    ):
        with pytest.raises(PortMissing, match=said):
            open_camera(address).snap(10)


def test_a_torn_or_unreadable_frame_is_reported_and_the_next_one_comes(folder):
    cv2.imwrite(str(folder / "frame_0001.png"), np.zeros((48, 32), np.uint16))
    (folder / "frame_0002.png").write_bytes(b"torn")
    cv2.imwrite(str(folder / "frame_0003.png"), np.zeros((48, 64), np.uint16))
    cam = open_camera(folder)
    cam.snap(10)
    for shape in (r"\(48, 32\)", r"\(0, 0\)"):
        with pytest.raises(ReplyError, match=rf"{shape}.*where \(48, 64\)"):
            cam.snap(10)
    assert cam.snap(10).pixels.shape == (48, 64)


class PretendedDevice:
    """A V4L2 device that buffers four frames and stamps each with the time of its end."""

    PERIOD_S = 0.1

    def __init__(self, time_now, stamped=True, frames=10_000):
        self.time_now = time_now
        self.stamped = stamped
        self.frames = frames
        self.taken_s = [-0.4, -0.3, -0.2, -0.1]
        self.current_s = 0.0
        self.asked = {}
        self.released = False

    def isOpened(self):
        return True

    def getBackendName(self):
        return "V4L2" if self.stamped else "DSHOW"

    def set(self, prop, value):
        self.asked[prop] = value
        return True

    def get(self, prop):
        if prop == cv2.CAP_PROP_POS_MSEC:
            return self.current_s * 1000
        return self.asked.get(prop, 0.0)

    def grab(self):
        if self.frames == 0:
            return False
        self.frames -= 1
        if self.taken_s:
            self.current_s = self.taken_s.pop(0)
        else:
            self.time_now.pass_time(self.PERIOD_S)
            self.current_s = self.time_now()
        return True

    def retrieve(self):
        return True, np.full((4, 6, 3), round(self.current_s * 10) + 10, np.uint8)

    def release(self):
        self.released = True


class PretendedTime:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s

    def pass_time(self, seconds):
        self.now_s += seconds


@pytest.fixture
def pretend(monkeypatch):
    """Make ``cv2.VideoCapture`` give a pretended device, on pretended time."""

    def install(**how):
        now = PretendedTime()
        device = PretendedDevice(now, **how)
        monkeypatch.setattr(sources.cv2, "VideoCapture", lambda *args: device)
        monkeypatch.setattr(sources.time, "monotonic", now)
        return device

    return install


def test_a_live_snap_is_exposed_after_the_call(pretend):
    device = pretend()
    picture = open_camera(0, stale_frames=8).snap(50)
    assert device.current_s - 0.05 >= 0.0, "the exposure began before the call"
    assert device.current_s == pytest.approx(0.1), "one fresh frame is enough"
    assert int(picture.pixels[0, 0]) == 11


def test_a_long_exposure_waits_for_a_frame_begun_after_the_call(pretend):
    device = pretend()
    open_camera(0, stale_frames=8).snap(150)
    assert device.current_s == pytest.approx(0.2)


def test_without_time_stamps_a_fixed_number_of_frames_is_thrown_away(pretend):
    device = pretend(stamped=False)
    open_camera(0, stale_frames=4).snap(50)
    assert device.taken_s == []
    assert device.current_s == pytest.approx(0.1)


def test_exposure_is_set_by_hand_and_read_back_where_the_unit_is_known(pretend):
    device = pretend()
    assert open_camera(0).snap(12.5).exposure_ms == 12.5
    assert device.asked[cv2.CAP_PROP_EXPOSURE] == 125
    assert device.asked[cv2.CAP_PROP_AUTO_EXPOSURE] == 1


def test_a_live_camera_that_cannot_hold_the_rate_says_so(pretend):
    pretend()
    assert len(open_camera(0).film(10, 10, 5)) == 5
    with pytest.raises(OutOfRange, match="10 Hz where 25 Hz"):
        open_camera(0).film(10, 25, 5)


def test_a_frame_size_is_asked_of_a_device_and_checked(pretend):
    device = pretend()
    open_camera(0, width_px=640, height_px=480).snap(10)
    assert device.asked[cv2.CAP_PROP_FRAME_WIDTH] == 640
    device.get = lambda prop: {cv2.CAP_PROP_FRAME_WIDTH: 320, cv2.CAP_PROP_FRAME_HEIGHT: 240}[prop]
    with pytest.raises(OutOfRange, match=r"640 × 480 px were asked.*gives 320 × 240 px"):
        open_camera(0, width_px=640, height_px=480).snap(10)
    assert device.released


def test_a_camera_that_is_unplugged_is_let_go(pretend):
    device = pretend(frames=2)
    cam = open_camera(0)
    with pytest.raises(NoReply, match="opens it again"):
        cam.snap(10)
    assert device.released


def test_a_stream_is_opened_with_time_outs(monkeypatch):
    calls = []

    class Closed(PretendedDevice):
        def isOpened(self):
            return False

    def capture(*args):
        calls.append(args)
        return Closed(PretendedTime())

    monkeypatch.setattr(sources.cv2, "VideoCapture", capture)
    with pytest.raises(PortMissing, match="stream rtsp://camera/1"):
        open_camera("rtsp://camera/1", open_timeout_s=2, read_timeout_s=3).snap(10)
    assert calls == [
        (
            "rtsp://camera/1",
            cv2.CAP_FFMPEG,
            [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, 2000, cv2.CAP_PROP_READ_TIMEOUT_MSEC, 3000],
        )
    ]


@pytest.mark.parametrize(
    ("how", "expected"),
    [("luminance", 76), ("mean", 85), ("red", 255), ("green", 0), ("blue", 0)],
)
def test_red_in_grey(how, expected):
    red = np.zeros((2, 3, 3), np.uint8)
    red[:, :, 2] = 255
    assert to_grey(red, how).tolist() == [[expected] * 3] * 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1), (2, 3, 3), (2, 3, 4)])
def test_grey_keeps_size_and_depth(shape, dtype):
    grey = to_grey(np.full(shape, 200, dtype), "luminance")
    assert (grey.shape, grey.dtype, grey.flags.c_contiguous) == ((2, 3), dtype, True)
    assert set(grey.ravel().tolist()) == {200}


@pytest.mark.parametrize(
    ("address", "kind"),
    [(0, "device"), ("2", "device"), ("http://cam/x", "stream"), ("a/b.avi", "path")],
)
def test_addresses(address, kind):
    assert parse_address(address).kind == kind


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"grey": "pink"}, "grey is 'pink'; give one of luminance"),
        ({"at_end": "hold"}, "at_end is 'hold'"),
        ({"stale_frames": -1}, "stale_frames is -1"),
        ({"width_px": 640}, "give both"),
        ({"open_timeout_s": 0}, "open_timeout_s is 0"),
    ],
)
def test_bad_settings_are_refused(setting, said):
    with pytest.raises(ValueError, match=said):
        OpenCvCameraSettings(**setting)


def test_opencv_is_not_loaded_before_the_camera_is_used():
    code = (
        "import sys\n"
        "from labrig_drivers.opencv_camera import INSTRUMENT\n"
        "INSTRUMENT.driver('0', INSTRUMENT.settings(), 'cam')\n"
        "print(sorted({'cv2', 'numpy'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout.strip() == "[]"


def test_real_images_can_stand_in_for_a_camera():
    folder = Path(__file__).resolve().parents[3] / "shared" / "images" / "calipers"
    if not folder.is_dir():
        pytest.skip(f"no real images at {folder}")
    pixels = open_camera(folder, grey="luminance").snap(10).pixels
    assert pixels.ndim == 2
    assert pixels.std() > 0


def test_a_growing_folder_is_followed_and_no_image_given_twice(folder):
    cam = open_camera(folder, at_end="stop")
    names = sorted(path.name for path in folder.glob("*.png"))
    for _ in names:
        cam.snap(10)
    with pytest.raises(NoReply, match="another image comes"):
        cam.snap(10)
    later = np.full((48, 64), 4321, np.uint16)
    cv2.imwrite(str(folder / "frame_9000.png"), later)
    assert (cam.snap(10).pixels == 4321).all()
    cam.close()
    with pytest.raises(NoReply):
        cam.snap(10)
    cv2.imwrite(str(folder / "frame_9001.png"), later + 1)
    assert (cam.snap(10).pixels == 4322).all()
