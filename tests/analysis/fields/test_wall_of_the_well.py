"""The wall of a well is no tube and no part of the field, whatever the field holds."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from labrig_analysis import measure
from labrig_analysis.images.well_wall import well_wall, without_wall
from labrig_analysis.synthetic.well_wall import Wall, with_wall

SIDE_PX, PIXEL_UM = 512, 0.65
COVERS = [0.1, 0.3, 0.5, 0.7, 0.9]
WALLS = {
    "corner, 24 wells": Wall(200, 45),
    "corner, 96 wells": Wall(160, -130, 3200),
    "along a side": Wall(60, 0),
    "across": Wall(150, 90, 3200),
    "straight": Wall(150, 20, math.inf),
    "bright": Wall(150, 45, tone=1.9, rims=(0.4, 1.4)),
    "without halo": Wall(120, 180, rims=(), meniscus=0.0),
}
BRIGHT = Wall(170, 30, tone=6.0, rims=(1.3,), meniscus=0.0)


def bands(cover, stained):
    """Parallel tubes, dark with bright halos or bright; image and where they are."""
    rng = np.random.default_rng(int(10 * cover))
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    angle = np.deg2rad(rng.uniform(0, 180))
    across = (x - SIDE_PX / 2) * np.cos(angle) + (y - SIDE_PX / 2) * np.sin(angle)
    width = 40 if stained else 26
    from_axis = np.abs(across % (width / cover) - width / cover / 2 - 2 * np.sin(y / 60))
    body = from_axis < width / 2
    if stained:
        image = np.where(body, 90.0, 12.0)
    else:
        image = np.where(body, 85.0, np.where(from_axis < width / 2 + 4, 165.0, 120.0))
        texture = cv2.GaussianBlur(rng.normal(0, 1, body.shape), (0, 0), 2.2)
        image += 6 * texture / texture.std()
    image = cv2.GaussianBlur(image, (0, 0), 1.2) + rng.normal(0, 2, body.shape)
    return image.clip(0, 255).astype(np.uint8), body


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("cover", COVERS)
@pytest.mark.parametrize("wall", WALLS)
def test_beside_a_wall_tubes_are_found_as_without_one(wall, cover):
    image, body = bands(cover, stained=False)
    picture, there = with_wall(image, PIXEL_UM, WALLS[wall])
    found = measure([picture], PIXEL_UM, ["phase"])
    tubes = found.labels["tubes"] > 0
    assert not (tubes & there).any()
    assert "the wall of the well" in found.flags[0]
    left_out = well_wall(picture, PIXEL_UM, ("dark", "bright"))
    assert there.mean() < left_out.mean() < there.mean() + 0.16
    alone = measure([image], PIXEL_UM, ["phase"]).labels["tubes"] > 0
    field = ~left_out
    assert dice(tubes & field, body & field) > dice(alone & field, body & field) - 0.03


@pytest.mark.parametrize("cover", [0.1, 0.3, 0.5])
def test_a_wall_that_shines_in_the_stain_is_left_out_too(cover):
    image, body = bands(cover, stained=True)
    wall = replace(BRIGHT, tone=200 / image.mean())
    picture, there = with_wall(image, PIXEL_UM, wall)
    found = measure([picture], PIXEL_UM, ["tubes"])
    tubes = found.labels["tubes"] > 0
    assert not (tubes & there).any()
    field = ~well_wall(picture, PIXEL_UM, ("bright",))
    assert dice(tubes & field, body & field) > 0.9


def test_the_area_is_that_of_the_field_beside_the_wall():
    image, body = bands(0.3, stained=False)
    picture, _ = with_wall(image, PIXEL_UM, WALLS["corner, 24 wells"])
    row = measure([picture], PIXEL_UM, ["phase"]).summary
    field = ~well_wall(picture, PIXEL_UM, ("dark", "bright"))
    assert row["wall_share"] == pytest.approx(1 - field.mean(), abs=1e-6)
    assert row["tube_area_fraction"] == pytest.approx(body[field].mean(), rel=0.15)


@pytest.mark.parametrize("stained", [False, True])
@pytest.mark.parametrize("cover", COVERS)
def test_a_field_without_a_wall_shows_none(cover, stained):
    image, _ = bands(cover, stained)
    tones = ("bright",) if stained else ("dark", "bright")
    assert well_wall(image, PIXEL_UM, tones) is None


@pytest.mark.parametrize("edge_um", [60, 150])
def test_a_round_clump_at_the_border_is_no_wall(edge_um):
    image, _ = bands(0.1, stained=False)
    y, x = np.mgrid[:SIDE_PX, :SIDE_PX]
    image[np.hypot(x - SIDE_PX, y - SIDE_PX / 2) * PIXEL_UM < edge_um] = 6
    assert well_wall(image, PIXEL_UM, ("dark", "bright")) is None


def test_what_is_filled_has_the_fields_own_grain():
    image, _ = bands(0.1, stained=False)
    picture, there = with_wall(image, PIXEL_UM, WALLS["across"])
    filled = without_wall(picture, there)
    assert (filled[~there] == picture[~there]).all()
    assert filled.dtype == picture.dtype
    assert filled[there].std() == pytest.approx(image[there].std(), rel=0.3)


@pytest.mark.parametrize("fading", [0.3, 0.6, 0.9])
def test_light_that_fades_across_the_picture_is_no_wall(fading):
    light = 2000 * (1 - fading * np.linspace(0, 1, 1300)) + np.zeros((1000, 1))
    plane = (light + np.random.default_rng(0).normal(0, 30, light.shape)).astype(np.uint16)
    assert well_wall(plane, 0.65, ("dark", "bright")) is None


def test_halves_of_a_stitched_picture_are_no_wall():
    plane = np.random.default_rng(0).normal(2000, 40, (1000, 1300))
    plane[:, :650] *= 0.8
    assert well_wall(plane.astype(np.uint16), 0.65, ("dark", "bright")) is None


def nuclei_plane(where, per_mm2=400):
    """Spots of 12 µm on a dark ground, at random places of a mask."""
    rng = np.random.default_rng(per_mm2)
    plane = np.zeros(where.shape, np.float32)
    places = np.argwhere(where)
    count = round(per_mm2 * len(places) * PIXEL_UM**2 / 1e6)
    for y, x in places[rng.integers(0, len(places), count)].tolist():
        cv2.circle(plane, (x, y), round(6 / PIXEL_UM), 150, -1, cv2.LINE_AA)
    plane = cv2.GaussianBlur(plane, (0, 0), 1.2) + 10 + rng.normal(0, 2, plane.shape)
    return plane.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("per_mm2", [150, 400, 1200])
def test_a_plain_patch_with_nuclei_in_it_is_no_wall(per_mm2):
    image, _ = bands(0.3, stained=True)
    picture, there = with_wall(image, PIXEL_UM, replace(BRIGHT, tone=200 / image.mean()))
    everywhere = nuclei_plane(np.ones_like(there), per_mm2)
    found = measure([picture, everywhere], PIXEL_UM, ["tubes", "nuclei"])
    assert found.summary["wall_share"] == 0
    assert not any("wall of the well" in flag for flag in found.flags)
    beside = nuclei_plane(~there, per_mm2)
    found = measure([picture, beside], PIXEL_UM, ["tubes", "nuclei"])
    assert found.summary["wall_share"] > there.mean()
    # Without nuclei, or where none are seen, the picture of the stain is all there is to go by.
    noise = np.random.default_rng(0).normal(10, 2, there.shape).clip(0, 255).astype(np.uint8)
    found = measure([picture, noise], PIXEL_UM, ["tubes", "nuclei"])
    assert found.summary["wall_share"] > there.mean()


def test_a_picture_of_which_half_is_missing_has_the_other_half_measured():
    from labrig_analysis.synthetic.culture import CultureState
    from labrig_analysis.synthetic.render import render_phase
    from labrig_analysis.synthetic.scene import make_scene

    scene = make_scene(3, "B3", 0, height_um=500, width_um=500)
    whole = render_phase(scene, CultureState(fused_fraction=0.5), (384, 384), 1.3, 1)
    torn = whole.copy()
    torn[192:] = 0
    field = measure([torn], 1.3, ["phase"]).field.iloc[0]
    wanted = measure([whole], 1.3, ["phase"]).field.iloc[0]
    assert 0.5 < field["wall_share"] < 0.6
    assert field["tube_area_fraction"] == pytest.approx(wanted["tube_area_fraction"], rel=0.5)
