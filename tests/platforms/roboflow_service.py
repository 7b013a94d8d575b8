"""Answers like Roboflow's API, as far as the official package asks (data-services C3). The scenario that the package and this program
both run, and the data that they send."""
import io
import pathlib
import struct
import zipfile
import zlib

from recording_server import answer_json

KEY = "rf-s3cret-key"


def png(width, height, colour):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes(colour) * width for _ in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def archive(entries=None):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        if entries is None:
            entries = [("data.yaml", "train: ../train/images\nval: ../valid/images\ntest: ../test/images\n\nnc: 2\nnames: ['cat', 'dog']\n\n"
                                     "roboflow:\n  workspace: ws\n  project: proj\n  version: 1\n  license: MIT\n  url: https://universe.roboflow.com/ws/proj/dataset/1\n")]
            for number, split in enumerate(("train", "train", "valid")):
                entries += [(f"{split}/images/x{number}.png", png(32, 16, (80 * number, 0, 0))), (f"{split}/labels/x{number}.txt", f"{number % 2} 0.5 0.5 0.25 0.5\n")]
            entries += [("README.dataset.txt", "d"), ("README.roboflow.txt", "r")]
        for name, content in entries:
            file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return data.getvalue()


VERSION = {"id": "ws/proj/1", "name": "first", "created": 1, "images": 3, "splits": {"train": 2, "valid": 1, "test": 0}, "preprocessing": {}, "augmentation": {}, "exports": []}
PROJECT = {"id": "ws/proj", "type": "object-detection", "name": "My Proj", "created": 1, "updated": 1, "images": 3, "unannotated": 0, "annotation": "things", "versions": 1, "public": False,
           "splits": {"train": 2, "valid": 1, "test": 0}, "colors": {}, "classes": {"cat": 2, "dog": 1}}


class Service:
    """fail: how many uploads get 500 first. A version is still generating at the first look; its export is made at the third."""

    def __init__(self, address=lambda: "", fail=0):
        self.address, self.fail = address, fail
        self.looks = self.exports = self.uploads = 0
        self.zip = archive()
        self.link = None  # instead of the own one

    def __call__(self, record, headers, body):
        path, query = record["path"], dict(record["query"])
        if path.startswith("/ds/"):
            return 200, {"Content-Type": "application/zip", "ETag": '"zip1"'}, self.zip
        if path == "/":  # the package asks it with the key in a form
            return answer_json({"welcome": "ok", "instructions": "", "docs": "", "workspace": "ws"})
        if query.get("api_key") != KEY:
            return answer_json({"error": {"message": f"no such key: {query.get('api_key')}", "type": "OAuthException"}}, 401)
        if path == "/ws":
            return answer_json({"workspace": {"name": "W", "url": "ws", "members": 1, "projects": [PROJECT]}})
        if path == "/ws/proj":
            return answer_json({"workspace": {"name": "W", "url": "ws"}, "project": PROJECT, "versions": [VERSION]})
        if path == "/ws/proj/1":
            self.looks += 1
            return answer_json({"workspace": {}, "project": {}, "version": {**VERSION, "generating": self.looks < 2, "progress": 0.5}})
        if path.startswith("/ws/proj/1/"):
            self.exports += 1
            if self.exports < 3:
                return answer_json({"progress": 0.3}, 202)
            return answer_json({"export": {"link": self.link or self.address() + "/ds/abc?key=zip-s3cret", "format": path.rsplit("/")[-1], "size": 1}, "version": {}, "progress": 1, "ready": True})
        if path == "/dataset/proj/upload":
            self.uploads += 1
            if self.uploads <= self.fail:
                return answer_json({"error": {"message": "boom", "type": "X"}}, 500)
            return answer_json({"success": True, "id": f"img{self.uploads - self.fail}"})
        if path.startswith("/dataset/proj/annotate/"):
            return answer_json({"success": True})
        if path == "/ws/proj/generate":
            return answer_json({"message": "ok", "version": "2"})
        if path == "/ws/proj/health":
            return answer_json({"stats": {"images": 3, "classes": {"cat": 2, "dog": 1}}})
        return answer_json({"error": {"message": f"no such thing {path}"}}, 404)


def write_source(folder):
    """The images and labels that are sent: two of the training set, one of validation, one of them without objects."""
    folder = pathlib.Path(folder)
    rows = {"train/a b.png": "0 0.5 0.5 0.25 0.5\n1 0.25 0.25 0.125 0.25\n", "train/empty.png": "", "val/c.png": "1 0.75 0.5 0.5 0.5\n"}
    for number, (name, text) in enumerate(rows.items()):
        image = folder / "images" / name
        image.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(png(32, 16, (0, 80 * number, 0)))
        label = (folder / "labels" / name).with_suffix(".txt")
        label.parent.mkdir(parents=True, exist_ok=True)
        label.write_text(text)
    (folder / "data.yaml").write_text("train: images/train\nval: images/val\nnc: 2\nnames: [cat, dog]\n")
    return folder


SETTINGS = {"preprocessing": {"auto-orient": True, "resize": {"width": 640, "height": 640, "format": "Stretch to"}}, "augmentation": {}}
