# Ten minutes with a set of one's own. scripts/notebook makes the notebook of it.
# small: EPOCHS=4 IMAGES=40 SIZE=96

# %% [markdown]
# # Your data in ten minutes
#
# From a folder of annotated images to a detector that is measured and runs elsewhere. Set `SOURCE` to a folder of yours, in any of 27 formats (Pascal VOC, COCO, CVAT, LabelMe, YOLO, …); without one, the program draws
# images and writes them as Pascal VOC.

# %% tags=["parameters"]
SOURCE = ""            # folder with your images and annotations; "" = drawn ones
EPOCHS = 30
IMAGES = 160           # that are drawn where SOURCE is empty
SIZE = 160             # side of the network's input in pixels
WORK = "ten-minutes"   # folder for everything that is made
PROGRAM = "yolov7"     # the program, or its path

# %% part=start

# %% part=charts

# %% [markdown]
# ## 1. Bring it in
#
# `dataset convert` finds the format by itself, counts what comes in and what goes out, and names each box that it drops, with the reason. One box of the drawn set is spoilt on purpose: its right side lies left of its left side.

# %%
if not SOURCE:
    yolov7(f"dataset synth --out {fresh('drawn')} --level easy --train {IMAGES} --val 1 --test 0 --img-size {SIZE} --seed 5")
    yolov7(f"dataset convert --source {work}/drawn --to voc --out {fresh('yours')}")
    SOURCE = f"{work}/yours"
    label = next(path for path in sorted(work.glob("yours/**/*.xml")) if "<object>" in path.read_text())
    head, box = label.read_text().split("<xmax>", 1)
    label.write_text(head + "<xmax>0" + box[box.index("<"):])

converted = yolov7(f"dataset convert --source {SOURCE} --to yolo --out {fresh('data')}")
table(["", "in", "out", "dropped"], [(what, *(converted[what][count] for count in ("in", "out", "dropped"))) for what in ("pictures", "boxes")])
for one in converted["dropped"]:
    print(f'{one["file"]}: {one["reason"]}')
assert converted["boxes"]["in"] == converted["boxes"]["out"] + converted["boxes"]["dropped"]

# %% [markdown]
# ## 2. Split it and look it over
#
# `--together similarity` keeps near duplicates in one split. A training often fails because of its data set, so look before you train: at the numbers, and at the boxes.

# %%
split = yolov7(f"dataset split {work}/data/data.yaml --out {fresh('split')} --shares 70,15,15 --by stratified --together similarity")
check = yolov7(f"dataset check {work}/split/data.yaml --cfg yolov7-tiny --img-size {SIZE}", codes=(0, 1))
table(["split", "images", "boxes"], [(name, one["pictures"], one["boxes"]) for name, one in check["splits"].items()])
print(check["errors"], "errors,", check["warnings"], "warnings")
outlined([(work / "split" / name, labels_of(work / "split" / name)) for name in (work / "split/train.txt").read_text().split("\n")[:6]], width=150)
assert sum(one["pictures"] for one in check["splits"].values()) == converted["pictures"]["out"]

# %% [markdown]
# ## 3. Train
#
# yolov7-tiny begins with weights that belong to the program. With few images the program takes more and smaller steps than the official recipe, and says so.

# %%
shutil.rmtree(work / "train", ignore_errors=True)
trained = yolov7(f"train --cfg yolov7-tiny.yaml --weights synth --data {work}/split/data.yaml --hyp hyp.scratch.tiny.yaml --img-size {SIZE} --batch-size 16 --epochs {EPOCHS} --project {work} --name train")
best = trained["best"]
show(work / "train/results.png", width=900)
assert trained["epochs_done"] == EPOCHS

# %% [markdown]
# ## 4. Measure
#
# On images that neither the training nor the choice of the best epoch has seen. A small split gives an uncertain number: the interval says how uncertain.

# %%
val = yolov7(f"val --weights {best} --data {work}/split/data.yaml --task test --img-size {SIZE} --bootstrap 500 --project {work} --name val --exist-ok")
interval = val["bootstrap"]["map50"]
# The interval is moved so that its middle is unbiased, and may reach beyond 1.
print(f'mAP50 {val["coco"]["map50"]:.3f}, with 95 % certainty between {interval["low"]:.3f} and {min(interval["high"], 1):.3f} for images like these {val["pictures"]}')
bars("AP50 of each class", {one["name"]: max(one["coco"]["ap50"], 0) for one in val["per_class"]})
show(pathlib.Path(val["folder"]) / "test_batch0_pred.jpg", width=700)
assert interval["low"] <= val["coco"]["map50"] <= interval["high"]

# %% [markdown]
# ## 5. Detect, and take it elsewhere
#
# The exported file is compared with the weights before it gets its name. It finds the same boxes.

# %%
shutil.rmtree(work / "photos", ignore_errors=True)
(work / "photos").mkdir()
for name in (work / "split/test.txt").read_text().split("\n")[:8]:
    if name:
        shutil.copy(work / "split" / name, work / "photos")
exported = yolov7(f"export --weights {best} --include onnx --img-size {SIZE} --out {work}/exported")["files"][0]
first, second = (yolov7(f"detect --weights {weights} --source {work}/photos --img-size {SIZE} --conf-thres 0.3 --project {work} --name detect --exist-ok") for weights in (best, exported["path"]))
print(f'{first["objects"]} objects by the weights, {second["objects"]} by {pathlib.Path(exported["path"]).name}; {second["frames_per_second"]:.0f} images a second')
show(*sorted((work / "detect").glob("*.*g"))[:4], width=200)
assert exported["verdict"] == "equal" and first["objects"] == second["objects"]

# %%
print(f"{time.time() - begin:.0f} s for all of it")
