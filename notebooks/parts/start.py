# What all notebooks begin with: the program found or installed, and three ways to show a result.
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import time

if "google.colab" in sys.modules and shutil.which(PROGRAM) is None:
    if wheels := os.environ.get("YOLOV7_WHEELS"):  # addresses of the two wheels of docs/python.md, with a space between them
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *wheels.split()], check=True)
    else:
        address = os.environ["YOLOV7_GIT"]  # of the repository
        subprocess.run(["git", "clone", "--depth", "1", address, "yolov7.cpp"], check=True)
        subprocess.run(["scripts/setup", "--no-peers"], cwd="yolov7.cpp", check=True)
        subprocess.run(["scripts/build", "release", "yolov7-program", "yolov7-training", "yolov7-video"], cwd="yolov7.cpp", check=True)
        PROGRAM = str(pathlib.Path("yolov7.cpp/build/release/bin/yolov7").resolve())

import base64

from IPython.display import HTML, SVG, Markdown, display

begin = time.time()
work = pathlib.Path(WORK)
work.mkdir(parents=True, exist_ok=True)


def fresh(name):
    """A path in the work folder where nothing is left of an earlier run of this notebook."""
    path = work / name
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return path


def yolov7(line, codes=(0,)):
    """Shows a command, runs it, and gives what it says with --json."""
    since = time.time()
    done = subprocess.run([PROGRAM, *shlex.split(line), "--json", "--quiet"], capture_output=True, text=True)
    print(f"$ yolov7 {line}   # {time.time() - since:.1f} s")
    if done.stderr:
        print(done.stderr.rstrip())
    assert done.returncode in codes, f"exit code {done.returncode}"
    return json.loads(done.stdout) if done.stdout.strip() else None


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    display(Markdown("\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in lines)))


def show(*paths, width=300):
    """Images side by side, inside the page."""
    display(HTML(" ".join(f'<img style="display:inline; margin:2px" width="{width}" {source_of(path)}>' for path in paths)))


def source_of(path):
    path = pathlib.Path(path)
    kind = {".png": "png", ".gif": "gif", ".svg": "svg+xml"}.get(path.suffix, "jpeg")
    return f'alt="{path.name}" src="data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"'


print(subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True).stdout)
