#!/usr/bin/env python3
"""The manual pages as groff reads them: no warning, and every option of --help all. Usage: man_pages.py PROGRAM"""
import os
import re
import shutil
import subprocess
import sys
import tempfile


def said(*command):
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        sys.exit(f"{command}: exit code {done.returncode}: {done.stderr}")
    return done.stdout


def rendered(path):
    """The text of a page. Any warning of groff is a failure."""
    done = subprocess.run(["groff", "-Kutf8", "-Tutf8", "-P-c", "-rLL=200n", "-man", "-ww", path], capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0 or done.stderr:
        sys.exit(f"{os.path.basename(path)}: {done.stderr}")
    text = re.sub(r".\x08", "", done.stdout)  # bold and underlined by overstriking
    return re.sub("[\u2010\u2212]", "-", text)


def main(program):
    verbs = re.findall(r"^\| \[yolov7 ([^\]]+)\]", said(program, "--help", "markdown"), re.M)
    if shutil.which("groff") is None:
        print("skipped: groff is not installed (scripts/setup)")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        said(program, "man", "--out", folder)
        pages = {name: rendered(os.path.join(folder, name)) for name in sorted(os.listdir(folder))}
        first = pages.pop("yolov7.1")
        wanted = {"yolov7-" + verb.replace(" ", "-") + ".1": verb for verb in verbs}
        if set(wanted) != set(pages):
            sys.exit(f"expected a page for each verb, found {sorted(set(wanted) ^ set(pages))}")
        for variable in ("NO_COLOR", "XDG_CACHE_HOME", "YOLOV7_STORE", "YOLOV7_CREDENTIALS", "YOLOV7_SERVER_KEY", "ROBOFLOW_API_KEY", "CVAT_PASSWORD", "MLFLOW_TRACKING_TOKEN"):
            if not re.search(rf"^ENVIRONMENT$.*^ .*\b{variable}\b", first, re.M | re.S):
                sys.exit(f"yolov7.1: expected {variable}, found none")
        options = 0
        for name, verb in wanted.items():
            page, table = pages[name], said(program, *verb.split(), "--help", "all")
            if name[:-2] + "(1)" not in first:
                sys.exit(f"yolov7.1: expected {name}, found none")
            for title in ("NAME", "SYNOPSIS", "OPTIONS", "EXAMPLES", "EXIT STATUS"):
                if not re.search(rf"^{title}$", page, re.M):
                    sys.exit(f"{name}: expected the section {title}, found none")
            for option in re.findall(r"^  (--[A-Za-z0-9_-]+)", table, re.M):
                options += 1
                if not re.search(rf"^ +{re.escape(option)}\b", page, re.M):
                    sys.exit(f"{name}: expected {option}, found none")
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                if said(program, "man", *verb.split()) != file.read():
                    sys.exit(f"{name}: `yolov7 man {verb}` prints another page")
    print(f"{len(pages) + 1} pages, {options} options")


main(sys.argv[1])
