"""The seven networks at their full width, in every format: our certificate holds, ONNX's checker takes the file, and ONNX Runtime, LiteRT and
ncnn give the same numbers as each other; coremltools loads the package and types its program. Random weights; class counts 1, 3, 80, batches
1 and 4, open sizes, 320 and 640 px, images that are not square are spread over the networks.
Usage: full_size_peer.py PROGRAM BENCHMARK_INFERENCE [NETWORK ...]. Exit code 77: skipped."""
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")
stderr = os.dup(2)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # coremltools says at its import what is only there on a Mac
try:
    import coremltools
    import ncnn
    import numpy as np
    import onnx
    import onnxruntime
    from ai_edge_litert import interpreter as litert
    from coremltools.converters.mil.frontend.milproto.load import load as load_program
except ImportError as error:
    print(f"skipped: {error} (scripts/setup installs the peers)")
    sys.exit(77)
finally:
    os.dup2(stderr, 2)

onnxruntime.set_default_logger_severity(3)
root = Path(__file__).resolve().parent.parent.parent
FORMATS = ["onnx", "openvino", "tflite", "saved_model", "pb", "coreml", "torchscript", "torchscript-lite", "ncnn"]
# Network: classes, batch, height, width, more options. ncnn and Core ML have a batch of one.
CASES = {
    "yolov7-tiny": (80, 4, 640, 640, []),
    "yolov7": (3, 1, 640, 384, []),
    "yolov7x": (80, 1, 320, 320, ["--dynamic"]),
    "yolov7-w6": (1, 1, 640, 640, []),
    "yolov7-e6": (3, 1, 320, 448, ["--dynamic-batch"]),
    "yolov7-d6": (80, 4, 320, 320, []),
    "yolov7-e6e": (80, 1, 640, 640, []),
}
# float32 on both sides, sums in other orders: ten times the rounding of some hundred operations, as for the small networks.
TOLERANCE = 1e-5


def gap(found, expected):
    """The largest difference, as a part of the largest value."""
    assert found.shape == expected.shape, f"shape {found.shape}, expected {expected.shape}"
    assert np.isfinite(found).all()
    return float(np.abs(found.astype(np.float64) - expected).max() / np.abs(expected).max())


def checkpoint(benchmark, name, classes, folder):
    text = (root / "configs/training" / f"{name}.yaml").read_text()
    config = folder / f"{name}.yaml"
    config.write_text(re.sub(r"(?m)^nc:.*$", f"nc: {classes}", text))
    subprocess.run([benchmark, "prepare", "--cfg", config, "--folder", folder], check=True)
    return folder / "model.pt"


def run_onnx(path, images):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return session.run(None, {"images": images})


def run_lite(path, images):
    """Rows whose boxes are parts of the image."""
    model = litert.Interpreter(str(path))
    values = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    if list(model.get_input_details()[0]["shape"]) != list(values.shape):
        model.resize_tensor_input(model.get_input_details()[0]["index"], values.shape)
    return model.get_signature_runner()(images=values)["output_0"]


def run_ncnn(folder, image, outputs):
    net = ncnn.Net()
    for name in ("use_vulkan_compute", "use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
        setattr(net.opt, name, False)
    assert net.load_param(str(folder / "model.ncnn.param")) == 0 and net.load_model(str(folder / "model.ncnn.bin")) == 0
    extractor = net.create_extractor()
    blob = ncnn.Mat(image).clone()
    assert extractor.input("images", blob) == 0
    results = []
    for name in outputs:
        code, value = extractor.extract(name)
        assert code == 0, f"{name}: code {code}"
        results.append(np.array(value))
    del value, blob, extractor  # before the network, whose memory they hold
    return results


def certificates(files):
    """Each file by its name of format; its certificate has no breach, and says what checked it."""
    found = {}
    for file in files:
        verdict = file["certificate"]["verdict"]
        assert verdict != "breach", file
        found[file["format"]] = (Path(file["path"]), verdict, file["certificate"]["checked_by"])
    return found


def check(name, program, benchmark, folder):
    classes, batch, height, width, more = CASES[name]
    weights = checkpoint(benchmark, name, classes, folder)
    images = folder / "images"
    images.mkdir()
    shutil.copy(folder / "picture.png", images)
    call = [program, "export", "--weights", weights, "--img-size", str(height), str(width), "--batch-size", str(batch), *more, "--images", images, "--grid",
            "--include", *FORMATS, "--out", folder / "out", "--json"]
    done = subprocess.run([str(one) for one in call], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-2000:]}"
    found = certificates(json.loads(done.stdout)["files"])
    assert sorted(found) == sorted(FORMATS), sorted(found)
    values = np.random.default_rng(7).random((batch, 3, height, width), np.float32)
    rows = run_onnx(found["onnx"][0], values)[0]
    assert rows.shape[2] == 5 + classes and rows[..., 4].max() > 1e-4, "a test of nothing"
    worst = {}
    lite = run_lite(found["tflite"][0], values)
    lite[..., :4] *= [width, height, width, height]
    worst["LiteRT"] = gap(lite, rows)
    worst["ncnn"] = gap(run_ncnn(found["ncnn"][0], values[0], ["output0"])[0], rows[0])
    package = coremltools.models.MLModel(str(found["coreml"][0]), skip_model_load=True)
    operations = len(load_program(package.get_spec(), package.get_spec().specificationVersion, str(package.weights_dir)).functions["main"].operations)
    assert operations > 50
    for reader, value in worst.items():
        assert value <= TOLERANCE, f"{reader}: {value:.1e}, at most {TOLERANCE:.0e}"
    checked = ", ".join(f"{one} {verdict} ({by})" for one, (_, verdict, by) in found.items())
    print(f"{name}, {classes} classes, {batch} x {height} x {width} {' '.join(more)}: {worst}; Core ML {operations} operations; {checked}", flush=True)


def main():
    program, benchmark, *names = sys.argv[1:]
    failures = 0
    for name in names or CASES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                check(name, program, benchmark, Path(folder))
            except Exception as error:  # a file that a reader refuses is a failure like any other
                failures += 1
                print("FAIL", name, f"{type(error).__name__}: {error}", flush=True)
    sys.exit(1 if failures else 0)


main()
