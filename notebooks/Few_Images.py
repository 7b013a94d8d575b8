# A detector from two dozen images. scripts/notebook makes the notebook of it.
# small: IMAGES=12 EPOCHS=4 SIZE=96

# %% [markdown]
# # A detector from few images
#
# Two dozen labelled images are enough to begin, if the training takes enough steps and does not begin with random numbers. This notebook trains the same images four times: by the official recipe, by the default one,
# from the start weights of the program, and with pasted objects. Every number is measured here.

# %% tags=["parameters"]
DATA = ""              # a data.yaml of yours; "" = drawn images
IMAGES = 24            # training images that are drawn
EPOCHS = 40
SIZE = 128             # side of the network's input in pixels
WORK = "few-images"    # folder for everything that is made
PROGRAM = "yolov7"     # the program, or its path

# %% part=start

# %% part=charts

# %% [markdown]
# ## 1. The images
#
# A small training split, and a larger one for measuring, so that differences can be seen at all.

# %%
if not DATA:
    yolov7(f"dataset synth --out {fresh('data')} --level easy --train {IMAGES} --val 40 --test 40 --img-size {SIZE} --seed 3")
    DATA = f"{work}/data/data.yaml"
check = yolov7(f"dataset check {DATA}", codes=(0, 1))
table(["class", "boxes in train"], [(one["name"], one["boxes"]) for one in check["splits"]["train"]["classes"]])
boxes = sum(one["boxes"] for one in check["splits"]["train"]["classes"])
print(f'{check["splits"]["train"]["pictures"]} images with {boxes} boxes')
assert boxes > 0

# %% [markdown]
# ## 2. More from the same images: pasted objects
#
# `dataset synth --from` cuts objects out of the training images and pastes them into others, the rare classes first. The boxes are exact, and val and test stay as they are.

# %%
pasted = yolov7(f"dataset synth --from {DATA} --out {fresh('pasted')} --balance {boxes} --share 0.5 --seed 1")
made = [path for path in sorted((work / "pasted/images/train").iterdir()) if "paste" in path.name]
outlined([(path, labels_of(path)) for path in made[:6]], width=150)
again = yolov7(f"dataset check {work}/pasted/data.yaml", codes=(0, 1))["splits"]
print(f'{again["train"]["pictures"]} training images now; {again["test"]["pictures"]} test images as before')
assert again["train"]["pictures"] > check["splits"]["train"]["pictures"] and again["test"]["pictures"] == check["splits"]["test"]["pictures"]

# %% [markdown]
# ## 3. Four trainings
#
# The official recipe collects gradients over 64 images and warms up for at least 1,000 steps: with so few images the whole training is shorter than the warm-up. The default takes small steps and many of them, with AdamW.

# %%
ways = {"official recipe, from scratch": (DATA, "--weights '' --recipe official"), "default, from scratch": (DATA, "--weights ''"), "default, from the start weights": (DATA, "--weights synth"),
        "the same, with pasted objects": (f"{work}/pasted/data.yaml", "--weights synth")}
runs = {}
for number, (name, (data, options)) in enumerate(ways.items()):
    shutil.rmtree(work / f"run-{number}", ignore_errors=True)
    runs[name] = yolov7(f"train --cfg yolov7-tiny.yaml {options} --data {data} --hyp hyp.scratch.tiny.yaml --img-size {SIZE} --batch-size 8 --epochs {EPOCHS} --project {work} --name run-{number} --seed 0")
assert all(run["epochs_done"] == EPOCHS for run in runs.values())

# %% [markdown]
# ## 4. What came of them
#
# The curves are of the val split, epoch by epoch; the table is of the test split, which nobody has looked at.

# %%
import csv

lines = {}
for name, run in runs.items():
    with open(pathlib.Path(run["run_folder"]) / "results.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lines[name] = [(number + 1, float(row["coco/mAP_0.5"])) for number, row in enumerate(rows)]
curves("mAP50 on val", lines, "epoch")

# %%
tests = {name: yolov7(f"val --weights {run['best']} --data {DATA} --task test --img-size {SIZE} --bootstrap 300 --project {work} --name val --exist-ok") for name, run in runs.items()}
table(["training", "mAP50 on test", "95 % interval", "mAP", "seconds of the epochs"],
      [(name, f'{one["coco"]["map50"]:.3f}', f'{one["bootstrap"]["map50"]["low"]:.3f} to {one["bootstrap"]["map50"]["high"]:.3f}', f'{one["coco"]["map"]:.3f}', f'{runs[name]["seconds"]:.0f}') for name, one in tests.items()])
map50 = {name: one["coco"]["map50"] for name, one in tests.items()}
bars("mAP50 on test", map50)
if EPOCHS >= 40:
    assert map50["default, from the start weights"] > map50["official recipe, from scratch"] + 0.1

# %% [markdown]
# ## 5. What to do next
#
# Label more, but the right ones: `yolov7 active select` chooses them (`docs/active.md`). `docs/small-data.md` has measurements on 60 blood-cell images with three seeds.

# %%
worst = min(tests["default, from the start weights"]["per_class"], key=lambda one: one["coco"]["ap50"])
print(f'the class to label next: {worst["name"]}, AP50 {worst["coco"]["ap50"]:.3f} with {worst["targets"]} objects in the test split')
print(f"{time.time() - begin:.0f} s for all of it")
