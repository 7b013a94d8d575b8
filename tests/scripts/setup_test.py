#!/usr/bin/env python3
"""scripts/setup with stand-ins for Debian's and Python's installers: nothing that broke off counts as installed."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
sys.dont_write_bytecode = True
from peer_checks import Checks  # noqa: E402

PROGRAMS = {"dpkg-query": "printf installed\n",
            "python3": 'case $1 in\n  -m) mkdir -p "$3/bin" && cp "$PIP" "$3/bin/pip" ;;\n  -c) echo 3.11 ;;\nesac\n'}
# Half of the packages lie there, as on a full disk, or all.
PIP = 'while [ $# -gt 0 ]; do\n  [ "$1" != --target ] || mkdir -p "$2/torch"\n  shift\ndone\nexit "$PIP_CODE"\n'
check = Checks()


def write_program(path, text):
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(0o755)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    tree, programs = folder / "a tree", folder / "programs"
    (tree / "scripts").mkdir(parents=True)
    programs.mkdir()
    for one in ("setup", "packages.txt", "wheels.txt"):
        shutil.copy(ROOT / "scripts" / one, tree / "scripts" / one)
    for one, text in PROGRAMS.items():
        write_program(programs / one, text)
    write_program(folder / "pip", PIP)

    def setup(pip_code):
        environment = dict(os.environ, PATH=f"{programs}{os.pathsep}{os.environ['PATH']}", PIP=str(folder / "pip"), PIP_CODE=str(pip_code))
        return subprocess.run(["bash", tree / "scripts/setup", "--no-peers"], env=environment, capture_output=True, text=True)

    done = setup(1)
    check("pip fails: exit code", done.returncode, 1)
    check("pip fails: the last line says it", done.stderr.splitlines()[-1].startswith("setup: the wheels could not be installed"), True)
    check("pip fails: no folder of wheels", (tree / ".deps/wheels").exists(), False)
    done = setup(0)
    check("the next call installs: exit code", done.returncode, 0)
    check("the next call installs: what pip made", (tree / ".deps/wheels/torch").is_dir() and (tree / ".deps/wheels/.complete").is_file(), True)
check.end("what broke off does not count as installed")
