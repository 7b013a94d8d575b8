"""The Debian packages of a build folder: built twice with the same bytes, complete, without a way into the build folder, with what they depend on, and with a
manual page, completion and copyright file. scripts/check-packages installs them. Usage: deb_test.py BUILD_FOLDER. Exit code 77: skipped."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parent.parent.parent
build = Path(sys.argv[1]).resolve()
if any(shutil.which(one) is None for one in ("dpkg-deb", "dpkg-shlibdeps")):
    print("skipped: no dpkg-deb or dpkg-shlibdeps (apt-get install dpkg-dev)")
    sys.exit(77)


def run(*arguments, code=0, **more):
    done = subprocess.run([str(one) for one in arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    assert done.returncode == code, f"{arguments}: exit code {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build_into(folder, umask):
    folder.mkdir()
    run(root / "scripts/deb", "--build", build, "--out", folder, "--level", "1", umask=umask, env=dict(os.environ, TMPDIR=str(folder.parent / "work")))
    return {one.name: one for one in folder.iterdir()}


def field(package, name):
    return run("dpkg-deb", "--field", package, name).strip()


def check_package(package, folder):
    """Files, run paths and dependencies."""
    name = field(package, "Package")
    run("dpkg-deb", "--extract", package, folder)
    files = [one for one in folder.rglob("*") if one.is_file() and not one.is_symlink()]
    listed = run("dpkg-deb", "--contents", package).splitlines()
    assert all(" root/root " in line for line in listed), f"{name}: expected root as the owner of all"
    assert not any(re.match(r".{5}w|.{8}w", line) for line in listed if line[0] != "l"), f"{name}: expected that root alone may write"
    for path in files:
        if path.read_bytes()[:4] != b"\x7fELF":
            continue
        found = re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", run("readelf", "--dynamic", path))
        for place in ":".join(found).split(":"):
            assert not place or place.startswith("$ORIGIN"), f"{path.name}: expected places relative to itself, found {place}"
        needed = re.findall(r"\(NEEDED\).*\[(.*)\]", run("readelf", "--dynamic", path))
        assert not any("/" in one for one in needed), needed
    assert (folder / f"usr/share/doc/{name}/copyright").stat().st_size > 500, name
    assert field(package, "Installed-Size") and field(package, "Description"), name
    return name, field(package, "Depends"), [str(one.relative_to(folder)) for one in files]


with tempfile.TemporaryDirectory() as temporary:
    folder = Path(temporary)
    (folder / "work").mkdir()
    first, second = build_into(folder / "first", 0o022), build_into(folder / "second", 0o077)
    assert sorted(first) == sorted(second) and len(first) >= 3, sorted(first)
    for name, package in first.items():
        assert package.read_bytes() == second[name].read_bytes(), f"{name}: two builds differ"
    (folder / "trees").mkdir()
    facts = {}
    for package in first.values():
        name, depends, files = check_package(package, folder / "trees" / package.name)
        facts[name] = (depends, files)
    owners = {}
    for name, (_, files) in facts.items():
        for file in files:
            assert file not in owners, f"{file}: in {name} and in {owners[file]}"
            owners[file] = name
    version = field(first[next(one for one in first if one.startswith("yolov7_"))], "Version")
    depends, files = facts["yolov7"]
    assert f"libyolov7-1 (= {version})" in depends and "libc6 (>= 2." in depends and "libfmt9" in depends, depends
    for wanted in ("usr/bin/yolov7", "usr/share/man/man1/yolov7.1.gz", "usr/share/man/man1/yolov7-train.1.gz", "usr/share/bash-completion/completions/yolov7",
                   "usr/share/yolov7/weights/yolov7-tiny-synth.pt"):
        assert wanted in files, wanted
    assert not any("libopencv" in depends for depends, _ in facts.values()) and "usr/lib/yolov7/libopencv_imgproc.so.406" in facts["libyolov7-1"][1], facts["libyolov7-1"]
    for wanted in ("libharfbuzz0b", "libsqlite3-0", "libstdc++6 (>= "):
        assert wanted in facts["libyolov7-1"][0], facts["libyolov7-1"][0]
    if "yolov7-video" in facts:
        assert "libavcodec59" in facts["yolov7-video"][0] and not any("libav" in depends for name, (depends, _) in facts.items() if name != "yolov7-video"), facts
    if "yolov7-train" in facts:
        assert "usr/lib/yolov7/libtorch_cpu.so" in facts["yolov7-train"][1] and "libgomp1" in facts["yolov7-train"][0], facts["yolov7-train"]
    print(run(root / "scripts/check-symbols", folder / "trees"), end="")
    print(run(sys.executable, root / "tests/packaging/package_contents.py", *first.values()), end="")
    print(f"{len(first)} packages, the same bytes twice")
