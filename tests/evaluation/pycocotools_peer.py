"""`yolov7 metrics` beside pycocotools on 200 random small sets: crowds, equal scores, empty categories and pictures, boxes on
the borders of the area ranges, ids that are texts. Usage: pycocotools_peer.py PROGRAM. Exit code 77: skipped."""
import contextlib
import io
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
except ImportError as error:
    print(f"skipped: {error} (scripts/setup installs pycocotools)")
    sys.exit(77)

SETS = 200
# Both sides add up to 80,000 numbers in [0, 1] in another order.
TOLERANCE = 1e-12


def make_set(seed):
    r = random.Random(seed)
    side = lambda: r.choice([r.uniform(1, 40), r.uniform(20, 110), r.uniform(60, 300), 32.0, 96.0])
    ids = r.sample(range(1, 500), r.randint(1, 12))
    if seed % 5 == 4:
        ids = [f"picture-{i}" for i in ids]
    categories = r.sample(range(1, 91), r.randint(1, 5))
    scores = [round(r.random(), r.choice([1, 2, 6])) for _ in range(40)]
    truth, found = [], []
    for image in ids:
        for _ in range(r.choice([0, 1, 3, 8])):
            box = [r.uniform(0, 300), r.uniform(0, 300), side(), side()]
            crowd = int(r.random() < 0.15)
            area = r.choice([1.0, 0.6]) * box[2] * box[3]
            category = r.choice(categories[:-1] or categories)  # the last category has no object
            truth.append({"id": len(truth) + 1, "image_id": image, "category_id": category, "bbox": box, "area": area, "iscrowd": crowd})
            for _ in range(r.choice([0, 1, 1, 2])):
                moved = [v + r.uniform(-0.15, 0.15) * box[2 + k % 2] * r.choice([0, 1]) for k, v in enumerate(box)]
                found.append({"image_id": image, "category_id": category if r.random() < 0.9 else r.choice(categories + [99]),
                              "bbox": moved[:2] + [abs(moved[2]), abs(moved[3])], "score": r.choice(scores)})
        for _ in range(r.choice([0, 0, 2, 130 if seed % 10 == 0 else 5])):
            found.append({"image_id": image, "category_id": r.choice(categories), "bbox": [r.uniform(0, 300), r.uniform(0, 300), side(), side()], "score": r.choice(scores)})
    r.shuffle(found)
    if not found:
        found = [{"image_id": ids[0], "category_id": categories[0], "bbox": [0, 0, 1, 1], "score": 0.5}]
    return {"info": {}, "images": [{"id": i} for i in ids], "categories": [{"id": c, "name": f"c{c}"} for c in categories], "annotations": truth}, found


def peer(truth_path, found):
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(truth_path))
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    per_category = []
    for k in range(len(evaluation.params.catIds)):
        values = evaluation.eval["precision"][:, :, k, 0, -1]
        values = values[values > -1]
        per_category.append(float(np.mean(values)) if values.size else -1.0)
    return [float(v) for v in evaluation.stats], evaluation.params.catIds, per_category


def main(program):
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        truth_path, found_path = Path(folder) / "gt.json", Path(folder) / "dt.json"
        for seed in range(SETS):
            truth, found = make_set(seed)
            truth_path.write_text(json.dumps(truth))
            found_path.write_text(json.dumps(found))
            ours = json.loads(subprocess.run([program, "metrics", "--ground-truth", truth_path, "--detections", found_path, "--json"],
                                             check=True, capture_output=True, text=True).stdout)["coco"]
            stats, categories, per_category = peer(truth_path, json.loads(found_path.read_text()))
            assert [c["id"] for c in ours["per_category"]] == list(categories), (seed, categories)
            pairs = list(zip(ours["stats"], stats)) + list(zip((c["ap"] for c in ours["per_category"]), per_category))
            difference = max(abs(a - b) for a, b in pairs)
            worst = max(worst, difference)
            if difference > TOLERANCE:
                sys.exit(f"set {seed}: differs by {difference}\n  yolov7      {ours['stats']}\n  pycocotools {stats}")
    print(f"{SETS} sets, largest difference {worst:.3g}")


main(sys.argv[1])
