"""`yolov7 metrics --error-analysis` beside the authors' own program, tidecv, on random sets with crowds and equal scores. Usage: tide_peer.py PROGRAM. Exit code 77: skipped."""
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import MagicMock

# tidecv imports what it draws with; nothing is drawn here.
for name in ("seaborn", "matplotlib", "matplotlib.pyplot", "matplotlib.lines", "matplotlib.patches"):
    sys.modules[name] = MagicMock()
try:
    from tidecv import TIDE, Data
except ImportError as error:
    print(f"skipped: {error} (scripts/setup installs tidecv)")
    sys.exit(77)

SETS = 60
TOLERANCE = 1e-9  # per cent; sums of 101 quotients in another order


def make_set(seed):
    r = random.Random(seed)
    side = lambda: r.uniform(10, 120)
    categories, ids = list(range(1, r.randint(2, 5))), list(range(1, r.randint(2, 9)))
    truth, found = [], []
    for image in ids:
        for _ in range(r.choice([0, 1, 2, 5])):
            box = [r.uniform(0, 300), r.uniform(0, 300), side(), side()]
            crowd, category = int(r.random() < 0.1), r.choice(categories)
            truth.append({"id": len(truth) + 1, "image_id": image, "category_id": category, "bbox": box, "area": box[2] * box[3], "iscrowd": crowd})
            for _ in range(r.choice([0, 1, 1, 2, 3])):
                strength = r.choice([0.02, 0.1, 0.3, 0.6])
                moved = [v + r.uniform(-strength, strength) * box[2 + k % 2] for k, v in enumerate(box)]
                found.append({"image_id": image, "category_id": category if r.random() < 0.75 else r.choice(categories), "bbox": moved[:2] + [abs(moved[2]) + 1, abs(moved[3]) + 1], "score": round(r.random(), r.choice([1, 6]))})
        for _ in range(r.choice([0, 2, 130 if seed % 10 == 0 else 4])):
            found.append({"image_id": image, "category_id": r.choice(categories), "bbox": [r.uniform(0, 300), r.uniform(0, 300), side(), side()], "score": round(r.random(), 3)})
    return {"images": [{"id": i} for i in ids], "categories": [{"id": c, "name": f"c{c}"} for c in categories], "annotations": truth}, found or [{"image_id": ids[0], "category_id": 1, "bbox": [0, 0, 9, 9], "score": 0.5}]


def peer(truth, found):
    gt, dt = Data("gt", max_dets=100), Data("dt", max_dets=100)
    for category in truth["categories"]:
        gt.add_class(category["id"], category["name"])
        dt.add_class(category["id"], category["name"])
    for image in truth["images"]:
        gt.add_image(image["id"], str(image["id"]))
        dt.add_image(image["id"], str(image["id"]))
    for a in truth["annotations"]:
        (gt.add_ignore_region if a["iscrowd"] else gt.add_ground_truth)(a["image_id"], a["category_id"], box=a["bbox"])
    for d in found:
        dt.add_detection(d["image_id"], d["category_id"], d["score"], box=d["bbox"])
    tide = TIDE()
    run = tide.evaluate(gt, dt, mode=TIDE.BOX)
    main, special = tide.get_main_errors()["dt"], tide.get_special_errors()["dt"]
    counts = {kind.short_name: len(run.error_dict[kind]) for kind in run.error_dict}
    return run.ap, main, special, counts


def main(program):
    worst, undefined = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        truth_path, found_path = Path(folder) / "gt.json", Path(folder) / "dt.json"
        for seed in range(SETS):
            truth, found = make_set(seed)
            truth_path.write_text(json.dumps(truth))
            found_path.write_text(json.dumps(found))
            ours = json.loads(subprocess.run([program, "metrics", "--ground-truth", truth_path, "--detections", found_path, "--error-analysis", "--json"], check=True, capture_output=True, text=True).stdout)["errors"]
            try:
                ap, dap, special, counts = peer(truth, found)
            except ZeroDivisionError:  # tidecv divides by the number of classes that a repair leaves
                undefined += 1
                continue
            pairs = [("AP", ours["ap"], ap), ("FalsePos", ours["false_positives"], special["FalsePos"]), ("FalseNeg", ours["false_negatives"], special["FalseNeg"])]
            pairs += [(kind, ours["types"][kind]["dap"], dap[kind]) for kind in ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss")]
            pairs += [(f"number of {kind}", ours["types"][kind]["errors"], counts[kind]) for kind in ("Cls", "Loc", "Both", "Dupe", "Bkg", "Miss")]
            for what, mine, theirs in pairs:
                worst = max(worst, abs(mine - theirs))
                if abs(mine - theirs) > TOLERANCE:
                    sys.exit(f"set {seed}: {what}: yolov7 {mine}, tidecv {theirs}")
    assert undefined < SETS / 4, undefined
    print(f"{SETS - undefined} sets (tidecv fails on {undefined} others), largest difference {worst:.3g} %")


main(sys.argv[1])
