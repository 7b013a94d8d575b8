"""Whether the SBOM of a package says all that is in it: each program and library that is not of this project stands there once with its SHA-256, nothing
else does, and each part has its licence, its version and its notice.
Usage: package_contents.py PACKAGE...   Wheels, Debian packages (dpkg-deb) and tarballs (zstd)."""
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

OWN = re.compile(r"yolov7|libyolov7(-c|-training|-video)?\.so(\.\d+)*|_core\.(abi3|cpython-[\w-]+)\.so")


def unpacked(package, folder):
    """SBOM and a function from the name of a part to its notice."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as file:
            file.extractall(folder)
        (info,) = folder.glob("*.dist-info")
        return info / "sboms/yolov7.cdx.json", lambda part: (info / f"licenses/{part}.txt").read_text()
    if package.suffix == ".deb":
        subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
        name = package.name.partition("_")[0]
        text = (folder / f"usr/share/doc/{name}/copyright").read_text()
        return folder / f"usr/share/yolov7/sbom/{name}.cdx.json", lambda part: text.split(f"\nLicense: {part}\n", 1)[1].split("\nLicense: ", 1)[0]
    subprocess.run(["tar", "--extract", "--strip-components=1", "--directory", folder, "--file", package], check=True)
    return folder / "sbom.cdx.json", lambda part: (folder / f"licenses/{part}.txt").read_text()


def libraries(folder):
    """Path in the package -> SHA-256, of what the project did not make."""
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if (content[:4] == b"\x7fELF" and not OWN.fullmatch(path.name)) or path.suffix in (".ttf", ".otf"):
                found[str(path.relative_to(folder))] = hashlib.sha256(content).hexdigest()
    return found


def check(package):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sbom, notice = unpacked(package, folder)
        said = json.loads(sbom.read_text())
        assert (said["bomFormat"], said["specVersion"]) == ("CycloneDX", "1.6"), said
        listed = {file["name"]: file["hashes"][0]["content"] for part in said["components"] for file in part.get("components", [])}
        there = libraries(folder)
        assert listed == there, f"{package.name}: the SBOM and the package differ in {sorted(set(listed.items()) ^ set(there.items()))}"
        assert sum(len(part.get("components", [])) for part in said["components"]) == len(listed), f"{package.name}: a file stands twice in the SBOM"
        references = [part["bom-ref"] for part in said["components"]] + [said["metadata"]["component"]["bom-ref"]]
        assert len(set(references)) == len(references), references
        for part in said["components"]:
            (licence,) = part["licenses"]
            assert part["version"] and part["purl"].startswith("pkg:") and (licence.get("expression") or licence["license"].get("id") or licence["license"]["name"]), part
            assert re.search(r"[Cc]opyright|\([Cc]\)|public domain", notice(part["name"])), f"{package.name}: {part['name']}: expected a notice"
        print(f"{package.name}: {len(listed)} files of {len(said['components'])} parts")


packages = [Path(one) for one in sys.argv[1:]]
assert packages, "expected packages, found none"
for one in packages:
    check(one)
