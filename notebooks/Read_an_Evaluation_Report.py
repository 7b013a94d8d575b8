# What the numbers and figures of an evaluation say. scripts/notebook makes the notebook of it.
# small: IMAGES=48 EPOCHS=3 SIZE=96

# %% [markdown]
# # Read an evaluation report
#
# `yolov7 val` writes more than one number. This notebook makes a detector that is good, but not perfect, and reads its report from the top: what each figure answers, and what to do about it.

# %% tags=["parameters"]
WEIGHTS = ""           # a checkpoint of yours, with DATA; "" = one is trained here
DATA = ""              # a data.yaml of yours; "" = drawn images
IMAGES = 120
EPOCHS = 6              # few on purpose: a report without errors has little to read
SIZE = 160             # side of the network's input in pixels
WORK = "report"        # folder for everything that is made
PROGRAM = "yolov7"     # the program, or its path

# %% part=start

# %% part=charts

# %% [markdown]
# ## 0. Something to measure

# %%
if not DATA:
    yolov7(f"dataset synth --out {fresh('data')} --level easy --train {IMAGES} --val {max(IMAGES // 4, 16)} --test {max(IMAGES, 64)} --empty 0.3 --zipf 1 --img-size {SIZE} --seed 6")
    DATA = f"{work}/data/data.yaml"
earlier = ""
if not WEIGHTS:
    shutil.rmtree(work / "train", ignore_errors=True)
    train = f"train --cfg yolov7-tiny.yaml --weights synth --data {DATA} --hyp hyp.scratch.tiny.yaml --img-size {SIZE} --batch-size 16 --epochs {EPOCHS} --project {work} --name train"
    first = yolov7(f"{train} --stop-after {max(EPOCHS // 4, 1)}")
    earlier = shutil.copy(first["last"], work / "earlier.pt")  # for the comparison at the end
    WEIGHTS = yolov7(f"train --resume {work}/train")["best"]
val = yolov7(f"val --weights {WEIGHTS} --data {DATA} --task test --img-size {SIZE} --bootstrap 500 --error-analysis --calibration --breakdown --project {work} --name val --exist-ok")
folder = pathlib.Path(val["folder"])
print(f'{val["pictures"]} images, {val["labels"]} objects, {val["predictions"]} predictions; the whole report: {folder}/report.html')
assert val["pictures"] > 0 and val["labels"] > 0

# %% [markdown]
# ## 1. The headline, and how sure it is
#
# mAP50 asks whether objects are found (overlap of .5), mAP averages over overlaps from .5 to .95 and so asks how exactly they are framed. Two definitions are in use: COCO's and the official YOLOv7's; they differ by a little and are labelled.
# The interval comes from drawing the test images anew: how far the number may lie off for other images of the same kind. Two models are not compared by it, but by
# the interval of their difference (chapter 8).

# %%
table(["metric", "mAP50", "mAP"], [("COCO", f'{val["coco"]["map50"]:.3f}', f'{val["coco"]["map"]:.3f}'), ("official", f'{val["official"]["map50"]:.3f}', f'{val["official"]["map"]:.3f}')])
for name in ("map50", "map"):
    one = val["bootstrap"][name]
    print(f'{name}: {one["value"]:.3f}, 95 % interval {one["low"]:.3f} to {one["high"]:.3f}')
    assert one["low"] <= one["value"] <= one["high"]

# %% [markdown]
# ## 2. Which class, and at which threshold
#
# Precision: how many of the boxes are right. Recall: how many of the objects are found. Each confidence threshold is another pair of the two; F1 is largest at one of them, which is seldom .25 and differs from class to class.
# A curve that falls early has confident false boxes; one that ends early has objects that are never found.

# %%
thresholds = {one["name"]: one for one in val["thresholds"]["by_class"]}
table(["class", "objects", "AP50", "best threshold", "precision there", "recall there"],
      [(one["name"], one["targets"], f'{one["coco"]["ap50"]:.3f}', f'{thresholds[one["name"]]["confidence"]:.2f}', f'{thresholds[one["name"]]["precision"]:.2f}', f'{thresholds[one["name"]]["recall"]:.2f}') for one in val["per_class"]])
show(folder / "PR_curve.png", folder / "F1_curve.png", width=420)
assert all(0 <= one["precision"] <= 1 and 0 <= one["recall"] <= 1 for one in thresholds.values())

# %% [markdown]
# ## 3. What is taken for what
#
# At a confidence of .25. Rows are what was predicted, columns what was there. The last row holds objects that were missed, the last column boxes where nothing was. A bright field off the diagonal is a pair of classes to look at: are the labels consistent?

# %%
show(folder / "confusion_matrix.png", width=520)
rows = [line.split(",") for line in (folder / "confusion_matrix.csv").read_text().splitlines()]
counts = [[float(word or 0) for word in row[1:]] for row in rows[1:]]
print(f"{sum(counts[-1]):.0f} objects missed, {sum(row[-1] for row in counts):.0f} boxes where nothing is")
assert len(counts) == len(val["per_class"]) + 1 or len(counts) >= 2

# %% [markdown]
# ## 4. Which errors cost most
#
# How much mAP50 would rise if all errors of one kind were gone: wrong class (Cls), badly placed (Loc), both, found twice (Dupe), background taken for an object (Bkg), missed (Miss). Loc asks for a larger input or better boxes in the labels; Bkg for
# more images without objects; Miss for more examples, a larger input or a lower threshold.

# %%
kinds = val["errors"]["types"]
bars("points of mAP50, of 100, that each kind of error costs", {name: one["dap"] for name, one in kinds.items()})
table(["kind", "how many"], [(name, one["errors"]) for name, one in kinds.items()])
worst = max(kinds, key=lambda name: kinds[name]["dap"])
print("most is lost by", worst)
assert set(kinds) == {"Cls", "Loc", "Both", "Dupe", "Bkg", "Miss"}

# %% [markdown]
# ## 5. Which objects are missed
#
# Recall by size, shape and neighbours. Where the small ones are missed, a larger `--img-size` or tiles help; where the crowded ones are, another suppression (`docs/recipes/crowds.md`).

# %%
table(["property", "", "objects", "recall", "recall above the best threshold"], [(one["property"], one["value"], one["objects"], f'{one["recall50"]:.2f}', f'{one["recall50_above_best_threshold"]:.2f}') for one in val["breakdown"] if one["objects"]])
assert all(one["recall50"] >= one["recall50_above_best_threshold"] - 1e-9 for one in val["breakdown"] if one["objects"])

# %% [markdown]
# ## 6. Is a score a probability?
#
# Of boxes with a score of .8, are eight of ten right? The expected calibration error is the mean distance of the two. A detector may have a high mAP and scores that are far from probabilities. Look here before you fix a threshold.

# %%
calibration = val["calibration"]
curves("precision of the boxes over their score", {"found": [(one["mean_score"], one["precision"]) for one in calibration["bins"] if one["detections"]], "perfect": [(0, 0), (1, 1)]}, "score")
print(f'expected calibration error {calibration["expected_error"]:.3f} over {calibration["detections"]} boxes')
assert 0 <= calibration["expected_error"] <= 1

# %% [markdown]
# ## 7. Look at the worst images
#
# Numbers say how many errors there are; images show why. Sometimes the label is wrong, not the detector: `yolov7 dataset check --predictions` ranks the labels that a detector speaks against.

# %%
if (folder / "worst_pictures.jpg").exists():
    show(folder / "worst_pictures.jpg", width=800)
else:
    show(folder / "test_batch0_pred.jpg", width=800)

# %% [markdown]
# ## 8. Is it better than the one before?
#
# Two models are compared on the same draws of the same images, so a draw of easy images is easy for both. The interval of the *difference* decides; two separate intervals that overlap do not say that there is none. mAP50 and mAP may disagree: one model
# may find more, the other may frame better.

# %%
if earlier:
    compared = yolov7(f"compare {earlier} {WEIGHTS} --data {DATA} --split test --img-size {SIZE}")
    for name in ("map50", "map"):
        one = compared[name]
        print(f'{name}: difference {one["value"]:+.3f}, 95 % interval {one["low"]:+.3f} to {one["high"]:+.3f}: {one["verdict"]} (a: the earlier one, b: the later one)')
    bars("mAP50", {f"after {max(EPOCHS // 4, 1)} epochs": compared["a"]["map50"]["value"], "at the end": compared["b"]["map50"]["value"]})
    assert compared["map50"]["low"] <= compared["map50"]["value"] <= compared["map50"]["high"]
print(f"{time.time() - begin:.0f} s for all of it")
