#!/usr/bin/env python3
"""Images that Pillow writes and the video library reads: AVIF in all eight orientations, JPEG 2000, TGA, PPM and GIF come out
of detect as Pillow sees them, and dataset check takes them. An annotated video of a variable rate lasts as long as its source.

Usage: images_peer.py PROGRAM
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from PIL import Image, ImageOps, features
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

program = os.path.abspath(sys.argv[1])
weights = pathlib.Path(program).resolve().parent.parent / "share/yolov7/weights/yolov7-tiny-synth.pt"


def pixels(path):
    with Image.open(path) as image:
        image.load()
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB")).astype(int)


def write(folder):
    # Smooth, so that JPEG and AVIF lose little; no two corners alike.
    image = np.zeros((96, 160, 3), np.uint8)
    image[:, :, 0] = np.linspace(0, 255, 160)
    image[:, :, 1] = np.linspace(255, 0, 96)[:, None]
    image = Image.fromarray(image)
    for name in ("a.jp2", "b.tga", "c.ppm", "d.jfif"):
        image.save(folder / name, format="JPEG" if name.endswith("jfif") else None)
    if not features.check("avif"):
        return
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x112] = orientation
        image.save(folder / f"e{orientation}.avif", quality=95, exif=exif)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        images = folder / "set/images/train"
        labels = folder / "set/labels/train"
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        write(images)
        names = sorted(p.name for p in images.iterdir())
        environment = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"))
        done = subprocess.run([program, "detect", "--weights", weights, "--source", images, "--img-size", "160", "--conf-thres", "0.99", "--project", folder / "runs", "--json"],
                              capture_output=True, env=environment)
        assert done.returncode == 0, done.stderr.decode()
        result = json.loads(done.stdout)
        assert [pathlib.Path(p["path"]).name for p in result["pictures"]] == names, result["pictures"]
        for one in names:
            ours = folder / "runs/exp" / (one if one.endswith("jfif") else one + ".jpg")
            mine, theirs = pixels(ours), pixels(images / one)
            assert mine.shape == theirs.shape, (one, mine.shape, theirs.shape)
            # A JPEG of ours, and two decoders' ways of making colours of AVIF's.
            assert np.abs(mine - theirs).mean() < 4, (one, np.abs(mine - theirs).mean())

        # A GIF is its first image in a data set, a video for detect.
        frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "blue", "lime")]
        frames[0].save(images / "g.gif", save_all=True, append_images=frames[1:], duration=[100, 900, 100])
        for one in [*names, "g.gif"]:
            (labels / one).with_suffix(".txt").write_text("0 .5 .5 .5 .5\n")
        (folder / "set/data.yaml").write_text("train: images/train\nval: images/train\nnc: 1\nnames: [thing]\n")
        done = subprocess.run([program, "dataset", "check", "--data", folder / "set/data.yaml", "--json"], capture_output=True, env=environment)
        assert done.returncode == 0, done.stderr.decode()
        train = json.loads(done.stdout)["splits"]["train"]
        assert train["pictures"] == len(names) + 1 and train["unread"] == 0 and train["orphan_labels"] == 0, train

        done = subprocess.run([program, "detect", "--weights", weights, "--source", images / "g.gif", "--img-size", "64", "--project", folder / "runs", "--name", "gif", "--json"],
                              capture_output=True, env=environment)
        assert done.returncode == 0, done.stderr.decode()
        seconds = [p["seconds"] for p in json.loads(done.stdout)["pictures"]]
        assert np.allclose(seconds, [0, 0.1, 1.0], atol=0.02), seconds
        import cv2
        capture = cv2.VideoCapture(str(folder / "runs/gif/g.mp4"))
        times = []
        while capture.read()[0]:
            times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        assert np.allclose(times, [0, 0.1, 1.0], atol=0.02), times
        print(f"{len(names)} images are those that Pillow sees; a GIF is an image and a video, and keeps its times")


main()
