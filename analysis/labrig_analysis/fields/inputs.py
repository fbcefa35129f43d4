"""What may be handed to `measure`: planes with names, labels with planes, all of one size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from labrig_analysis.arrays import GreyImage, LabelImage
from labrig_analysis.stains.stain_names import ROLES, is_stain

CHANNELS = ("tubes", "nuclei", "phase")
LABELLED = ("tubes", "nuclei")
MOST_LABELS = 2**24 - 1
"""The greatest number of an object: tables by number stay small, and float32 holds it exactly."""


def planes_by_channel(
    image_stack: GreyImage | Sequence[GreyImage], channels: Sequence[str]
) -> dict[str, GreyImage]:
    """The planes of one field by what they show.

    Args:
        image_stack: (c, y, x), or a sequence of (y, x) planes.
        channels: of `CHANNELS` or stains (`stain_names.ROLES`), one a plane, each at most once.

    Raises:
        ValueError: a stack of another shape, or names that do not fit it.
    """
    if isinstance(channels, str):
        raise ValueError(f"channels is the text {channels!r}; give a list, e.g. [{channels!r}]")
    if isinstance(image_stack, np.ndarray):
        _check_stack(image_stack)
    planes = [np.asarray(plane) for plane in image_stack]
    if len(planes) != len(channels):
        raise ValueError(
            f"{len(planes)} planes and {len(channels)} channel names {list(channels)}: name each "
            "plane once, in order"
        )
    for name in channels:
        if name not in CHANNELS and not is_stain(name):
            known = ", ".join((*CHANNELS, *ROLES))
            raise ValueError(f"channel {name!r} is unknown: say {known}")
    by_channel = dict(zip(channels, planes, strict=True))
    if not planes:
        raise ValueError("image_stack holds no plane; give one or more")
    if len(by_channel) < len(planes):
        raise ValueError(f"channels {list(channels)} name one plane twice")
    check_one_size(by_channel)
    return by_channel


def check_one_size(images: Mapping[str, GreyImage]) -> None:
    """Refuse images of which one has another shape.

    Raises:
        ValueError: it names all shapes.
    """
    shapes = {name: image.shape for name, image in images.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"planes and labels of one field must have one size, not {shapes}")


def checked_labels(labels: LabelImage, name: str) -> LabelImage:
    """A label image in a type that every step takes: uint8, uint16 or int32.

    Args:
        labels: (y, x) integers from 0 to `MOST_LABELS`.
        name: what they are of; used in messages.

    Raises:
        TypeError: no integers.
        ValueError: not two axes, or a number out of range.
    """
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"{name} labels are {labels.dtype}; give integers: 0 the background, and a number an "
            "object (skimage.measure.label numbers the objects of a mask)"
        )
    if labels.ndim != 2 or labels.size == 0:
        raise ValueError(f"{name} labels have shape {labels.shape}; give one plane (y, x)")
    least, most = int(labels.min()), int(labels.max())
    if least < 0 or most > MOST_LABELS:
        raise ValueError(
            f"{name} labels run from {least} to {most}; give 0 to the background and numbers "
            f"from 1 to {MOST_LABELS} to objects "
            "(skimage.segmentation.relabel_sequential numbers them anew)"
        )
    kept = labels.dtype in (np.uint8, np.uint16, np.int32)
    return labels if kept else labels.astype(np.int32)


def planes_of_labels(
    labels: Mapping[str, LabelImage], planes: Mapping[str, GreyImage]
) -> dict[str, str]:
    """By label image, the channel that it was found in.

    Raises:
        ValueError: a label image of an unknown name, or without its plane.
    """
    found = {}
    for name in labels:
        if name not in LABELLED:
            raise ValueError(f"labels {name!r} are unknown: say {' or '.join(LABELLED)}")
        fitting = ("tubes", "phase") if name == "tubes" else ("nuclei",)
        there = [channel for channel in fitting if channel in planes]
        if not there:
            raise ValueError(
                f"{name} labels need the plane they were found in ({' or '.join(fitting)}); "
                f"given: {', '.join(planes) or 'none'}"
            )
        found[name] = there[0]
    return found


def _check_stack(stack: GreyImage) -> None:
    if stack.ndim == 2:
        raise ValueError(
            f"image_stack has shape {stack.shape}; one plane is given as [plane], with one channel "
            "name"
        )
    if stack.ndim == 3 and stack.shape[-1] in (3, 4) and stack.shape[0] > 4:
        raise ValueError(
            f"image_stack has shape {stack.shape}, as of a colour picture (y, x, colour); give the "
            "colours that show something, e.g. [picture[..., 0], picture[..., 2]]"
        )
    if stack.ndim != 3:
        raise ValueError(
            f"image_stack has shape {stack.shape}; give the planes of one field, (c, y, x)"
        )
