"""The wheels in an empty environment: types, boxes as the program's, threads, errors, verbs as calls, Ctrl-C, two epochs of training with the extra.
Nothing comes from the network: numpy is that of the peers, OpenVINO and LibTorch are those that scripts/setup unpacked.
Their sizes, the newest names of the C libraries that they want, and their SBOMs.
Usage: wheel_test.py [--build DIR] [--detections N] [--twice]   DIR: build/release. N: of each of eight threads; 500. --twice: the files are made twice, with
the same bytes. Exit code 77: skipped."""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import venv
from pathlib import Path

root = Path(__file__).resolve().parent.parent.parent
tools, peers, unpacked = root / ".deps/wheel", root / ".deps/peers", root / ".deps/wheels"
parser = argparse.ArgumentParser(allow_abbrev=False)
parser.add_argument("--build", default=str(root / "build/release"))
parser.add_argument("--detections", type=int, default=500)
parser.add_argument("--twice", action="store_true")
options = parser.parse_args()
numpy = sorted(peers.glob("lib/python3*/site-packages/numpy"))
if not numpy or not (unpacked / "openvino").exists():
    print("skipped: no numpy or OpenVINO (scripts/setup installs the peers)")
    sys.exit(77)
clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LD_", "CMAKE_"))}


def run(*arguments, code=0, **more):
    done = subprocess.run([str(one) for one in arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean, **more)
    assert done.returncode == code, f"{arguments}: exit code {done.returncode}, expected {code}\n{done.stdout}\n{done.stderr}"
    return done.stdout


DETECT = """
import json, resource, sys, threading
import yolov7cpp
assert "numpy" not in sys.modules and "torch" not in sys.modules
weights, image, detections = sys.argv[1:]
detector = yolov7cpp.Detector(weights)
result = detector(image, conf_thres=0.05)
assert len(result) > 5, "a test of nothing"
import numpy as np
bgr = detector.detect([image])[0]._pixels
for other in (detector(bgr[:, :, ::-1], conf_thres=0.05, order="rgb"), detector(open(image, "rb").read(), conf_thres=0.05)):
    assert np.array_equal(other.xyxy, result.xyxy) and np.array_equal(other.confidence, result.confidence)
assert result.plot().shape == bgr.shape and (result.plot() != bgr).any()
for wrong, kind in ((lambda: detector(np.zeros((4, 4))), TypeError), (lambda: detector(bgr, order="gbr"), ValueError),
                    (lambda: detector(bgr, conf_thres=2), yolov7cpp.Error), (lambda: detector("no.jpg"), yolov7cpp.Error),
                    (lambda: yolov7cpp.Detector("no.pt"), yolov7cpp.Error), (lambda: detector.detect(image), TypeError),
                    (lambda: yolov7cpp.Detector(weights, names=["a"]), TypeError), (lambda: detector(bgr, max_det=3.5), TypeError),
                    (lambda: detector(bgr, max_det=2**40), ValueError), (lambda: detector(bgr, conf_thres="much"), TypeError)):
    try:
        wrong()
    except kind as error:
        assert len(str(error).splitlines()) == 1, error
    else:
        raise AssertionError(f"expected {kind}")

# Eight threads: the same boxes, and memory that stays.
small = np.ascontiguousarray(bgr[:64, :64])
expected = detector(small, conf_thres=0.001, image_size=64)

def work(count):
    for _ in range(count):
        found = detector(small, conf_thres=0.001, image_size=64)
        assert np.array_equal(found.xyxy, expected.xyxy)

def all_threads(count):
    threads = [threading.Thread(target=work, args=(count,)) for _ in range(8)]
    [t.start() for t in threads], [t.join() for t in threads]
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()

before = all_threads(50)
after = all_threads(int(detections))
# 4,000 detections or more: a leak of a single result (some kB) would be more.
assert after - before < 4 << 20, f"{before} bytes, {after} after {detections} detections of each thread"
print(f"8 threads, {detections} detections each: {(after - before) / 1024:.0f} kB more than before", file=sys.stderr)
print(json.dumps([[b.name, b.confidence, *b.xyxy] for b in result]))
"""

VERBS = """
import os, sys
import yolov7cpp
folder, config = sys.argv[1:]
info = yolov7cpp.run(["info", "--cfg", "yolov7-tiny.yaml"])
assert info["class_count"] == 80, info
try:
    yolov7cpp.run(["info", "--cfg", "no.yaml"], on_message=lambda text: None)
except yolov7cpp.ProgramError as error:
    assert error.code == 1 and "no.yaml" in str(error), error
else:
    raise AssertionError("expected an error")
said = []
try:
    yolov7cpp.run(["info", "--cfg", "no.yaml"], on_message=said.append)
except yolov7cpp.ProgramError:
    pass
assert any(text.startswith("error: ") and "no.yaml" in text for text in said), said
yolov7cpp.run(["dataset", "synth", "--out", folder + "/data", "--train", "8", "--val", "4", "--test", "0", "--img-size", "64", "--seed", "1"])
seen = []
summary = yolov7cpp.run(["train", "--data", folder + "/data/data.yaml", "--weights", "", "--cfg", config, "--epochs", "2", "--img-size", "64", "--batch-size", "4",
                         "--project", folder, "--name", "trained"], on_progress=seen.append, on_message=lambda text: None)
assert os.path.exists(folder + "/trained/weights/last.pt"), summary
assert [(p.done, p.total) for p in seen if p.stage == "epoch"] == [(1, 2), (2, 2)], seen
"""

INTERRUPTED = """
import sys
import yolov7cpp
folder, config = sys.argv[1:]

def tell(progress):
    print("progress", flush=True)

try:
    yolov7cpp.run(["train", "--data", folder + "/data/data.yaml", "--weights", "", "--cfg", config, "--epochs", "500", "--img-size", "64", "--batch-size", "4",
                   "--project", folder, "--name", "interrupted"], on_progress=tell, on_message=lambda text: None)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""

TYPED = """
import numpy as np
import yolov7cpp

detector: yolov7cpp.Detector = yolov7cpp.Detector("x.pt", threads=1)
result: yolov7cpp.Result = detector(np.zeros((4, 4, 3), np.uint8), conf_thres=0.5)
names: list[str] = [box.name for box in result]
answer: dict[str, object] = yolov7cpp.run(["info"], on_progress=lambda p: print(p.done))
"""

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    clean["XDG_CACHE_HOME"] = str(folder / "cached")
    run(root / "scripts/wheel", "--build", options.build, "--out", folder / "dist")
    if options.twice:
        run(root / "scripts/wheel", "--build", options.build, "--out", folder / "again", umask=0o077)
        for one in sorted((folder / "dist").iterdir()):
            assert one.read_bytes() == (folder / "again" / one.name).read_bytes(), f"{one.name}: made twice, its bytes differ"
    main, training = sorted((folder / "dist").glob("yolov7_cpp-*.whl"))[0], sorted((folder / "dist").glob("yolov7_cpp_train-*.whl"))[0]
    print(run(sys.executable, root / "tests/packaging/package_contents.py", *sorted((folder / "dist").iterdir())), end="")
    for wheel in sorted((folder / "dist").glob("*.whl")):
        assert wheel.stat().st_size < 20e6, f"{wheel.name}: expected less than 20 MB, found {wheel.stat().st_size / 1e6:.1f} MB"
        run(sys.executable, "-m", "zipfile", "-e", wheel, folder / "looked-at" / wheel.stem)
    run(root / "scripts/check-symbols", folder / "looked-at")
    if sys.version_info < (3, 12):  # the other one is imported in Debian 13 by scripts/check-packages
        (stable,) = (folder / "dist").glob("yolov7_cpp-*-cp312-abi3-*.whl")
        assert [one.name for one in (folder / "looked-at" / stable.stem / "yolov7cpp").glob("_core*.so")] == ["_core.abi3.so"], stable
    venv.create(folder / "empty", with_pip=True)
    python = folder / "empty/bin/python"
    packages = next((folder / "empty/lib").glob("python3*")) / "site-packages"
    run(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", main)
    (packages / "openvino").symlink_to(unpacked / "openvino")
    for part in numpy[0].parent.glob("numpy*"):
        (packages / part.name).symlink_to(part)

    (folder / "typed.py").write_text(TYPED)
    run(tools / "bin/mypy", "--strict", "--python-executable", python, "--cache-dir", folder / "cache", folder / "typed.py")
    run(tools / "bin/mypy", "--strict", "--python-executable", python, "--cache-dir", folder / "cache", "--package", "yolov7cpp")

    program = folder / "empty/bin/yolov7"
    run(program, "dataset", "synth", "--out", folder / "drawn", "--train", "2", "--val", "2", "--test", "0", "--img-size", "320", "--seed", "3")
    image = sorted((folder / "drawn/images/val").iterdir())[0]
    weights = root / "weights/yolov7-tiny-synth.pt"
    found = json.loads(run(python, "-c", DETECT, weights, image, options.detections).splitlines()[-1])
    assert list((folder / "cached").rglob("*.blob")), "expected that the compiled network is kept"
    run(program, "detect", "--weights", weights, "--source", image, "--img-size", "320", "--conf-thres", "0.05", "--precision", "float32", "--save-json",
        "--project", folder, "--name", "found")
    written = json.loads(next((folder / "found").glob("*.json")).read_text())
    written = written if isinstance(written, list) else written["annotations"]
    assert len(written) == len(found), (len(written), len(found))
    for (_, score, x1, y1, x2, y2), one in zip(found, written):
        # The file is rounded: three digits of a pixel, five of a score.
        assert abs(score - one["score"]) < 1e-5 and max(abs(a - b) for a, b in zip([x1, y1, x2 - x1, y2 - y1], one["bbox"])) < 2e-3, one

    if (unpacked / "torch").exists():
        run(python, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", training)
        (packages / "torch").symlink_to(unpacked / "torch")
        config = folder / "slim.yaml"
        text = (root / "configs/training/yolov7-tiny.yaml").read_text()
        config.write_text(text.replace("width_multiple: 1.0", "width_multiple: 0.25"))
        assert config.read_text() != text, "expected width_multiple: 1.0 in the configuration"
        run(python, "-c", VERBS, folder, config)
        child = subprocess.Popen([str(python), "-c", INTERRUPTED, str(folder), str(config)], stdout=subprocess.PIPE, text=True, env=clean)
        assert child.stdout.readline() == "progress\n"
        child.send_signal(signal.SIGINT)
        rest = child.stdout.read()
        assert child.wait() == 0 and rest.splitlines()[-1] == "interrupted", rest
    else:
        print("no LibTorch: nothing was trained")
    for wheel in (main, training):
        print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB")
    print(f"{len(found)} boxes, the same by Python and the program")
