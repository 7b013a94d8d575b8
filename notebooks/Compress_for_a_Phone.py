# A smaller and faster network within a budget. scripts/notebook makes the notebook of it.
# small: IMAGES=40 EPOCHS=4 FURTHER=1 SIZE=96 SECONDS=0.3

# %% [markdown]
# # Compress a detector for a phone
#
# Three things make a network smaller and faster: fewer channels (pruning), 8-bit integers (quantization), and further training with the old network as teacher (distillation), which regains accuracy that pruning lost.
# `yolov7 compress` does all three, measures every result against one accuracy budget, and takes the fastest that keeps it, or says that none does.
#
# *Not shown here*: a phone. Times are of this machine; the file for the phone is compared with the weights, and `docs/export/android.md` and `ios.md` say how to run it there.

# %% tags=["parameters"]
DATA = ""              # a data.yaml of yours; "" = drawn images
IMAGES = 160
EPOCHS = 30            # of the network that is compressed
FURTHER = 15           # epochs in which a pruned network is trained further
SIZE = 128             # side of the network's input in pixels
BUDGET = 0.05          # mAP that may be lost
SECONDS = 1            # of measuring each candidate
WORK = "phone"         # folder for everything that is made
PROGRAM = "yolov7"     # the program, or its path

# %% part=start

# %% part=charts

# %% [markdown]
# ## 1. The network to compress

# %%
if not DATA:
    yolov7(f"dataset synth --out {fresh('data')} --level easy --train {IMAGES} --val {max(IMAGES // 3, 16)} --test {max(IMAGES // 3, 16)} --img-size {SIZE} --seed 4")
    DATA = f"{work}/data/data.yaml"
shutil.rmtree(work / "parent", ignore_errors=True)
parent = yolov7(f"train --cfg yolov7-tiny.yaml --weights synth --data {DATA} --hyp hyp.scratch.tiny.yaml --img-size {SIZE} --batch-size 16 --epochs {EPOCHS} --project {work} --name parent")
print(f'mAP50 {parent["coco_map50"]:.3f}, mAP {parent["coco_map"]:.3f} on val')
assert parent["epochs_done"] == EPOCHS

# %% [markdown]
# ## 2. Compress
#
# One pruned network whose time is *measured* to be 35 % shorter; each network in float32, bfloat16 (where the processor has it) and 8-bit integers. TensorFlow Lite is what phones run.

# %%
report = yolov7(f"compress --weights {parent['best']} --data {DATA} --img-size {SIZE} --target-time -35% --epochs {FURTHER} --epochs-share 1 --hyp hyp.scratch.tiny.yaml --batch-size 16"
                f" --accuracy-budget {BUDGET} --seconds {SECONDS} --include openvino tflite --out {fresh('smaller')}", codes=(0, 1))
measured = [one for one in report["candidates"] if "map" in one]
table(["network", "numbers", "mAP", "change", "95 % interval", "least ms", "MB", "budget"],
      [(one["network"], one["numbers"], f'{one["map"]["value"]:.3f}', f'{one["map_change"]["value"]:+.3f}', f'{one["map_change"]["low"]:+.3f} to {one["map_change"]["high"]:+.3f}', f'{one["latency_ms"]["least"]:.2f}',
        f'{one["bytes"] / 1e6:.1f}', "kept" if one["keeps_budget"] else "not kept") for one in measured])
print(report["reason"])
for one in report["candidates"]:
    if one["missing"]:
        print(one["network"], one["numbers"], "is not there:", one["missing"])
assert report["kept"] == (report["chosen"] is not None)

# %% [markdown]
# ## 3. The trade
#
# Left is faster, up is more accurate. A network below the line of the budget is not taken, however fast it is.

# %%
curves("mAP on val over the least time of one image", {f'{one["network"]}, {one["numbers"]}': [(one["latency_ms"]["least"], one["map"]["value"])] for one in measured}, "milliseconds", dots=True)
base = measured[0]
assert base["network"] == "parent" and base["numbers"] == "float32"
assert all(one["map_change"]["value"] >= -BUDGET for one in measured if one["keeps_budget"])
if report["kept"]:
    chosen = next(one for one in report["candidates"] if one.get("chosen"))
    print(f'{base["latency_ms"]["least"] / chosen["latency_ms"]["least"]:.2f} times as fast, {chosen["bytes"] / base["bytes"]:.2f} of the size')
    if report["held_out"]:
        other = report["held_out"]
        print(f'on the test split, which decided nothing: mAP {other["map"]:.3f}, before {other["parent_map"]:.3f}; change {other["map_change"]["low"]:+.3f} to {other["map_change"]["high"]:+.3f}')
    assert chosen["keeps_budget"] and chosen["latency_ms"]["least"] < base["latency_ms"]["least"]

# %% [markdown]
# ## 4. The file for the phone
#
# The 8-bit TensorFlow Lite file of a network that kept the budget; where none did, the float32 one, so that there is something to try.

# %%
files = sorted((work / "smaller").rglob("*.tflite"))
if not files:
    files = [pathlib.Path(yolov7(f"export --weights {parent['best']} --include tflite --img-size {SIZE} --out {work}/float32")["files"][0]["path"])]
table(["file", "MB"], [(path.relative_to(work), f"{path.stat().st_size / 1e6:.2f}") for path in files])
bars("megabytes", {"weights of the parent": pathlib.Path(parent["best"]).stat().st_size / 1e6, **{path.parent.parent.name + "/" + path.name: path.stat().st_size / 1e6 for path in files}})

# %% [markdown]
# ## 5. Look at what it finds

# %%
weights = report["chosen"]["file"] if report["kept"] else parent["best"]
seen = {name: yolov7(f"detect --weights {one} --source {pathlib.Path(DATA).parent}/images/test --img-size {SIZE} --conf-thres 0.3 --project {work} --name {name} --exist-ok") for name, one in [("before", parent["best"]), ("after", weights)]}
table(["", "objects"], [(name, one["objects"]) for name, one in seen.items()])
show(*sorted((work / "after").glob("*.*g"))[:4], width=200)
assert seen["after"]["frames"] == seen["before"]["frames"]
print(f"{time.time() - begin:.0f} s for all of it")
