"""Tracking beside motmetrics: the figures of `yolov7 metrics` on random tracks, and our tracker on generated sequences in which
objects cross, hide each other and are missed. Usage: tracking_peer.py PROGRAM (tracker_fixture stands beside it). Exit code 77: skipped."""
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
try:
    import motmetrics
    import numpy as np
except ImportError as error:
    print(f"skipped: {error} (scripts/setup installs motmetrics)")
    sys.exit(77)

program = sys.argv[1]
fixture = pathlib.Path(program).parent / "tracker_fixture"
TOLERANCE = 1e-12  # quotients of whole numbers; MOTP sums some hundred distances in another order


def iou(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    i = max(w, 0) * max(h, 0)
    return i / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - i)


def peer(truth, found):
    accumulator = motmetrics.MOTAccumulator()
    for frame in sorted(set(truth) | set(found)):
        a, b = truth.get(frame, {}), found.get(frame, {})
        distances = [[1 - iou(x, y) if iou(x, y) >= 0.5 else np.nan for y in b.values()] for x in a.values()]
        accumulator.update(list(a), list(b), np.array(distances).reshape(len(a), len(b)), frameid=frame)
    names = ["mota", "motp", "idf1", "idp", "idr", "num_switches", "num_false_positives", "num_misses"]
    return motmetrics.metrics.create().compute(accumulator, metrics=names, name="x").iloc[0].to_dict()


def text(frames):
    return "".join(f"{f},{t},{b[0]!r},{b[1]!r},{b[2] - b[0]!r},{b[3] - b[1]!r},1,-1,-1,-1\n" for f in sorted(frames) for t, b in frames[f].items())


def parse(lines):
    frames = {}
    for line in lines.splitlines():
        f, t, x, y, w, h = (float(v) for v in line.split(",")[:6])
        frames.setdefault(int(f), {})[int(t)] = (x, y, x + w, y + h)
    return frames


def ours(folder, truth, found):
    (folder / "gt.txt").write_text(truth)
    (folder / "dt.txt").write_text(found)
    done = subprocess.run([program, "metrics", "--ground-truth", str(folder / "gt.txt"), "--detections", str(folder / "dt.txt"), "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["tracking"]


def same(mine, theirs, where):
    for name, other in (("mota", "mota"), ("motp", "motp"), ("idf1", "idf1"), ("idp", "idp"), ("idr", "idr"), ("switches", "num_switches"), ("false_positives", "num_false_positives"), ("misses", "num_misses")):
        a, b = mine[name], theirs[other]
        if a is None:
            assert math.isnan(b), f"{where}: {name}: nothing, motmetrics {b}"
            continue
        # Boxes pass through left, top, width and height, which rounds them once more than the boxes that motmetrics sees here.
        assert abs(a - b) <= (1e-9 if name == "motp" else TOLERANCE), f"{where}: {name}: {a}, motmetrics {b}"


def random_tracks(seed):
    """Objects that wander; predictions that follow them with noise, are lost, change their numbers, or follow nothing."""
    r = random.Random(seed)
    truth, found = {}, {}
    places = {t: [r.uniform(0, 200), r.uniform(0, 200)] for t in range(1, r.randint(2, 6))}
    numbers = {t: t for t in places}
    for frame in range(1, r.randint(5, 40)):
        for t, place in places.items():
            place[0] += r.uniform(-8, 8)
            place[1] += r.uniform(-8, 8)
            box = (place[0], place[1], place[0] + 40, place[1] + 40)
            if r.random() < 0.9:
                truth.setdefault(frame, {})[t] = box
            if r.random() < 0.05:
                numbers[t] = r.randint(1, 9)
            if r.random() < 0.8:
                found.setdefault(frame, {}).setdefault(numbers[t], tuple(v + r.uniform(-7, 7) for v in box))
        if r.random() < 0.2:
            found.setdefault(frame, {}).setdefault(r.randint(1, 9), (r.uniform(0, 200),) * 2 + (300, 300))
    return (truth, found) if truth and found else random_tracks(seed + 1000)


def crossing(seed):
    """Objects on straight ways through one another's paths. The detector is noisy, faint where one hides another, and sometimes blind or mistaken."""
    r = random.Random(seed)
    truth, detections = {}, []
    ways = []
    for t in range(8):
        angle = r.uniform(0, 2 * math.pi)
        speed = r.uniform(2, 7)
        start = (400 - math.cos(angle) * speed * 60 + r.uniform(-150, 150), 400 - math.sin(angle) * speed * 60 + r.uniform(-150, 150))
        ways.append((t + 1, start, (math.cos(angle) * speed, math.sin(angle) * speed), r.uniform(40, 80), r.uniform(50, 110)))
    for frame in range(1, 121):
        boxes = {t: (s[0] + v[0] * frame, s[1] + v[1] * frame, s[0] + v[0] * frame + w, s[1] + v[1] * frame + h) for t, s, v, w, h in ways}
        truth[frame] = boxes
        for t, box in boxes.items():
            hidden = max((iou(box, other) for u, other in boxes.items() if u < t), default=0)
            score = r.uniform(0.6, 0.95) if hidden < 0.2 else r.uniform(0.12, 0.5)
            if hidden > 0.6 or r.random() < 0.03:
                continue
            noise = [r.gauss(0, 1.5) for _ in range(4)]
            detections.append((frame, *(v + n for v, n in zip(box, noise)), score))
        if r.random() < 0.1:
            x, y = r.uniform(0, 700), r.uniform(0, 700)
            detections.append((frame, x, y, x + 60, y + 80, r.uniform(0.1, 0.3)))
    return truth, detections


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for seed in range(80):
            truth, found = random_tracks(seed)
            same(ours(folder, text(truth), text(found)), peer(truth, found), f"random {seed}")
        motas, idf1s = [], []
        for seed in range(20):
            truth, detections = crossing(seed)
            lines = subprocess.run([str(fixture), "0.5"], input="".join(" ".join(map(repr, d)) + "\n" for d in detections), capture_output=True, text=True, check=True).stdout
            theirs = peer(truth, parse(lines))
            same(ours(folder, text(truth), lines), theirs, f"crossing {seed}")
            motas.append(theirs["mota"])
            idf1s.append(theirs["idf1"])
        print(f"80 random sets and 20 sequences of 8 crossing objects: the figures of motmetrics; the tracker's MOTA {np.mean(motas):.3f} (least {min(motas):.3f}), IDF1 {np.mean(idf1s):.3f} (least {min(idf1s):.3f})")
        # 3 % of the boxes are missing and hidden ones besides, so 1 is out of reach.
        assert np.mean(motas) >= 0.9 and np.mean(idf1s) >= 0.85, "the tracker loses too much"


main()
