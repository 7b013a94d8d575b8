"""cmake --install, then what a stranger does with it: examples of C89 and C++17 are built outside of the tree by find_package(yolov7), find what
the installed program finds, to the digit; ctypes calls the library; its names are those of symbols.txt; nothing points into the build folder.
Usage: installed_test.py BUILD_FOLDER"""
import ctypes
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

root = Path(__file__).resolve().parent.parent.parent
build = Path(sys.argv[1]).resolve()
clean = {name: value for name, value in os.environ.items() if name not in ("LD_LIBRARY_PATH", "CMAKE_PREFIX_PATH")}


def run(*arguments, code=0):
    done = subprocess.run([str(one) for one in arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean)
    assert done.returncode == code, f"{arguments}: exit code {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done.stdout, done.stderr


def names_of(library):
    """Names that a library defines for others, without their version."""
    lines = run("nm", "--dynamic", "--defined-only", library)[0].splitlines()
    return sorted(line.split()[-1].split("@")[0] for line in lines if line.split()[-2] in "TDBRVWi")


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    first, prefix = folder / "first", folder / "moved"
    for component in ("program", "development"):
        run("cmake", "--install", build, "--prefix", first, "--component", component)
    first.rename(prefix)  # an installation may be moved
    library = prefix / "lib/libyolov7-c.so.1"

    wanted = (root / "tests/bindings/symbols.txt").read_text().split()
    assert names_of(library) == wanted, sorted(set(names_of(library)) ^ set(wanted))

    for file in [prefix / "bin/yolov7", *sorted((prefix / "lib").rglob("*.so*"))]:
        if file.is_symlink():
            continue
        path = run("readelf", "--dynamic", file)[0]
        assert str(build) not in path and str(root) not in path, f"{file}: points to the build folder"
        for line in run("ldd", file)[0].splitlines():
            assert "not found" not in line, f"{file}: {line}"
            assert str(build) not in line and str(root) not in line, f"{file}: {line}"

    run("cmake", "-S", root / "examples", "-B", folder / "examples", f"-DCMAKE_PREFIX_PATH={prefix}", "-DCMAKE_BUILD_TYPE=Release")
    run("cmake", "--build", folder / "examples")
    run(prefix / "bin/yolov7", "dataset", "synth", "--out", folder / "drawn", "--train", "2", "--val", "2", "--test", "0", "--img-size", "160", "--seed", "1")
    image = sorted((folder / "drawn/images/val").iterdir())[0]
    weights = prefix / "share/yolov7/weights/yolov7-tiny-synth.pt"
    coco = folder / "found"
    run(prefix / "bin/yolov7", "detect", "--weights", weights, "--source", image, "--img-size", "320", "--precision", "float32", "--save-json", "--project", folder, "--name", "found")
    said_c, _ = run(folder / "examples/detect-c", weights, image)
    said_cpp, _ = run(folder / "examples/detect-cpp", weights, image)
    assert said_c == said_cpp and len(said_c.splitlines()) > 0, "expected boxes, the same in both languages"
    found = json.loads(next(coco.glob("*.json")).read_text())
    found = found if isinstance(found, list) else found["annotations"]
    assert len(found) == len(said_c.splitlines()), (len(found), said_c)
    for line, one in zip(said_c.splitlines(), found):
        _, score, x1, y1, x2, y2 = line.split()
        box = [float(x1), float(y1), float(x2) - float(x1), float(y2) - float(y1)]
        # The file is rounded: three digits of a pixel, five of a score.
        assert abs(float(score) - one["score"]) < 1e-5 and max(abs(a - b) for a, b in zip(box, one["bbox"])) < 2e-3, (line, one)
    _, message = run(folder / "examples/detect-c", folder / "nothing.pt", image, code=1)
    assert message.startswith("error: ") and "nothing.pt" in message and len(message.splitlines()) == 1, message

    own = ctypes.CDLL(str(library))
    own.yolov7_version.restype = ctypes.c_char_p
    own.yolov7_error_message.restype = ctypes.c_char_p
    own.yolov7_error_message.argtypes = [ctypes.c_void_p]
    assert own.yolov7_abi_version() == 1
    assert own.yolov7_version().decode() in run(prefix / "bin/yolov7", "--version")[0]
    error, model = ctypes.c_void_p(), ctypes.c_void_p()
    assert own.yolov7_model_open(b"nothing.pt", None, ctypes.byref(model), ctypes.byref(error)) == 1
    assert b"nothing.pt" in own.yolov7_error_message(error) and not model
    own.yolov7_error_free(error)
print(f"{len(said_c.splitlines())} boxes, the same by C, C++ and the program; {len(wanted)} names")
