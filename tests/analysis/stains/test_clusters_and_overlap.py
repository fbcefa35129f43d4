"""Receptor clusters and nerve terminals against drawn ones, and what is not known."""

import cv2
import numpy as np
import pytest

from labrig_analysis.stains.clusters import ClusterSettings, cluster_readouts, find_clusters
from labrig_analysis.stains.overlap import OverlapSettings, overlap_readouts
from labrig_analysis.synthetic.stain_planes import StainLook, draw_spots

SIZE_UM = 260.0


def by_name(rows):
    return {row.readout: row for row in rows}


def missed_and_false(found, drawn, pixel_um):
    at = np.column_stack([found.table["x_px"], found.table["y_px"]]) * pixel_um
    away = np.hypot(*(at[:, None] - drawn.centres_um[None]).T) if len(at) else np.zeros((0, 0))
    missed = len(drawn.centres_um) - int((away < 2).any(axis=1).sum() if away.size else 0)
    false = len(at) - int((away < 5).any(axis=0).sum() if away.size else 0)
    return missed, false


@pytest.mark.parametrize("noise_sd", [5.0, 50.0])
@pytest.mark.parametrize("count", [15, 70])
@pytest.mark.parametrize("pixel_um", [0.2, 0.325, 0.65])
def test_drawn_clusters_are_found_with_their_area(drawn_field, pixel_um, count, noise_sd):
    field = drawn_field(pixel_um, SIZE_UM, 3)
    drawn = draw_spots(field.tubes, pixel_um, count, StainLook(noise_sd=noise_sd, seed=count))
    found = find_clusters(drawn.plane, pixel_um, field.tubes)
    missed, false = missed_and_false(found, drawn, pixel_um)
    assert missed <= 0.02 * len(drawn.centres_um)
    assert false == 0
    # A spot across the rim of a tube may be seen as two.
    wrong = abs(len(found.table["cluster"]) - len(drawn.centres_um))
    assert wrong <= max(1, 0.05 * len(drawn.centres_um))
    assert found.table["area_um2"].sum() == pytest.approx(drawn.areas_um2.sum(), rel=0.2)


@pytest.mark.parametrize("blur_um", [0.75, 1.0, 1.5])
@pytest.mark.parametrize("pixel_um", [0.25, 0.5, 0.65])
def test_the_glare_beside_a_brightly_stained_tube_is_no_cluster(pixel_um, blur_um):
    tubes = np.zeros((400, 500), np.int32)
    for number, y in enumerate((90, 240), start=1):
        cv2.line(tubes, (40, y), (460, y + 50), number, 40)
    light = cv2.GaussianBlur((tubes > 0) * np.float32(800), (0, 0), blur_um / pixel_um) + 200
    plane = (light + np.random.default_rng(0).normal(0, 20, tubes.shape)).astype(np.uint16)
    found = find_clusters(plane, pixel_um, tubes)
    assert (len(found.table["cluster"]), found.why_not) == (0, "")


@pytest.mark.parametrize("pixel_um", [0.3, 0.65, 1.0])
def test_hot_pixels_of_the_camera_are_no_clusters(pixel_um):
    rng = np.random.default_rng(0)
    plane = rng.normal(200, 15, (600, 700))
    plane[rng.random(plane.shape) < 2e-4] = 4000
    assert len(find_clusters(plane.astype(np.uint16), pixel_um).table["cluster"]) == 0


def test_a_plane_that_is_cut_off_at_black_tells_no_clusters():
    noise = np.random.default_rng(0).normal(-30, 20, (600, 700))
    found = find_clusters(np.clip(noise, 0, None).astype(np.uint16), 0.65)
    assert "cut off at black: 9" in found.why_not
    assert np.isnan(found.level)


def test_single_pixels_with_a_label_make_no_cluster_of_noise():
    rng = np.random.default_rng(1)
    tubes = np.zeros((600, 700), np.int32)
    tubes[rng.integers(0, 600, 20), rng.integers(0, 700, 20)] = np.arange(1, 21)
    plane = rng.normal(500, 30, tubes.shape).astype(np.uint16)
    assert len(find_clusters(plane, 0.5, tubes).table["cluster"]) == 0


@pytest.mark.parametrize("pixel_um", [0.2, 0.325, 0.65])
def test_there_is_no_cluster_in_noise_and_diffuse_tubes(drawn_field, pixel_um):
    field = drawn_field(pixel_um, SIZE_UM, 3)
    for seed, noise_sd in enumerate((3.0, 20.0, 60.0)):
        plane = draw_spots(field.tubes, pixel_um, 0, StainLook(noise_sd=noise_sd, seed=seed)).plane
        found = find_clusters(plane, pixel_um, field.tubes)
        assert len(found.table["cluster"]) == 0, f"seed {seed}, noise {noise_sd}"
        assert not found.why_not


def test_a_noisy_plane_without_tubes_holds_none():
    rng = np.random.default_rng(5)
    slope = np.linspace(0, 200, 800)[:, None]
    plane = np.clip(500 + slope + rng.normal(0, 30, (800, 800)), 0, 4095).astype(np.uint16)
    assert len(find_clusters(plane, 0.325).table["cluster"]) == 0


def test_clusters_are_counted_by_tube(drawn_field):
    field = drawn_field(0.325, SIZE_UM, 3)
    drawn = draw_spots(field.tubes, 0.325, 40, StainLook(seed=1))
    found = find_clusters(drawn.plane, 0.325, field.tubes)
    rows, columns = cluster_readouts(found, "clusters", 0.325, ClusterSettings(), field.tube_table)
    told = by_name(rows)
    x, y = (np.rint(drawn.centres_um / 0.325 - 0.5).astype(int)).T
    truth = np.bincount(field.tubes[y, x], minlength=field.tubes.max() + 1)[1:]
    assert np.abs(columns["clusters"] - truth).sum() <= 0.1 * len(x)
    assert told["clusters"].value == len(found.table["cluster"])
    assert told["clusters_per_tube"].value == pytest.approx(columns["clusters"].mean())
    assert told["clusters_per_tube_mm"].value == pytest.approx(
        columns["clusters"].sum() / (0.1 * len(truth))
    )
    assert told["clusters_per_mm2"].value == pytest.approx(
        told["clusters"].value / field.area_mm2, rel=0.01
    )
    assert told["clusters"].definition.startswith("spot>=6sd&1.5x|edge=0.5|area=1-500um2")
    assert told["clusters"].level > 0


def test_fragments_of_a_plaque_are_told_from_whole_ones():
    plane = np.full((200, 400), 200, np.uint16)
    for left in (50, 200, 212, 224, 350):
        plane[90:100, left : left + 8] = 2000
    plane = (plane + np.random.default_rng(0).normal(0, 10, plane.shape)).astype(np.uint16)
    found = find_clusters(plane, 0.5)
    told = by_name(cluster_readouts(found, "clusters", 0.5, ClusterSettings(), None)[0])
    assert len(found.table["cluster"]) == 5
    assert told["fragmentation_index"].value == pytest.approx(1 - 3 / 5)
    assert told["clusters_per_tube"].why_not == "no tubes are known"


@pytest.mark.parametrize(
    ("plane", "pixel_um", "why"),
    [
        (np.zeros((50, 50), np.uint8), 0.3, "all black"),
        (np.full((50, 50), 7, np.uint8), 0.3, "all pixels are 7"),
        (np.arange(2500).reshape(50, 50).astype(np.uint16) % 2, 0.3, "nearly blank"),
        (np.minimum(np.arange(2500).reshape(50, 50), 1500).astype(np.uint16), 0.3, "saturated"),
        (np.arange(2500).reshape(50, 50).astype(np.uint16), 2.5, "too coarse"),
    ],
)
def test_what_cannot_be_seen_is_no_zero(plane, pixel_um, why):
    found = find_clusters(plane, pixel_um)
    rows, _ = cluster_readouts(found, "clusters", pixel_um, ClusterSettings(), None)
    assert all(np.isnan(row.value) for row in rows)
    assert all(why in row.why_not for row in rows)


def test_clusters_that_face_terminals(drawn_field):
    field = drawn_field(0.325, SIZE_UM, 3)
    post = draw_spots(field.tubes, 0.325, 40, StainLook(seed=1))
    pre = draw_spots(field.tubes, 0.325, 20, StainLook(seed=2), beside_um=post.centres_um[:20])
    apart = draw_spots(field.tubes, 0.325, 40, StainLook(seed=9))
    clusters, terminals, others = (
        find_clusters(drawn.plane, 0.325, field.tubes) for drawn in (post, pre, apart)
    )
    chosen = (field.tubes, 0.325, OverlapSettings(), ClusterSettings())
    told = by_name(overlap_readouts(clusters, terminals, *chosen))
    assert told["clusters_faced_share"].value == pytest.approx(0.5, abs=0.05)
    assert told["clusters_faced_share"].low < 0.5 < told["clusters_faced_share"].high
    assert 0.6 < told["terminal_area_faced_share"].value <= 1
    assert told["cluster_area_faced_share"].value > 5 * told["cluster_area_faced_by_chance"].value
    strict = by_name(
        overlap_readouts(clusters, clusters, field.tubes, 0.325, OverlapSettings(0), chosen[3])
    )
    assert strict["manders_m1"].value == strict["cluster_area_faced_share"].value == 1
    unrelated = by_name(overlap_readouts(clusters, others, *chosen))
    near = unrelated["cluster_area_faced_share"].value
    assert near == pytest.approx(unrelated["cluster_area_faced_by_chance"].value, abs=0.05)


def test_overlap_with_no_cluster_is_not_known(drawn_field):
    field = drawn_field(0.325, SIZE_UM, 3)
    none, some = (
        find_clusters(draw_spots(field.tubes, 0.325, n).plane, 0.325, field.tubes) for n in (0, 20)
    )
    told = by_name(
        overlap_readouts(none, some, field.tubes, 0.325, OverlapSettings(), ClusterSettings())
    )
    assert told["cluster_area_faced_share"].why_not == "there is no cluster"
    assert told["terminal_area_faced_share"].value == 0
