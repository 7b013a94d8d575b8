"""The scenario by the official package: its requests as JSON on standard output. Usage: roboflow_package.py (in an environment with
roboflow 1.7.3)."""
import contextlib
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import roboflow_service as rf  # noqa: E402
from recording_server import RecordingServer  # noqa: E402

service = rf.Service()
server = RecordingServer(service)
service.address = lambda: server.address
os.environ["API_URL"] = server.address
records = {}
with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(sys.stderr):
    import roboflow
    os.chdir(name)
    source = rf.write_source("source")
    project = roboflow.Roboflow(api_key=rf.KEY).workspace("ws").project("proj")
    project.version(1).download("yolov7", location="out")
    records["download"] = server.take()

    def upload(**options):
        for split, image in (("train", "train/a b"), ("train", "train/empty"), ("valid", "val/c")):
            project.upload(f"source/images/{image}.png", annotation_path=f"source/labels/{image}.txt", annotation_labelmap={0: "cat", 1: "dog"}, split=split, num_retry_uploads=3, **options)
    service.fail = 2
    upload(batch_name="my batch", tag_names=["t1", "t 2"])
    records["upload"] = server.take()
    service.uploads = service.fail = 0
    upload(batch_name="other", is_prediction=True)
    records["predictions"] = server.take()
    project.generate_version(rf.SETTINGS)
    records["generate"] = server.take()
    project.health()
    records["health"] = server.take()
json.dump(records, sys.stdout, indent=1)
