# Small objects in large images. scripts/notebook makes the notebook of it.
# small: IMAGES=40 EPOCHS=10 WIDTH=640 HEIGHT=480 OBJECTS=40

# %% [markdown]
# # Small objects in large images
#
# An object of 12 px in an image of 1,600 px has 1 px left when the image is shrunk to 128 px: no network sees it, whatever it has learnt. This notebook shows the two ways out, a larger input and looking at parts, and what each costs.
# The images are drawn by a cell, so every box is known.

# %% tags=["parameters"]
WIDTH, HEIGHT = 1600, 1200  # of the large images
OBJECTS = 250               # in each of them
IMAGES = 80                 # small training images
EPOCHS = 20
SIZE = 128                  # side of the network's input in training, and of a tile
WORK = "small-objects"      # folder for everything that is made
PROGRAM = "yolov7"          # the program, or its path

# %% part=start

# %% part=charts

# %% part=shapes

# %% [markdown]
# ## 1. Large images, small objects

# %%
rng = random.Random(7)
fresh("large")
truth = {"images": [], "annotations": [], "categories": [{"id": kind, "name": name} for kind, name in enumerate(KINDS)]}
for number in range(1, 5):
    objects = spread(WIDTH, HEIGHT, OBJECTS, (9, 16), rng)
    write_png(work / "large" / f"{number}.png", drawn(WIDTH, HEIGHT, objects, rng))
    truth["images"].append({"id": number, "width": WIDTH, "height": HEIGHT, "file_name": f"{number}.png"})
    truth["annotations"] += [{"id": len(truth["annotations"]) + i + 1, "image_id": number, "category_id": kind, "bbox": [x - side / 2, y - side / 2, side, side], "area": side * side, "iscrowd": 0}
                             for i, (kind, x, y, side) in enumerate(objects)]
(work / "truth.json").write_text(json.dumps(truth))
print(f'{len(truth["images"])} images of {WIDTH} x {HEIGHT} px with {len(truth["annotations"])} objects of 9 to 16 px')
show(work / "large/1.png", width=700)
assert len(truth["annotations"]) >= 4 * OBJECTS * 0.9

# %% [markdown]
# ## 2. Train at the scale at which you look
#
# What will be looked at in tiles of 128 px is trained on images of 128 px, in which the objects have the size that they will have. From labelled large images `dataset version create --recipe` cuts such tiles with their boxes (`docs/versions.md`).
# `dataset check` tells which boxes no anchor of the network can take; training then searches better anchors by itself.

# %%
data = write_set(fresh("tiles"), {"train": IMAGES, "val": max(IMAGES // 4, 8)}, SIZE, 6, (9, 16))
check = yolov7(f"dataset check {data} --cfg yolov7-tiny --img-size {SIZE}", codes=(0, 1))
print("boxes that no anchor takes:", check["assignment"]["all"]["never"], "of", check["assignment"]["all"]["boxes"])
shutil.rmtree(work / "train", ignore_errors=True)
trained = yolov7(f"train --cfg yolov7-tiny.yaml --weights synth --data {data} --hyp hyp.scratch.tiny.yaml --img-size {SIZE} --batch-size 8 --epochs {EPOCHS} --project {work} --name train")
print(f'mAP50 on val {trained["coco_map50"]:.3f}')
show(work / "train/train_batch0.jpg", width=450)
assert trained["epochs_done"] == EPOCHS

# %% [markdown]
# ## 3. Three ways to look
#
# The same weights, the same images: shrunk to the size of training, at their full size, and in overlapping tiles besides the shrunk image. A box that the inner border of a tile cuts gives way to one that holds it.

# %%
ways = {"shrunk to the training size": f"--img-size {SIZE}", "whole, full size": f"--img-size {WIDTH}", "in tiles": f"--img-size {SIZE} --tile {SIZE} --tile-overlap 0.25"}
found, scores = {}, {}
for number, (name, options) in enumerate(ways.items()):
    found[name] = yolov7(f"detect --weights {trained['best']} --source {work}/large {options} --conf-thres 0.01 --max-det 2000 --save-json --project {work} --name look-{number} --exist-ok")
    # The numbers of categories are those of the classes, from 0, as in predictions.json.
    scores[name] = yolov7(f"metrics --ground-truth {work}/truth.json --detections {found[name]['run_folder']}/predictions.json --coco-max-dets 1 100 2000 --breakdown --out ''")
table(["way", "boxes", "mAP50", "mAP", "ms of an image", "peak memory, MB"],
      [(name, one["objects"], f'{scores[name]["coco"]["map50"]:.3f}', f'{scores[name]["coco"]["map"]:.3f}', f'{1000 / one["frames_per_second"]:.0f}', f'{one["peak_memory_bytes"] / 1e6:.0f}') for name, one in found.items()])
bars("mAP50", {name: max(one["coco"]["map50"], 0) for name, one in scores.items()})
assert all(one["detections_left_out"] == 0 for one in scores.values())
assert scores["in tiles"]["coco"]["map50"] > scores["shrunk to the training size"]["coco"]["map50"] + 0.3

# %% [markdown]
# Shrinking loses everything. The whole image and the tiles find nearly the same, because the objects have the same scale; overlap makes tiles slower. But the whole image needs memory for all of it at once, which grows
# with its area, and tiles only for a part at a time, so that an image of any size fits. (On images as small as those of the test of this notebook, what tiles need besides weighs more.)

# %%
corner = [box for box in found["in tiles"]["pictures"][0]["detections"] if box["score"] > 0.3 and box["xyxy"][2] < 320 and box["xyxy"][3] < 240]
print(f"{len(corner)} boxes in the upper left corner, 320 x 240 px:")
marks = "".join(f'<rect x="{b["xyxy"][0]}" y="{b["xyxy"][1]}" width="{b["xyxy"][2] - b["xyxy"][0]}" height="{b["xyxy"][3] - b["xyxy"][1]}" fill="none" stroke="{COLOURS[b["class"]]}" stroke-width="1.5"/>' for b in corner)
picture = base64.b64encode((work / "large/1.png").read_bytes()).decode()
display(SVG(f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="640" height="480" viewBox="0 0 320 240"><image xlink:href="data:image/png;base64,{picture}" width="{WIDTH}" height="{HEIGHT}"/>{marks}</svg>'))
assert corner
print(f"{time.time() - begin:.0f} s for all of it")
