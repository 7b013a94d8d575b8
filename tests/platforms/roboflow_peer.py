"""The official package records the scenario again: the fixture of the daily test is what it asks, and this program asks the same.
Usage: roboflow_peer.py PROGRAM. Exit code 77: skipped (scripts/setup --platforms installs the package)."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent)]
from peer_checks import Checks  # noqa: E402
from roboflow_scenario import compare, run_scenario  # noqa: E402

python = pathlib.Path(os.environ.get("YOLOV7_ROBOFLOW_PYTHON", here.parent.parent / ".deps/roboflow/bin/python"))
if not python.exists():
    print(f"skipped: no {python} (scripts/setup --platforms installs the official package)")
    sys.exit(77)
recorded = subprocess.run([python, here / "roboflow_package.py"], capture_output=True, text=True, timeout=300)
if recorded.returncode != 0:
    sys.exit("the official package failed:\n" + recorded.stderr[-2000:])
theirs = json.loads(recorded.stdout)
if len(sys.argv) > 2:
    pathlib.Path(sys.argv[2]).write_text(recorded.stdout)
check = Checks()
check("the fixture is what the package asks", json.loads((here / "roboflow_requests.json").read_text()), theirs)
with tempfile.TemporaryDirectory() as folder:
    compare(check, theirs, run_scenario(sys.argv[1], folder))
check.end("the same requests")
