"""A round of a labelling loop over CVAT and Roboflow, against the servers of the tests' own: killed at each place of the push and called
again, corrected as people would, pulled and merged. Usage: active_servers.py PROGRAM."""
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here.parent), str(here.parent / "platforms")]
import cvat_service  # noqa: E402
import roboflow_service as rf  # noqa: E402
from peer_checks import Checks  # noqa: E402
from recording_server import RecordingServer  # noqa: E402
from roboflow_scenario import environment  # noqa: E402

path = str(pathlib.Path(sys.argv[1]).resolve())
check = Checks()
SHADES = [60, 120]


class Loop:
    def __init__(self, folder, to, *more, **variables):
        self.folder, self.to, self.more = pathlib.Path(folder), to, more
        self.variables = environment(YOLOV7_STORE=str(self.folder / "store"), **variables)
        for number, split in enumerate(("train", "val")):
            for kind, content in (("images", rf.png(32, 16, (number, 0, 0))), ("labels", b"0 0.5 0.5 0.25 0.5\n")):
                place = self.folder / "set" / kind / split
                place.mkdir(parents=True)
                (place / (str(number) + (".png" if kind == "images" else ".txt"))).write_bytes(content)
        (self.folder / "set/data.yaml").write_text("train: images/train\nval: images/val\nnames: [cat, dog]\n")
        (self.folder / "chosen").mkdir()
        images, boxes = [], []
        for number, shade in enumerate(SHADES):
            file = self.folder / f"chosen/p{number}.png"
            file.write_bytes(rf.png(32, 16, (shade, shade, 0)))
            images.append({"id": number, "file_name": file.name, "width": 32, "height": 16})
            # A cat in pixels 8 … 24, 4 … 12, and a dog in 0 … 4, 0 … 4.
            boxes += [{"image_id": number, "category_id": 1, "bbox": [8, 4, 16, 8], "score": 0.9}, {"image_id": number, "category_id": 2, "bbox": [0, 0, 4, 4], "score": 0.4}]
        (self.folder / "chosen/predictions.json").write_text(json.dumps({"images": images, "annotations": boxes, "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]}))

    def call(self, part, *words, faults="", code=0):
        outcome = subprocess.run([path, "active", part, str(self.folder / "loop"), *words, "--json"], capture_output=True, text=True, timeout=240, env={**self.variables, "YOLOV7_FAILPOINTS": faults})
        if code is not None and outcome.returncode != code:
            raise SystemExit(f"FAIL: active {part}: expected exit code {code}, found {outcome.returncode}\n{outcome.stdout}{outcome.stderr}")
        return outcome

    def push(self):
        """Killed at one place after the other, at each several times, since a call may go on behind it."""
        words = ["--labelled", str(self.folder / "set/data.yaml"), "--from", str(self.folder / "chosen"), "--to", self.to, *self.more]
        kills = 0
        for number in (place for place in range(1, 100) for _ in range(4)):
            outcome = self.call("push", *words, faults=f"loop-kill={number}", code=None)
            if outcome.returncode == -signal.SIGKILL:
                kills += 1
            elif outcome.returncode == 0 or "was sent" in outcome.stderr:
                return kills
            else:
                raise SystemExit("FAIL: " + outcome.stderr)

    def labels(self):
        """Rows of the labelled set, of the images that the loop brought."""
        subprocess.run([path, "dataset", "version", "checkout", "set", "--out", str(self.folder / "final"), "--store", str(self.folder / "store")], check=True, capture_output=True)
        return {file.stem.split("_", 1)[1]: sorted([float(word) for word in line.split()] for line in file.read_text().splitlines()) for file in (self.folder / "final/labels/loop").glob("*.txt")}


EXPECTED = {"p0": [[0, 0.5, 0.5, 0.5, 0.5]], "p1": [[0, 0.0625, 0.125, 0.125, 0.25], [0, 0.5, 0.5, 0.5, 0.5]]}


def cvat(folder):
    service = cvat_service.Service()
    server = RecordingServer(service)
    service.address = lambda: server.address
    loop = Loop(folder, "cvat://" + server.address.split("://")[1] + "/cells", CVAT_ACCESS_TOKEN=cvat_service.TOKEN)
    check("CVAT: killed", loop.push() > 3, True)
    check("CVAT: one task with each image once", (service.made, len(service.images), service.task["name"]), (1, 2, "cells-round-001"))
    check("CVAT: the suggestions are its annotations", service.annotations.count(b"<box "), 4)
    account = json.loads(loop.call("pull").stdout)
    check("CVAT: it waits for the jobs", (account["waits"], account["notes"]), (True, ["0 of 1 jobs are completed"]))
    # A person removes the dog of the first image, makes a cat of the other, and completes the job.
    text = service.annotations.decode()
    parts = re.split(r"(?=<image )", text)
    parts[1] = re.sub(r'<box label="dog".*?</box>|<box label="dog"[^>]*/>', "", parts[1], flags=re.S)
    parts[2] = parts[2].replace('label="dog"', 'label="cat"')
    service.completed = 1
    # A line is no box: its image is not taken, neither with fewer boxes nor as an empty one.
    for kept in (parts[1], re.sub(r"<box .*?</box>|<box [^>]*/>", "", parts[1], flags=re.S)):
        line = kept.replace("</image>", '<polyline label="cat" source="manual" occluded="0" points="1,1;9,9" z_order="0"></polyline></image>')
        service.annotations = "".join([parts[0], line, *parts[2:]]).encode()
        account = json.loads(loop.call("pull").stdout)
        check("CVAT: an image with a line stays open", (account["waits"], account["answered"], account["open"]), (True, 1, 1))
        check("CVAT: and it is named", [("_p0.png is not taken and stays open: left out of it: 1 of" in one) for one in account["notes"]], [False, True])
    service.annotations = "".join(parts).encode()
    account = json.loads(loop.call("pull").stdout)
    edits = account["suggestions"]["by_class"]
    check("CVAT: what people changed", ([edits["cat"][k] for k in ("kept", "moved", "added")], [edits["dog"][k] for k in ("removed", "relabelled")]), ([2, 0, 0], [1, 1]))
    loop.call("merge")
    check("CVAT: every label", loop.labels(), EXPECTED)


def roboflow(folder):
    service = rf.Service()
    server = RecordingServer(service)
    service.address = lambda: server.address
    loop = Loop(folder, "roboflow://ws/proj", "--address", server.address, ROBOFLOW_API_KEY=rf.KEY)
    check("Roboflow: killed", loop.push() > 3, True)
    records = server.take()
    uploads = [part["file_name"] for one in records if one["path"] == "/dataset/proj/upload" for part in one["parts"] if part["name"] == "file"]
    check("Roboflow: each image once", (len(uploads), len(set(uploads))), (2, 2))
    annotations = [one for one in records if one["path"].startswith("/dataset/proj/annotate/")]
    check("Roboflow: suggestions are predictions", [dict(one["query"]).get("prediction") for one in annotations], ["true", "true"])
    at = ["--address", server.address]
    account = json.loads(loop.call("pull", *at).stdout)
    check("Roboflow: it waits for a version", account["waits"], True)
    rows = {"p0": "0 0.5 0.5 0.5 0.5\n", "p1": "0 0.5 0.5 0.5 0.5\n0 0.0625 0.125 0.125 0.25\n"}
    entries = [("data.yaml", "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: ['cat', 'dog']\n")]
    for name in uploads:  # the service writes them anew, larger, under names of its own
        stem = name.rsplit(".", 1)[0]
        entries += [(f"train/images/{stem}_png.rf.0a1b.png", rf.png(64, 64, (9, 9, 9))), (f"train/labels/{stem}_png.rf.0a1b.txt", rows[stem.split("_")[1]])]
    entries += [("valid/images/other.png", rf.png(64, 64, (1, 1, 1))), ("valid/labels/other.txt", "")]
    service.zip, service.looks, service.exports = rf.archive(entries), 0, 0
    # An augmented version has boxes at other places than the images that were sent.
    for part, step in (("augmentation", {"flip": {"horizontal": True}}), ("preprocessing", {"crop": {"x_min": 10}})):
        rf.VERSION[part] = step
        refused = loop.call("pull", *at, "--roboflow-version", "1", code=1)
        check(f"Roboflow: {part} is refused", f"found '{next(iter(step))}' ({part})" in refused.stderr, True)
        rf.VERSION[part] = {}
    account = json.loads(loop.call("pull", *at, "--roboflow-version", "1").stdout)
    edits = account["suggestions"]["by_class"]
    check("Roboflow: what people changed", ([edits["cat"][k] for k in ("kept", "moved", "added")], [edits["dog"][k] for k in ("removed", "relabelled")]), ([2, 0, 0], [1, 1]))
    check("Roboflow: images of others are left alone", (account["strangers"], account["answered"]), (1, 2))
    loop.call("merge")
    check("Roboflow: every label", loop.labels(), EXPECTED)


for scenario in (cvat, roboflow):
    with tempfile.TemporaryDirectory() as name:
        scenario(name)
check.end("both places have each task once, and the data set has every label")
