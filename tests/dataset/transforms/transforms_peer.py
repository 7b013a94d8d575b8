"""Transforms beside those of the same name and definition in albumentations, with fixed parameters: pixels and boxes.
Usage: transforms_peer.py PROGRAM (apply_transforms). Exit code 77: skipped."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it would ask the network for its newest version
try:
    import albumentations as A
    import cv2
    import numpy as np
except ImportError as error:
    print(f"skipped: {error} (scripts/setup installs albumentations)")
    sys.exit(77)

# Our list, theirs, and the largest difference of a pixel. 0: the same whole-number rule. 1: both round or truncate once, at another place.
# 2 and more: explained on the line.
CASES = [
    ("{name: HorizontalFlip}", A.HorizontalFlip(p=1), 0),
    ("{name: VerticalFlip}", A.VerticalFlip(p=1), 0),
    ("{name: Transpose}", A.Transpose(p=1), 0),
    ("{name: InvertImg}", A.InvertImg(p=1), 0),
    ("{name: ToGray}", A.ToGray(p=1), 1),
    ("{name: ToSepia}", A.ToSepia(p=1), 1),
    ("{name: Solarize, threshold_range: [0.5, 0.5]}", A.Solarize(threshold_range=(0.5, 0.5), p=1), 0),
    ("{name: Posterize, num_bits: [3, 3]}", A.Posterize(num_bits=(3, 3), p=1), 0),
    ("{name: RandomGamma, gamma_limit: [130, 130]}", A.RandomGamma(gamma_limit=(130, 130), p=1), 1),
    ("{name: RandomBrightnessContrast, brightness_limit: [0.1, 0.1], contrast_limit: [-0.2, -0.2]}",
     A.RandomBrightnessContrast(brightness_limit=(0.1, 0.1), contrast_limit=(-0.2, -0.2), p=1), 1),
    ("{name: RGBShift, r_shift_limit: [12, 12], g_shift_limit: [-9, -9], b_shift_limit: [5, 5]}",
     A.RGBShift(r_shift_limit=(12, 12), g_shift_limit=(-9, -9), b_shift_limit=(5, 5), p=1), 1),
    ("{name: Blur, blur_limit: [5, 5]}", A.Blur(blur_limit=(5, 5), p=1), 1),
    ("{name: MedianBlur, blur_limit: [5, 5]}", A.MedianBlur(blur_limit=(5, 5), p=1), 0),
    ("{name: CLAHE, clip_limit: [2, 2]}", A.CLAHE(clip_limit=(2, 2), tile_grid_size=(8, 8), p=1), 1),
    ("{name: CenterCrop, height: 50, width: 70, min_visibility: 0}", A.CenterCrop(height=50, width=70, p=1), 0),
    ("{name: Resize, height: 60, width: 150}", A.Resize(height=60, width=150, p=1), 0),
    ("{name: PadIfNeeded, min_height: 140, min_width: 160}", A.PadIfNeeded(min_height=140, min_width=160, border_mode=cv2.BORDER_CONSTANT, fill=114, p=1), 0),
]
BOX_TOLERANCE = 1e-3  # px; albumentations keeps boxes as float32 shares of the side
BOXES = [[10, 20, 60, 70], [0, 0, 30, 25], [70, 40, 119, 89], [30, 30, 90, 60]]


def picture():
    y, x = np.mgrid[0:90, 0:120].astype(np.float64)
    waves = [128 + 70 * np.sin(0.13 * x + 0.05 * y) + 40 * np.cos(0.21 * y - k) for k in range(3)]
    noise = np.random.default_rng(3).normal(0, 12, (90, 120, 3))
    return np.clip(np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)  # R G B


def ours(program, folder, image, step):
    cv2.imwrite(str(folder / "in.png"), image[..., ::-1])
    numbers = [str(v) for i, box in enumerate(BOXES) for v in [i, *box]]
    one = step[:-1] + ", p: 1}"
    said = subprocess.run([program, str(folder / "in.png"), f"[{one}]", str(folder / "out.png"), *numbers], check=True, capture_output=True, text=True).stdout
    return cv2.imread(str(folder / "out.png"))[..., ::-1], [[float(v) for v in line.split()] for line in said.splitlines()]


def main():
    program, failures = sys.argv[1], 0
    image = picture()
    with tempfile.TemporaryDirectory() as name:
        for step, theirs, tolerance in CASES:
            pixels, boxes = ours(program, Path(name), image, step)
            compose = A.Compose([theirs], bbox_params=A.BboxParams(format="pascal_voc", label_fields=["labels"]), seed=1)
            result = compose(image=image, bboxes=BOXES, labels=list(range(len(BOXES))))
            expected = [[int(label), *box] for label, box in zip(result["labels"], result["bboxes"])]
            same_size = pixels.shape == result["image"].shape
            difference = int(np.abs(pixels.astype(int) - result["image"].astype(int)).max()) if same_size else None
            kept = [b[0] for b in boxes] == [b[0] for b in expected]
            box_difference = max((abs(a - b) for one, other in zip(boxes, expected) for a, b in zip(one, other)), default=0) if kept else None
            good = same_size and difference <= tolerance and kept and box_difference <= BOX_TOLERANCE
            failures += not good
            print(f"{'ok  ' if good else 'FAIL'} {step}: pixels differ by {difference} (allowed {tolerance}), boxes by {box_difference}")
    print(f"{len(CASES) - failures} of {len(CASES)} transforms agree with albumentations {A.__version__}")
    return 1 if failures else 0


sys.exit(main())
