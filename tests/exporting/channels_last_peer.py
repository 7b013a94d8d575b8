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


def expected(folder, case):
    """Rows with boxes in parts of the image, or [B, 4 + nc, N] in pixels."""
    rows = np.fromfile(folder / (case["data"] + ".rows")).reshape(case["shape"][0], -1, 5 + case["classes"])
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
            # float32: ten times the rounding of some hundred operations. float16: weights alone are rounded; ten layers of halves of 2^-11.
            tolerance = 2.5e-3 if case["half"] else 1e-5
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
