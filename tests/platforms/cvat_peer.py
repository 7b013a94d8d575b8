"""cvat-sdk takes the same steps against the same server again: the journal of the daily test is what it asks.
Usage: cvat_peer.py PROGRAM. Exit code 77: skipped (scripts/setup --platforms installs cvat-sdk)."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
python = pathlib.Path(os.environ.get("YOLOV7_CVAT_PYTHON", here.parent.parent / ".deps/cvat/bin/python"))
if not python.exists():
    print(f"skipped: no {python} (scripts/setup --platforms installs cvat-sdk)")
    sys.exit(77)
recorded = subprocess.run([python, here / "cvat_package.py"], capture_output=True, text=True, timeout=300)
if recorded.returncode != 0:
    sys.exit("cvat-sdk failed:\n" + recorded.stderr[-2000:])
if json.loads(recorded.stdout) != json.loads((here / "cvat_requests.json").read_text()):
    sys.exit("FAIL: cvat-sdk asks otherwise than cvat_requests.json says:\n" + recorded.stdout)
with tempfile.TemporaryDirectory() as folder:
    journal = pathlib.Path(folder) / "journal.json"
    journal.write_text(recorded.stdout)
    sys.exit(subprocess.run([sys.executable, here / "cvat_requests.py", sys.argv[1], journal]).returncode)
