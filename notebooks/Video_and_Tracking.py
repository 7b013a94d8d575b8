# Objects followed over a video. scripts/notebook makes the notebook of it.
# small: IMAGES=40 EPOCHS=10 FRAMES=40

# %% [markdown]
# # Video and tracking
#
# A detector looks at each frame alone. Tracking gives an object the same number from frame to frame, so that things can be counted. Here shapes move along known paths, so that every track can be measured: how many objects are missed, and how often
# a number jumps from one object to another.

# %% tags=["parameters"]
FRAMES = 90            # of the video
MOVING = 7             # objects in it
IMAGES = 80            # training images
EPOCHS = 20
SIZE = 128             # side of the training images in pixels
WORK = "tracking"      # folder for everything that is made
PROGRAM = "yolov7"     # the program, or its path

# %% part=start

# %% part=charts

# %% part=shapes

# %% [markdown]
# ## 1. A video whose truth is known
#
# Shapes cross the frame at constant speed and turn round at its borders. Where two meet, one hides the other. Every twenty frames the light fails for three of them, and nothing can be seen. The truth is written in the form of MOTChallenge:
# frame, number, left, top, width, height; in the dark there are no rows.

# %%
WIDTH, HEIGHT = 256, 192
rng = random.Random(11)
fresh("frames")
moving = [(kind, x, y, side, rng.uniform(-4, 4), rng.uniform(-3, 3)) for kind, x, y, side in spread(WIDTH, HEIGHT, MOVING, (18, 30), rng)]


def there_and_back(start, speed, frame, low, high):
    way = (start - low + speed * frame) % (2 * (high - low))
    return low + min(way, 2 * (high - low) - way)


frames, truth, ways = [], [], {}
for frame in range(FRAMES):
    objects, dark = [], frame % 20 in (12, 13, 14)
    for number, (kind, x, y, side, across, down) in enumerate(moving, 1):
        x, y = there_and_back(x, across, frame, side / 2, WIDTH - side / 2), there_and_back(y, down, frame, side / 2, HEIGHT - side / 2)
        objects.append((kind, x, y, side))
        ways.setdefault(number, []).append((x, y))
        if not dark:
            truth.append(f"{frame + 1},{number},{x - side / 2:.2f},{y - side / 2:.2f},{side:.2f},{side:.2f}")
    frames.append([bytearray(b"\x07" * WIDTH)] * HEIGHT if dark else drawn(WIDTH, HEIGHT, objects, rng))
    write_png(work / "frames" / f"{frame + 1:04}.png", frames[-1])
(work / "truth.txt").write_text("\n".join(truth) + "\n")


def write_gif(path, frames, hundredths):
    """An animation without compression: a code that empties the table stands before every six pixels, so that codes keep their width of four bits."""
    out = [b"GIF89a", struct.pack("<HHBBB", WIDTH, HEIGHT, 0xF2, 0, 0), bytes(sum(PALETTE, ())), b"!\xff\x0bNETSCAPE2.0\3\1\0\0\0"]
    for rows in frames:
        pixels = b"".join(bytes(row) for row in rows)
        codes = b"".join(b"\x08" + pixels[i:i + 6] for i in range(0, len(pixels), 6)) + b"\x09"
        codes += b"\0" * (len(codes) % 2)
        data = bytes(low | high << 4 for low, high in zip(codes[::2], codes[1::2]))
        blocks = b"".join(bytes([len(data[i:i + 255])]) + data[i:i + 255] for i in range(0, len(data), 255))
        out.append(b"!\xf9\4\0" + struct.pack("<H", hundredths) + b"\0\0," + struct.pack("<HHHHB", 0, 0, WIDTH, HEIGHT, 0) + b"\3" + blocks + b"\0")
    path.write_bytes(b"".join(out) + b";")


write_gif(work / "moving.gif", frames, 8)
print(f"{FRAMES} frames with {MOVING} objects, {FRAMES - len(truth) // MOVING} of the frames are dark")
show(work / "moving.gif", width=512)
assert 0 < len(truth) < FRAMES * MOVING

# %% [markdown]
# ## 2. A detector for it
#
# Trained on still images of the same kind. A tracker cannot find what the detector does not see.

# %%
data = write_set(fresh("stills"), {"train": IMAGES, "val": max(IMAGES // 4, 8)}, SIZE, 5, (18, 30))
shutil.rmtree(work / "train", ignore_errors=True)
trained = yolov7(f"train --cfg yolov7-tiny.yaml --weights synth --data {data} --hyp hyp.scratch.tiny.yaml --img-size {SIZE} --batch-size 8 --epochs {EPOCHS} --project {work} --name train")
print(f'mAP50 on val {trained["coco_map50"]:.3f}')
look = f"--weights {trained['best']} --img-size {WIDTH} --conf-thres 0.3 --project {work} --exist-ok"
assert trained["epochs_done"] == EPOCHS

# %% [markdown]
# ## 3. Track
#
# `--track` is ByteTrack: boxes with a high score begin tracks, those with a lower one may continue them, and an object that is hidden is remembered for `--track-buffer` frames. A folder of images is taken as the frames of a video, in the order of
# their names. MOTA counts misses, false boxes and jumps of a number; IDF1 asks how long an object keeps its one number.

# %%
results, tracks = {}, {}
for name, buffer in [("forgets at once", 0), ("remembers 30 frames", 30)]:
    found = yolov7(f"detect --source {work}/frames --track --track-buffer {buffer} --save-txt --name buffer-{buffer} {look}")
    file = next((work / f"buffer-{buffer}" / "tracks").glob("*.txt"))
    results[name] = yolov7(f"metrics --ground-truth {work}/truth.txt --detections {file}")["tracking"]
    tracks[name] = {}
    for line in file.read_text().split():
        frame, number, left, top, width, height, *_ = map(float, line.split(","))
        tracks[name].setdefault(int(number), []).append((left + width / 2, top + height / 2))
table(["", f"numbers for {MOVING} objects", "MOTA", "IDF1", "misses", "false boxes", "jumps"],
      [(name, len(tracks[name]), f'{one["mota"]:.3f}', f'{one["idf1"]:.3f}', one["misses"], one["false_positives"], one["switches"]) for name, one in results.items()])
print(f"{found['frames_per_second']:.0f} frames a second with drawing and saving")
show(*(work / "buffer-30" / f"{number:04}.png" for number in (1, FRAMES // 2, FRAMES)), width=256)
assert results["remembers 30 frames"]["objects"] == len(truth)
if IMAGES >= 80 and EPOCHS >= 20:
    assert results["remembers 30 frames"]["mota"] > 0.7 and len(tracks["remembers 30 frames"]) < len(tracks["forgets at once"])

# %% [markdown]
# ## 4. Count
#
# A track is a number and a list of boxes, so counting is arithmetic: how many objects were there, and how often did a centre pass the middle of the frame? A tracker that forgets at once counts each object again after the dark.

# %%
def crossings(ways):
    return sum((a[0] < WIDTH / 2) != (b[0] < WIDTH / 2) for way in ways.values() for a, b in zip(way, way[1:]))


lines = [f'<polyline fill="none" stroke="{COLOURS[i % len(COLOURS)]}" stroke-width="1.5" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in way)}"/>' for i, way in enumerate(tracks["remembers 30 frames"].values())]
display(SVG(f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{2 * HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"><rect width="100%" height="100%" fill="#f4f4ee"/><path d="M{WIDTH / 2} 0V{HEIGHT}" stroke="#888" stroke-dasharray="4"/>{"".join(lines)}</svg>'))
bars("objects counted", {"true": MOVING, **{name: len(one) for name, one in tracks.items()}}, "{:.0f}")
bars("crossings of the middle line", {"true": crossings(ways), **{name: crossings(one) for name, one in tracks.items()}}, "{:.0f}")
assert crossings(ways) > 0

# %% [markdown]
# ## 5. The same from a video file
#
# A video, a camera (`--source 0`) or a stream (`--source rtsp://…`) goes the same way, where the program has its video library. The boxes do not depend on it.

# %%
parts = yolov7("doctor")["parts"]
if next((part["found"] for part in parts if part["name"] == "video"), False):
    film = yolov7(f"detect --source {work}/moving.gif --track --save-csv --name film {look}")
    print(f'{film["frames"]} frames, {film["objects"]} boxes; from the images {found["objects"]}')
    print("annotated video:", *(path.name for path in (work / "film").iterdir() if path.suffix in (".mp4", ".gif")))
    assert film["frames"] == FRAMES and film["objects"] == found["objects"]
print(f"{time.time() - begin:.0f} s for all of it")
