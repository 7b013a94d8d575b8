"""The Containerfile, read: its base, its user, its entry point, the packages that it installs, and how scripts/containerfile-steps takes what is wrong.
scripts/check-packages does its steps. Usage: containerfile_test.py"""
import json
import re
import subprocess
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parent.parent.parent
steps = root / "scripts/containerfile-steps"


def read(text, *arguments):
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "Containerfile"
        file.write_text(text)
        return subprocess.run([steps, file, *arguments], capture_output=True, text=True)


image = json.loads(subprocess.run([steps, root / "packaging/Containerfile"], check=True, capture_output=True, text=True).stdout)
assert image["base"] == "debian:12-slim", image["base"]
assert image["user"] == "yolov7" and image["folder"] == "/work" and image["entry"] == ["/usr/bin/yolov7"], image
install, user = image["steps"]
assert install["user"] == "root" and install["mount"] == "/packages" and install["environment"]["PACKAGES"] == "yolov7", install
assert "--no-install-recommends" in install["command"] and "rm -rf /var/lib/apt/lists" in install["command"], install
assert "useradd" in user["command"], user
# The packages that it and its comments name are made.
made = set(re.findall(r'^    "([a-z0-9-]+)": \(\[', (root / "scripts/deb").read_text(), re.MULTILINE))
assert made == {"yolov7", "libyolov7-1", "libyolov7-dev", "yolov7-video", "yolov7-train"}, made
text = (root / "packaging/Containerfile").read_text()
named = set(re.findall(r"for name in ([a-z0-9-]+) \$PACKAGES", text)) | set(" ".join(re.findall(r'PACKAGES="([^"]*)"', text)).split())
assert named <= made and "libyolov7-1" in named, named

whole = "FROM a\nENTRYPOINT [\"/b\"]\n"
found = json.loads(read("# text\nFROM a\nENV X=1\nRUN one \\\n  two\nUSER u\nRUN three\nENTRYPOINT [\"/b\"]\nCMD [\"c\"]\n").stdout)
assert [(one["command"], one["user"], one["environment"]["X"]) for one in found["steps"]] == [("one   two", "root", "1"), ("three", "u", "1")], found
assert found["arguments"] == ["c"], found
for wrong, said in ((whole + "COPY a b\n", "found COPY"), ("FROM a\n", "no ENTRYPOINT"), ("ENTRYPOINT [\"/b\"]\n", "no FROM"), (whole + "RUN a \\\n", "backslash")):
    done = read(wrong)
    assert done.returncode == 1 and said in done.stderr and len(done.stderr.splitlines()) == 1, (wrong, done.stderr)
print("the Containerfile is as its comments say")
