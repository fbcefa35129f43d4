"""Train the network that tells sheets of cells from tubes without a stain; write its weights.

Needs torch and onnx, which nothing else of the project does:

    uv run --with torch --with onnx python analysis/training/train_cell_sheets.py --minutes 20

Trained on drawn cultures alone (`drawn_cultures`). Pixels that the rules take for tubes count three
times: among them it has to tell rims. The shipped weights had 6,400 steps of 8 crops of 384 µm,
15 minutes of one core, on 1,380 scenes, half of them from an earlier draft of the same drawing and
half with more sheets, thin tubes, spindles and strands than `draw` gives by itself.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import nn

from labrig_analysis.tubes.phase import segment_tube_like_objects
from labrig_analysis.tubes.sheets import PIXEL_UM, evened
from training.drawn_cultures import SHEET, TUBE, UNSURE, draw

WEIGHTS = Path(__file__).parents[1] / "labrig_analysis/weights/cell_sheets.onnx"
WIDTHS = (24, 48, 80, 96)
CROP_PX, BATCH = 192, 8
LEARNING_RATE = 2e-3
OF_RULES = 3.0

Scene = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]
"""Picture, classes, and where the rules see tubes."""


def block(inputs: int, outputs: int, side: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, normalisation, rectifier."""
    convolution = nn.Conv2d(inputs, outputs, side, stride, padding=side // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Network(nn.Module):  # type: ignore[misc]
    """A U-Net: grey picture at 2 µm in; ground, tube, sheet at 4 µm out."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d = WIDTHS
        self.e0 = nn.Sequential(block(1, a, 5, 2), block(a, a))
        self.e1 = nn.Sequential(block(a, b), block(b, b))
        self.e2 = nn.Sequential(block(b, c), block(c, c))
        self.e3 = nn.Sequential(block(c, d), block(d, d), block(d, d))
        self.u2, self.d2 = self._up(d, c), block(c, c)
        self.u1, self.d1 = self._up(c, b), block(b, b)
        self.u0, self.d0 = self._up(b, a), block(a, a)
        self.out = nn.Conv2d(a, 3, 1)

    @staticmethod
    def _up(inputs: int, outputs: int) -> nn.Sequential:
        fewer = nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs)
        return nn.Sequential(*fewer, nn.Upsample(scale_factor=2, mode="nearest"))

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """Scores of the three classes."""
        e0 = self.e0(picture)
        e1 = self.e1(F.max_pool2d(e0, 2))
        e2 = self.e2(F.max_pool2d(e1, 2))
        told = self.e3(F.max_pool2d(e2, 2))
        told = self.d2(F.relu(e2 + self.u2(told)))
        told = self.d1(F.relu(e1 + self.u1(told)))
        return self.out(self.d0(F.relu(e0 + self.u0(told))))


def scene(seed: int) -> Scene:
    """One drawn culture, with what the rules take for tubes in it."""
    drawn = draw(seed)
    low, high = drawn.picture.min(), drawn.picture.max()
    grey = np.clip((drawn.picture - low) / (high - low) * 255, 0, 255).astype(np.uint8)
    return drawn.picture, drawn.classes, segment_tube_like_objects(grey, PIXEL_UM).labels > 0


def crop(rng: np.random.Generator, one: Scene) -> Scene:
    """A part of it in another size, light, sharpness and turn."""
    picture, classes, proposed = one
    if rng.random() < 0.5:
        side = int(picture.shape[0] * rng.uniform(0.76, 1.4))
        shrinks = cv2.INTER_AREA if side < picture.shape[0] else cv2.INTER_LINEAR
        picture = cv2.resize(picture, (side, side), interpolation=shrinks)
        classes, proposed = (
            cv2.resize(part.astype(np.uint8), (side, side), interpolation=cv2.INTER_NEAREST)
            for part in (classes, proposed)
        )
    if rng.random() < 0.3:
        cut = rng.uniform(0, 2), 100 - rng.uniform(0, 2)
        low, high = np.percentile(picture, cut)
        picture = np.clip((picture - low) / (high - low + 1e-6), 0, 1) ** rng.uniform(0.6, 1.7)
    if rng.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.2))
        picture += rng.uniform(0, 0.05) * picture.std() * rng.standard_normal(picture.shape)
    picture = evened(picture.astype(np.float32)) * rng.uniform(0.75, 1.3)
    top, left = rng.integers(0, picture.shape[0] - CROP_PX + 1, 2)
    turn, flip = int(rng.integers(4)), rng.random() < 0.5
    parts = []
    for part in (picture, classes, proposed):
        part = np.rot90(part[top : top + CROP_PX, left : left + CROP_PX], turn)
        parts.append(part[:, ::-1] if flip else part)
    return parts[0], parts[1][::2, ::2], parts[2][::2, ::2]


def loss_of(network: Network, crops: list[Scene]) -> torch.Tensor:
    """Cross entropy; nothing of what is unsure."""
    pictures, classes, proposed = (np.stack([one[i] for one in crops]) for i in range(3))
    right = np.where(classes == SHEET, 2, np.where(classes == TUBE, 1, 0)).astype(np.int64)
    weights = np.where(classes == UNSURE, 0.0, np.where(proposed > 0, OF_RULES, 1.0))
    with torch.autocast("cpu", torch.bfloat16):
        told = network(torch.from_numpy(pictures[:, None].astype(np.float32)))
    each = F.cross_entropy(told.float(), torch.from_numpy(right), reduction="none")
    weight = torch.from_numpy(weights.astype(np.float32))
    return (each * weight).sum() / weight.sum()


def main() -> None:
    """Draw, train, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--scenes", type=int, default=1600)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    scenes = [scene(seed) for seed in range(asked.scenes)]
    network = Network().to(memory_format=torch.channels_last)
    steps = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=2e-3)
    began_s, step = time.monotonic(), 0
    while (gone := (time.monotonic() - began_s) / 60 / asked.minutes) < 1:
        rate = min(1.0, (step + 1) / 100) * (0.5 * (1 + np.cos(np.pi * gone)) + 0.005)
        for group in steps.param_groups:
            group["lr"] = LEARNING_RATE * rate
        loss = loss_of(
            network, [crop(rng, scenes[rng.integers(len(scenes))]) for _ in range(BATCH)]
        )
        steps.zero_grad()
        loss.backward()
        steps.step()
        step += 1
        if step % 200 == 0:
            print(f"{gone:.0%}, step {step}: loss {loss.item():.3f}", flush=True)
    sides = {"x": {2: "h", 3: "w"}, "y": {2: "h", 3: "w"}}
    torch.onnx.export(
        nn.Sequential(network, nn.Softmax(1)).eval(), torch.zeros(1, 1, 160, 160), asked.out,
        input_names=["x"], output_names=["y"], dynamic_axes=sides, dynamo=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
