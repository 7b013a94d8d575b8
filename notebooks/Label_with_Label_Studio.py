# A round of labelling with a detector's suggestions. scripts/notebook makes the notebook of it.
# small: IMAGES=24 EPOCHS=4 SIZE=96 BUDGET=6

# %% [markdown]
# # Label with Label Studio
#
# A detector that finds a part of the objects saves labelling: it suggests boxes, people correct them, and the corrected images train the next detector. `yolov7 active loop` does the whole round. With a server of Label Studio
# (`pip install label-studio && label-studio start`, nothing to sign up for) put `SERVER` at its address and its token into the environment as `LABEL_STUDIO_API_KEY`. Without one, a folder takes the server's place: the same calls, the same files.
#
# In both cases a cell of this notebook plays the person, so that it runs by itself: it leaves a suggested box where it fits well (an overlap of .8), and draws the true one where none does.

# %% tags=["parameters"]
SERVER = ""            # http://localhost:8080; "" = a folder in its place
BUDGET = 20            # images that people look at
IMAGES = 80            # that are drawn; a fifth is labelled already, the others are the pool
EPOCHS = 15
SIZE = 128             # side of the network's input in pixels
WORK = "labelling"     # folder for everything that is made
PROGRAM = "yolov7"     # the program, or its path

# %% part=start

# %% part=charts

# %% [markdown]
# ## 1. A few labelled images, many others
#
# The labels of the pool are put aside: only the "person" will see them.

# %%
yolov7(f"dataset synth --out {fresh('drawn')} --level easy --train {IMAGES} --val 8 --test 24 --img-size {SIZE} --seed 9")
fresh("pool").mkdir()
truth = {}
for image in sorted((work / "drawn/images/train").iterdir())[max(IMAGES // 5, 4):]:
    label = work / "drawn/labels/train" / f"{image.stem}.txt"
    truth[image.stem] = label.read_text()
    shutil.move(image, work / "pool" / image.name)
    label.unlink()
print(f"{IMAGES - len(truth)} images are labelled, {len(truth)} are not")
show(*sorted((work / "pool").iterdir())[:4], width=180)
assert len(truth) > BUDGET

# %% [markdown]
# ## 2. A first detector

# %%
shutil.rmtree(work / "first", ignore_errors=True)
common = f"--hyp hyp.scratch.tiny.yaml --batch-size 8 --epochs {EPOCHS}"
first = yolov7(f"train --cfg yolov7-tiny.yaml --weights synth --data {work}/drawn/data.yaml --img-size {SIZE} {common} --project {work} --name first")
before = yolov7(f"val --weights {first['best']} --data {work}/drawn/data.yaml --task test --img-size {SIZE} --project {work} --name before --exist-ok")
print(f'mAP50 on test {before["coco"]["map50"]:.3f} from {IMAGES - len(truth)} images')

# %% [markdown]
# ## 3. Choose, and send with suggestions
#
# The loop chooses what is worth looking at, sends these images with the detector's boxes, and ends with a line that says what it waits for. Called again, it goes on.

# %%
place = f"label-studio://{SERVER.split('://')[-1]}/shapes" if SERVER else fresh("people")
fresh("loop")
loop = (f"active loop {work}/loop --weights {first['best']} --source {work}/pool --labelled {work}/drawn/data.yaml --store {work}/store-{int(begin)} --to {place} --budget {BUDGET} --rounds 1 --img-size {SIZE} {common}")
waiting = yolov7(loop)
task_file = next((work / "loop").rglob("tasks/tasks.json"))
tasks = json.loads(task_file.read_text())
print(f'{len(tasks["tasks"])} images are sent with {sum(len(one["suggestions"]) for one in tasks["tasks"])} suggested boxes to {place}')
outlined([(next(task_file.parent.rglob(one["file"])), [(b["class"], *shares(*b["box"], one["width"], one["height"])) for b in one["suggestions"]]) for one in tasks["tasks"][:4]], width=180)
assert len(tasks["tasks"]) <= BUDGET

# %% [markdown]
# ## 4. People correct
#
# With a server: open the project "shapes" in the browser, look at each task, correct its boxes, *Submit*. Here the cell does it: by Label Studio's interface, or in the folder by label files and `done.txt`.

# %%
import urllib.request


def ask(method, path, body=None):
    headers = {"Authorization": "Token " + os.environ["LABEL_STUDIO_API_KEY"], "Content-Type": "application/json"}
    request = urllib.request.Request(SERVER + path, None if body is None else json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def overlap(a, b):
    wide, high = (min(a[i] + a[i + 2] / 2, b[i] + b[i + 2] / 2) - max(a[i] - a[i + 2] / 2, b[i] - b[i + 2] / 2) for i in (0, 1))
    both = max(wide, 0) * max(high, 0)
    return both / (a[2] * a[3] + b[2] * b[3] - both)


def corrected(task):
    suggested = [(one["class"], *shares(*one["box"], task["width"], task["height"])) for one in task["suggestions"]]
    return [next((one for one in suggested if one[0] == row[0] and overlap(one[1:], row[1:]) > 0.8), row) for row in rows_of(truth[pathlib.Path(task["origin"]).stem])]


if SERVER:
    project = next(one["id"] for one in ask("GET", "/api/projects/?page_size=100")["results"] if one["title"] == "shapes")
    by_key = {one["key"]: one for one in tasks["tasks"]}
    for sent in ask("GET", f"/api/tasks/?project={project}&fields=all&page_size=500")["tasks"]:
        task = by_key.get(sent["meta"]["yolov7"]["key"])
        if task is None or sent["total_annotations"]:
            continue
        regions = [{"id": f"r{i}", "type": "rectanglelabels", "from_name": "label", "to_name": "image", "original_width": task["width"], "original_height": task["height"], "image_rotation": 0,
                    "value": {"x": 100 * (x - w / 2), "y": 100 * (y - h / 2), "width": 100 * w, "height": 100 * h, "rotation": 0, "rectanglelabels": [tasks["classes"][kind]]}} for i, (kind, x, y, w, h) in enumerate(corrected(task))]
        further = {"parent_prediction": sent["predictions"][0]["id"]} if sent["predictions"] else {}
        ask("POST", f"/api/tasks/{sent['id']}/annotations/", {"result": regions, "lead_time": 1.0, **further})
else:
    room = next(pathlib.Path(place).glob("round-*"))
    for task in tasks["tasks"]:
        (room / "labels" / (pathlib.Path(task["file"]).stem + ".txt")).write_text("".join(f"{kind} {x:.6f} {y:.6f} {w:.6f} {h:.6f}\n" for kind, x, y, w, h in corrected(task)))
    (room / "done.txt").write_text("all\n")
print(f'{sum(len(corrected(task)) for task in tasks["tasks"])} boxes are there now')

# %% [markdown]
# ## 5. Take back, train, measure
#
# The same call again: it takes the answers, says what people changed, joins them with the labelled set as a new version, trains, and measures on the same test split.

# %%
after = yolov7(f"active loop {work}/loop")
round_ = yolov7(f"active status {work}/loop")["rounds"][0]
changed = round_["suggestions"]
table(["suggested boxes that were", ""], [(name, changed[name]) for name in ("kept", "moved", "relabelled", "removed", "added")])
print(f'{100 * changed["share_touched"]:.0f} % had to be touched; by the cost model {round_["cost"]["saved"]:.0f} of {round_["cost"]["by_hand"]:.0f} seconds are saved')
few = IMAGES - len(truth)
bars("mAP50 on test", {f"{few} labelled images": before["coco"]["map50"], f'{few + len(tasks["tasks"])} labelled images': round_["map50"]})
assert round_["answered"] == len(tasks["tasks"]) and round_["map50"] is not None

# %% [markdown]
# ## 6. By files alone
#
# Without a connection, use files: the program reads Label Studio's export and writes tasks with annotations for its import.

# %%
out = yolov7(f"dataset convert --source {work}/drawn --to label-studio --out {fresh('exchange')}")
back = yolov7(f"dataset convert --source {work}/exchange --to yolo --out {fresh('back')}")
print(f'{out["boxes"]["out"]} boxes written as Label Studio JSON, {back["boxes"]["out"]} read back')
assert out["boxes"]["out"] == back["boxes"]["out"] == back["boxes"]["in"]
print(f"{time.time() - begin:.0f} s for all of it")
