"""scripts/sbom on folders of the test: a library that stands in no line of the table is an error that names it, one of the table is listed with its SHA-256
and its notice, what is compiled in is named, and the project's own files are not listed. Usage: sbom_test.py"""
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parent.parent.parent
ELF = b"\x7fELF and more"


def sbom(folder, out):
    return subprocess.run([root / "scripts/sbom", folder, "--name", "box", "--version", "1.2", "--out", out / "sbom.json", "--notices", out / "notices"], capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "SOURCE_DATE_EPOCH": "86400"})


def put(folder, name, content=ELF):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


with tempfile.TemporaryDirectory() as name:
    folder, out = Path(name) / "package", Path(name) / "out"
    put(folder, "lib/libyolov7.so")
    put(folder, "lib/libpng16-0a0c6ccf.so.16.39.0", ELF + b"png")
    put(folder, "share/DejaVuSans.ttf", b"font")
    put(folder, "share/libpng16.txt", b"a text")
    put(folder, "notes.txt", b"nothing")
    (folder / "share/libpng16.txt").unlink()
    done = sbom(folder, out)
    assert done.returncode == 0, done.stderr
    said = json.loads((out / "sbom.json").read_text())
    assert said["metadata"]["timestamp"] == "1970-01-02T00:00:00Z" and said["metadata"]["component"]["version"] == "1.2", said["metadata"]
    parts = {one["name"]: one for one in said["components"]}
    assert sorted(parts) == ["dejavu-fonts", "libpng", "nlohmann-json"], sorted(parts)
    (file,) = parts["libpng"]["components"]
    assert file == {"type": "file", "name": "lib/libpng16-0a0c6ccf.so.16.39.0", "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(ELF + b"png").hexdigest()}]}, file
    assert parts["libpng"]["purl"].startswith("pkg:deb/debian/libpng16-16@1.6."), parts["libpng"]
    assert parts["nlohmann-json"]["description"] == "compiled into lib/libyolov7.so" and "components" not in parts["nlohmann-json"]
    assert sorted(one.name for one in (out / "notices").iterdir()) == ["dejavu-fonts.txt", "libpng.txt", "nlohmann-json.txt"]
    assert (out / "notices/dejavu-fonts.txt").read_text() == (root / "fonts/LICENSE.txt").read_text()

    put(folder, "lib/libstranger.so.1")
    done = sbom(folder, out)
    assert done.returncode == 1 and "lib/libstranger.so.1" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
print("a strange library is found, a known one listed")
