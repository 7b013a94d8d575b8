#!/usr/bin/env python3
"""The notebook "Label with Label Studio" against a real server. Exit code 77: skipped (scripts/setup --platforms installs the server, --docs what runs notebooks).
Usage: label_studio_notebook.py FOLDER"""
import os
import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here.parent), str(here)]
sys.dont_write_bytecode = True
from label_studio_scenario import TOKEN  # noqa: E402
from label_studio_server import LabelStudioServer  # noqa: E402

root = here.parent.parent
python = pathlib.Path(os.environ.get("YOLOV7_LABEL_STUDIO_PYTHON", root / ".deps/label-studio/bin/python"))
if not python.exists():
    print(f"skipped: no {python} (scripts/setup --platforms installs Label Studio)")
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    server = LabelStudioServer(python, folder).start()
    try:
        command = [sys.executable, root / "scripts/notebook", "--run", sys.argv[1], "--only", "Label_with_Label_Studio", "--small", f"SERVER={server.address}", "WORK=labelling-server"]
        code = subprocess.run(command, env={**os.environ, "LABEL_STUDIO_API_KEY": TOKEN}, check=False).returncode
    finally:
        server.kill()
sys.exit(code)
