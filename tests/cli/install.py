#!/usr/bin/env python3
"""What `cmake --install` leaves in an empty folder, and that the program runs from there. Usage: install.py CMAKE BUILD_FOLDER"""
import os
import subprocess
import sys
import tempfile

FILES = ["bin/yolov7", "lib/libyolov7.so", "share/yolov7/weights/yolov7-tiny-synth.pt", "share/yolov7/fonts/DejaVuSans.ttf",
         "share/doc/yolov7/LICENSE", "share/bash-completion/completions/yolov7", "share/zsh/site-functions/_yolov7",
         "share/fish/vendor_completions.d/yolov7.fish", "share/man/man1/yolov7.1", "share/man/man1/yolov7-dataset-check.1"]


def said(*command):
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode != 0:
        sys.exit(f"{command}: exit code {done.returncode}: {done.stderr}")
    return done.stdout


def main(cmake, build):
    with tempfile.TemporaryDirectory() as prefix:
        said(cmake, "--install", build, "--prefix", prefix)
        for name in FILES:
            if not os.path.isfile(os.path.join(prefix, name)):
                sys.exit(f"{name}: expected a file, found none")
        program = os.path.join(prefix, "bin/yolov7")
        library = [line.split()[2] for line in said("ldd", program).splitlines() if "libyolov7.so" in line]
        if [os.path.realpath(one) for one in library] != [os.path.realpath(os.path.join(prefix, "lib/libyolov7.so"))]:
            sys.exit(f"expected the installed library, found {library}")
        with open(os.path.join(prefix, FILES[5]), encoding="utf-8") as file:
            if file.read() != said(program, "completion", "bash"):
                sys.exit("the installed completion is not the program's")
        if " layers, " not in said(program, "info", "--weights", os.path.join(prefix, FILES[2])):
            sys.exit("info: expected the layers of a network")
        print(f"{sum(len(files) for _, _, files in os.walk(prefix))} files installed")


main(sys.argv[1], sys.argv[2])
