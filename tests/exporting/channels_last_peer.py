"""What tflite_peer.py and tensorflow_peer.py share: the files of channels_last_fixture, what has to come out of them, and the comparison."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def images(folder, case):
    """[B, H, W, 3]."""
    return np.ascontiguousarray(np.fromfile(folder / (case["data"] + ".images"), np.float32).reshape(case["shape"]).transpose(0, 2, 3, 1))


def overlap(box, others):
    """Intersection over union of corners."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    both = np.clip(high - low, 0, None).prod(axis=1)
    return both / ((box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(axis=1) - both)


def suppressed(boxes, scores, case):
    """As tf.image.combined_non_max_suppression is documented: each class by itself, then the best of all; boxes clipped to 0 ... 1.
    [most + 1, 6]: corners, score, class; the last row begins with how many there are."""
    found = []
    for c in range(scores.shape[1]):
        left = [i for i in np.argsort(-scores[:, c], kind="stable") if scores[i, c] > case["conf"]]
        kept = []
        while left and len(kept) < case["most_of_class"]:
            best, *left = left
            kept.append(best)
            if left:
                close = overlap(boxes[best], boxes[left])
                left = [i for i, value in zip(left, close) if value <= case["iou"]]
        found += [(*np.clip(boxes[i], 0, 1), scores[i, c], c) for i in kept]
    found = sorted(found, key=lambda one: -one[4])[:case["most"]]
    table = np.zeros((case["most"] + 1, 6))
    table[:len(found)] = np.array(found).reshape(-1, 6)
    table[-1, 0] = len(found)
    return table


def expected(folder, case):
    """Rows with boxes in parts of the image, or [B, 4 + nc, N] in pixels, or what suppression leaves."""
    rows = np.fromfile(folder / (case["data"] + ".rows")).reshape(case["shape"][0], -1, 5 + case["classes"])
    if case["nms"]:
        height, width = case["shape"][2:]
        rows[..., :4] /= [width, height, width, height]
        corners = np.concatenate([rows[..., :2] - rows[..., 2:4] / 2, rows[..., :2] + rows[..., 2:4] / 2], axis=-1)
        scores = rows[..., 4:5] if case["classes"] == 1 else rows[..., 4:5] * rows[..., 5:]
        tables = [suppressed(b, s, case) for b, s in zip(corners, scores)]
        assert all(table[-1, 0] > 2 for table in tables), "a case without boxes shows nothing"
        return np.stack(tables)
    if case["fold_obj"]:
        scores = rows[..., 4:5] if case["classes"] == 1 else rows[..., 4:5] * rows[..., 5:]
        return np.concatenate([rows[..., :4], scores], axis=-1).transpose(0, 2, 1)
    height, width = case["shape"][2:]
    rows[..., :4] /= [width, height, width, height]
    return rows


def gap(found, wanted):
    if found.shape != wanted.shape:
        return float("inf")
    return float(np.abs(found.astype(np.float64) - wanted).max() / max(1, np.abs(wanted).max()))


def main(fixture, kind, readers):
    """`readers`: name → function of (folder, case) that gives the output of its file."""
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([fixture, kind, folder], check=True)
        cases = json.loads((folder / "cases.json").read_text())
        for case in cases:
            # float32: ten times the rounding of some hundred operations. float16: weights alone are rounded; ten layers of halves of 2^-11. The logits of
            # the inverted residuals reach 72, and a sigmoid passes on a quarter of an absolute error: 72 * 2.4e-3 / 4 = 4.3e-2 at most, of which 6.5e-3 is allowed,
            # since most logits are far smaller.
            half = 6.5e-3 if case["name"].endswith("inverted_residual") else 2.5e-3
            tolerance = half if case["half"] else 1e-5
            for reader, read in readers.items():
                try:
                    worst = gap(read(folder, case), expected(folder, case))
                except Exception as error:  # a file that a reader refuses is a failure like any other
                    worst = f"{type(error).__name__}: {error}"
                if isinstance(worst, str) or not worst <= tolerance:
                    failures += 1
                    print("FAIL", reader, case, worst, flush=True)
    print(f"{len(cases)} networks, read by {', '.join(readers)}; {failures} failures")
    sys.exit(1 if failures or not cases else 0)
