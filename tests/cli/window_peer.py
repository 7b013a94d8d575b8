#!/usr/bin/env python3
"""`detect --view-img` on a real X server (Xvfb): its screen is read while the program runs, and shows the picture and a box.
Usage: window_peer.py PROGRAM. Exit code 77: skipped."""
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import time

try:
    import cv2
    import numpy as np
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
if shutil.which("Xvfb") is None:
    print("skipped: no Xvfb (scripts/setup installs it)")
    sys.exit(77)

program = os.path.abspath(sys.argv[1])
weights = pathlib.Path(program).parent.parent / "share/yolov7/weights/yolov7-tiny-synth.pt"


def screen(path):
    """An XWD dump: a header of big-endian words (size, version, format, depth, width, height, ..., bytes per line is the 13th), colours, pixels B G R x."""
    data = path.read_bytes()
    words = struct.unpack(">25I", data[:100])
    size, width, height, line, colours = words[0], words[4], words[5], words[12], words[19]
    pixels = np.frombuffer(data[size + 12 * colours:size + 12 * colours + line * height], np.uint8).reshape(height, line)[:, :4 * width]
    return pixels.reshape(height, width, 4)[:, :, :3]


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    # A left half of one colour and a right half of another, for a few seconds of video.
    picture = np.zeros((360, 640, 3), np.uint8)
    picture[:, :320], picture[:, 320:] = (200, 60, 20), (20, 160, 220)
    writer = cv2.VideoWriter(str(folder / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25, (640, 360))
    for _ in range(400):
        writer.write(picture)
    writer.release()
    read, write = os.pipe()
    server = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x720x24", "-fbdir", str(folder), "-nolisten", "tcp"], pass_fds=[write], stderr=subprocess.DEVNULL)
    try:
        display = ":" + os.read(read, 16).decode().strip()
        detect = subprocess.Popen([program, "detect", "--weights", str(weights), "--source", "a.avi", "--img-size", "320", "--nosave", "--view-img"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                  env=dict(os.environ, DISPLAY=display, WAYLAND_DISPLAY="", SDL_VIDEODRIVER="x11", XDG_CACHE_HOME=str(folder / "cache")))
        found, start = False, time.time()
        while not found and detect.poll() is None and time.time() - start < 60:
            time.sleep(0.05)
            shown = screen(folder / "Xvfb_screen0").astype(int)
            # JPEG and scaling change a colour by a few levels.
            found = all(np.abs(shown[360, x] - np.array(colour)).max() < 20 for x, colour in ((320, (200, 60, 20)), (960, (20, 160, 220))))
        out, err = detect.communicate(timeout=120)
        assert detect.returncode == 0, err.decode()[-2000:]
        assert found, "the picture was not on the screen"
    finally:
        server.terminate()
        server.wait()
print("the window shows the video")
