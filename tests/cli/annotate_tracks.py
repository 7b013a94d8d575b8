#!/usr/bin/env python3
"""Tracks of `yolov7 annotate` fill what a teacher missed, and nothing else. The frames are drawn here, so each box is known; the
teacher is a server of the Open Inference Protocol that finds colours and leaves objects out in frames that the test names. Python's
standard library alone; a video besides where OpenCV is.

Usage: annotate_tracks.py PROGRAM
"""
import http.server
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from peer_checks import Checks

program = os.path.abspath(sys.argv[1])
check = Checks()
WIDTH, HEIGHT, FRAMES, CUT = 320, 256, 80, 60
COLOURS = {0: (255, 0, 0), 1: (0, 0, 255)}  # red moves evenly, blue on a curve
# Frames in which the teacher does not see an object: short gaps, one over the cut, and one that is too long.
MISSED = {0: {10, 11} | set(range(20, 25)) | {58, 59, 60, 61}, 1: set(range(30, 35)) | set(range(40, 54)) | {70}}
SHORT = {(0, frame) for frame in [10, 11, *range(20, 25)]} | {(1, frame) for frame in [*range(30, 35), 70]}


def truth(kind, frame):
    """x1, y1, x2, y2"""
    if kind == 0:
        x, y, w, h = 10 + 3 * frame, 60 + frame / 2, 30 + frame / 4, 24
    else:
        x, y, w, h = 240 - 2 * frame, 150 + 12 * math.sin(frame / 10), 36, 36
    return [round(x), round(y), round(x + w), round(y + h)]


def pixels(frame):
    """Rows of R G B. Eight squares at the top tell the number of the frame."""
    ground = (90, 140, 90) if frame < CUT else (210, 200, 150)
    rows = [[ground] * WIDTH for _ in range(HEIGHT)]
    for kind, colour in COLOURS.items():
        x1, y1, x2, y2 = truth(kind, frame)
        for y in range(y1, y2):
            rows[y][x1:x2] = [colour] * (x2 - x1)
    for bit in range(8):
        shade = (255, 255, 255) if frame >> bit & 1 else (0, 0, 0)
        for y in range(16):
            rows[y][16 * bit:16 * bit + 16] = [shade] * 16
    return rows


def write_bmp(path, rows):
    body = b"".join(bytes(value for r, g, b in row for value in (b, g, r)) for row in reversed(rows))
    head = struct.pack("<2sIHHI", b"BM", 54 + len(body), 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 24, 0, len(body), 2835, 2835, 0, 0)
    path.write_bytes(head + body)


def boxes_in(planes):
    """What the teacher finds: [x1, y1, x2, y2, score, class]."""
    size = WIDTH * HEIGHT
    red, green, blue = planes[:size], planes[size:2 * size], planes[2 * size:]
    frame = sum((green[8 * WIDTH + 16 * bit + 8] > 128) << bit for bit in range(8))
    found = []
    for kind, (strong, weak) in {0: (red, blue), 1: (blue, red)}.items():
        if frame in MISSED[kind]:
            continue
        there = [i for i in range(20 * WIDTH, size) if strong[i] > 180 and weak[i] < 90 and green[i] < 90]
        xs, ys = [i % WIDTH for i in there], [i // WIDTH for i in there]
        found.append([min(xs), min(ys), max(xs) + 1, max(ys) + 1, 0.9, kind])
    return found


class Teacher(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, told):
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/v2":
            return self.answer({"extensions": ["binary_tensor_data"]})
        self.answer({"parameters": {"layout": "nms6", "names": "{0: 'red', 1: 'blue'}"}, "inputs": [{"name": "i", "datatype": "UINT8", "shape": [1, 3, HEIGHT, WIDTH]}],
                     "outputs": [{"name": "o", "datatype": "FP32", "shape": [1, -1, 6]}]})

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        found = boxes_in(body[int(self.headers["Inference-Header-Content-Length"]):])
        self.answer({"outputs": [{"name": "o", "datatype": "FP32", "shape": [1, len(found), 6], "data": found}]})


def iou(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inside = max(w, 0) * max(h, 0)
    return inside / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inside)


def annotate(out, *more, source, expect=0):
    done = subprocess.run([program, "annotate", "--teacher", address, "--source", source, "--conf", "0.5", "--img-size", "320", "--out", folder / out, "--json",
                           *map(str, more)], capture_output=True, text=True, cwd=folder, env=dict(os.environ, XDG_CACHE_HOME=str(folder / "cache")))
    assert done.returncode == expect, f"{more}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return json.loads(done.stdout) if expect == 0 else done.stderr


def frame_of(name):
    return int(pathlib.Path(name).stem.split("_")[-1])


def filled_in(coco, first=0):
    """(class, frame) -> box of those that are marked; `first`: number of the first frame."""
    names = {one["id"]: one["file_name"] for one in coco["images"]}
    return {(one["category_id"] - 1, frame_of(names[one["image_id"]]) - first): [*one["bbox"][:2], one["bbox"][0] + one["bbox"][2], one["bbox"][1] + one["bbox"][3]]
            for one in coco["annotations"] if one.get("attributes", {}).get("interpolated")}


def compare(what, filled, expected):
    check(f"{what}: which boxes", sorted(filled), sorted(expected))
    overlaps = [iou(box, truth(*key)) for key, box in filled.items()]
    check(f"{what}: IoU with the truth {min(overlaps):.3f} to {max(overlaps):.3f}, mean {sum(overlaps) / len(overlaps):.3f}", min(overlaps) > 0.75, True)


def doubtful_by_default(source):
    report = annotate("a", "--sequence", source=source)
    tracks = report["tracks"]
    check("videos and scenes", (tracks["videos"], tracks["scenes"]), (1, 2))
    check("filled", (tracks["filled_boxes"], tracks["filled_gaps"], tracks["gaps_too_long"]), (len(SHORT), 4, 1))
    check("not promised", (tracks["precision_promised"], tracks["filled_boxes_are"]), (False, "doubtful"))
    check("doubtful images", report["images"]["doubtful"], len({frame for _, frame in SHORT}))
    check("written boxes", report["written_boxes"], sum(1 for f in range(FRAMES) for k in COLOURS if f not in MISSED[k] and f not in {frame for _, frame in SHORT}))
    compare("review.json", filled_in(json.loads((folder / "a/review.json").read_text())), SHORT)
    check("review.txt", {frame_of(line) for line in (folder / "a/review.txt").read_text().split()}, {frame for _, frame in SHORT})


def as_labels(source):
    report = annotate("b", "--sequence", "--gap-boxes", "labels", "--to", "coco", source=source)
    check("nothing is doubtful", report["images"]["doubtful"], 0)
    coco = json.loads(next((folder / "b/set").rglob("*.json")).read_text())
    compare("set as COCO", filled_in(coco), SHORT)
    marked = [one for one in coco["annotations"] if one["attributes"].get("interpolated")]
    check("marks", {(one["attributes"]["origin"], "threshold" in one["attributes"], "score" in one, one["attributes"]["keyframe"]) for one in marked}, {("machine", False, False, False)})
    annotate("c", "--sequence", "--gap-boxes", "labels", "--to", "cvat-video", source=source)
    tree = xml.etree.ElementTree.parse(next((folder / "c/set").rglob("*.xml")))
    tracks = [t for t in tree.iter("track")]
    # Two objects, each of two scenes.
    check("tracks of CVAT", sorted(t.get("label") for t in tracks), ["blue", "blue", "red", "red"])
    check("boxes between key frames", sum(box.get("keyframe") == "0" for t in tracks for box in t.iter("box")), len(SHORT))


def other_lengths(source):
    tracks = annotate("d", "--sequence", "--max-gap", "14", source=source)["tracks"]
    check("--max-gap 14", (tracks["filled_boxes"], tracks["gaps_too_long"]), (len(SHORT) + 14, 0))
    check("--max-gap 0", annotate("e", "--sequence", "--max-gap", "0", source=source)["tracks"]["filled_boxes"], 0)
    check("images are no frames unless they are said to be", "tracks" in annotate("f", source=source), False)
    check("--max-gap without frames", "--sequence" in annotate("g", "--max-gap", "3", source=source, expect=2), True)


def a_video(frames):
    try:
        import cv2
        import numpy
    except ImportError as missing:
        print(f"without a video: {missing}")
        return
    path = folder / "film.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 25, (WIDTH, HEIGHT))
    for rows in frames:
        writer.write(numpy.array(rows, numpy.uint8)[:, :, ::-1].copy())
    writer.release()
    report = annotate("h", "--gap-boxes", "labels", "--to", "coco", source=path)
    check("video: frames", report["images"]["looked_at"], FRAMES)
    check("video: images", len(list((folder / "h/frames/film").iterdir())), FRAMES)
    coco = json.loads(next((folder / "h/set").rglob("*.json")).read_text())
    compare("video", filled_in(coco, first=1), SHORT)
    check("nothing is left beside", sorted(p.name for p in folder.iterdir() if p.name.startswith(".h")), [])
    half = annotate("i", "--vid-stride", "2", source=path)
    check("every second frame", half["images"]["looked_at"], FRAMES // 2)
    paths = (folder / "i/review.txt").read_text().split()
    check("paths that are there", paths != [] and all(pathlib.Path(p).is_file() for p in paths), True)


with tempfile.TemporaryDirectory() as scratch:
    folder = pathlib.Path(scratch)
    (folder / "frames").mkdir()
    drawn = [pixels(frame) for frame in range(FRAMES)]
    for number, rows in enumerate(drawn):
        write_bmp(folder / "frames" / f"f_{number}.bmp", rows)  # f_10 is behind f_9
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Teacher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/v2/models/colours"
    doubtful_by_default(folder / "frames")
    as_labels(folder / "frames")
    other_lengths(folder / "frames")
    a_video(drawn)
    server.shutdown()
check.end("tracks fill what was missed, and nothing else")
