#!/usr/bin/env python3
"""Annotated videos next to OpenCV's own reader and writer: a video that OpenCV wrote is detected on, and OpenCV reads what
came out: as many frames, at the same rate and size, the boxes drawn around what is there, the numbers of the tracks in the
tables. Once from a file, once from standard input, once over HTTP, once as a stream.

Usage: video_peer.py PROGRAM
"""
import csv
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

try:
    import cv2
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

program = os.path.abspath(sys.argv[1])
root = pathlib.Path(program).resolve().parent.parent
weights = root / "share/yolov7/weights/yolov7-tiny-synth.pt"
FRAMES, RATE = 24, 12.5


def run(folder, *arguments, source=None, expect=0, messages=False):
    done = subprocess.run([program, "detect", "--weights", str(weights), "--project", str(folder / "runs"), "--exist-ok", "--img-size", "320", *map(str, arguments)],
                          input=source, capture_output=True, env=dict(os.environ, XDG_CACHE_HOME=str(folder / "cache")), cwd=folder)
    assert done.returncode == expect, f"{arguments}: exit {done.returncode}\n{done.stdout.decode()[-2000:]}\n{done.stderr.decode()[-2000:]}"
    return (done.stderr if messages else done.stdout).decode()


def pictures(folder):
    subprocess.run([program, "dataset", "synth", "--out", str(folder / "synth"), "--level", "easy", "--train", "1", "--val", "1", "--test", "1", "--img-size", "320"], check=True, capture_output=True)
    path = next(p for p in sorted((folder / "synth").rglob("train/*")) if p.suffix in (".jpg", ".png"))
    return cv2.resize(cv2.imread(str(path)), (320, 240))


def write(path, still, code):
    """The still picture, two pixels to the right in each frame."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), RATE, (320, 240))
    assert writer.isOpened(), code
    for i in range(FRAMES):
        writer.write(np.roll(still, 2 * i, axis=1))
    writer.release()


def read(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = capture.read()
        if not there:
            break
        frames.append(frame)
    return frames, capture.get(cv2.CAP_PROP_FPS)


def check_video(folder, name, original):
    frames, rate = read(folder / "runs/exp" / name)
    assert len(frames) == FRAMES, f"{name}: {len(frames)} frames"
    assert abs(rate - RATE) < 0.01, f"{name}: {rate} frames/s"
    before, _ = read(original)
    changed = []
    for frame, old in zip(frames, before):
        assert frame.shape == (240, 320, 3), frame.shape
        difference = np.abs(frame.astype(int) - old.astype(int)).max(axis=2)
        changed.append(float((difference > 60).mean()))
    # Boxes and captions, and the codec's own losses, which stay far below 60 levels.
    assert 0.002 < np.median(changed) < 0.5, f"{name}: {np.median(changed):.4f} of the pixels changed"


class Server(threading.Thread):
    def __init__(self, folder):
        super().__init__(daemon=True)
        handler = lambda *a, **k: http.server.SimpleHTTPRequestHandler(*a, directory=str(folder), **k)
        http.server.SimpleHTTPRequestHandler.log_message = lambda *a: None
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.port = self.server.server_address[1]

    def run(self):
        self.server.serve_forever()


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        still = pictures(folder)
        for file, code in (("a.mp4", "mp4v"), ("b.avi", "MJPG")):
            write(folder / file, still, code)
            out = run(folder, "--source", file, "--track", "--save-csv", "--save-txt", "--conf-thres", 0.1)
            assert f"video 1/1 (1/{FRAMES}) {file}: 240x320" in out, out
            check_video(folder, pathlib.Path(file).stem + ".mp4", folder / file)
            rows = list(csv.DictReader(open(folder / "runs/exp/detections.csv")))
            assert {int(r["frame"]) for r in rows} == set(range(1, FRAMES + 1)), "every frame has an object"
            last = [r for r in rows if int(r["frame"]) == FRAMES][0]
            assert abs(float(last["seconds"]) - (FRAMES - 1) / RATE) < 0.002, last
            # One object that drifts keeps its number.
            longest = max(sum(r["track"] == t for r in rows) for t in {r["track"] for r in rows})
            assert longest >= FRAMES - 2, f"the longest track has {longest} frames"
            assert (folder / f"runs/exp/labels/{pathlib.Path(file).stem}_{FRAMES}.txt").exists()

        run(folder, "--source", "a.mp4", "--vid-stride", 4)
        frames, rate = read(folder / "runs/exp/a.mp4")
        assert len(frames) == FRAMES // 4 and abs(rate - RATE / 4) < 0.01, (len(frames), rate)

        # Standard input: a video in a container that needs no seeking, and one picture.
        run(folder, "--source", "-", source=(folder / "b.avi").read_bytes())
        check_video(folder, "stdin.mp4", folder / "b.avi")
        encoded = cv2.imencode(".jpg", still)[1].tobytes()
        result = json.loads(run(folder, "--source", "-", "--nosave", "--json", source=encoded))
        assert result["frames"] == 1, result["frames"]

        server = Server(folder)
        server.start()
        address = f"http://127.0.0.1:{server.port}"
        run(folder, "--source", f"{address}/a.mp4")
        check_video(folder, f"http___127.0.0.1_{server.port}_a.mp4.mp4", folder / "a.mp4")
        # As a stream (no suffix): read again and again; its counters add up.
        (folder / "live").write_bytes((folder / "a.mp4").read_bytes())
        result = json.loads(run(folder, "--source", f"http://user:secret@127.0.0.1:{server.port}/live", "--max-frames", 3, "--json"))
        assert "secret" not in json.dumps(result)
        stream = result["streams"][0]
        assert result["frames"] == 3 and stream["delivered"] == 3, stream
        assert stream["received"] >= 3 and stream["connections"] >= 1, stream
        video, _ = read(folder / f"runs/exp/http___127.0.0.1_{server.port}_live.mp4")
        assert len(video) >= 3, len(video)

        # Two cameras behind one address have tracks of their own, although messages leave out the query.
        (folder / "cameras.txt").write_text("".join(f"{address}/live?camera={n}\n" for n in (1, 2)))
        out = run(folder, "--source", "cameras.txt", "--nosave", "--track", "--save-txt", "--conf-thres", 0.1, "--max-frames", 3)
        numbers = [{line.split(",")[1] for line in path.read_text().splitlines()} for path in sorted((folder / "runs/exp/tracks").glob("http*_live*.txt"))]
        assert len(numbers) == 2 and all(numbers), numbers
        assert f"{len(numbers[0]) + len(numbers[1])} tracks\n" in out, (numbers, out)
        said = run(folder, "--source", f"{address}/live", "--nosave", "--max-frames", 1, "--vid-stride", 2, messages=True)
        assert "--vid-stride has no effect on cameras and streams" in said, said

        # What cannot be read is named, the rest is done.
        (folder / "bad.mp4").write_text("no video")
        (folder / "list.txt").write_text("bad.mp4\na.mp4\n")
        result = json.loads(run(folder, "--source", "list.txt", "--nosave", "--json", expect=1))
        assert result["frames"] == FRAMES and len(result["unreadable"]) == 1 and "bad.mp4" in result["unreadable"][0]["error"], result["unreadable"]
        said = run(folder, "--source", "list.txt", "--nosave", expect=1, messages=True)
        assert "1 of 2 images or videos could not be read" in said, said
        print("videos from a file, standard input, HTTP and a stream: frames, rate, size and tracks are right")


main()
