"""ncnn reads the files that we write and gives what the reference interpreter gives.
Usage: ncnn_peer.py FIXTURE. Exit code 77: skipped."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import ncnn
    import numpy as np
except ImportError as error:
    print(f"skipped: {error} (scripts/setup installs ncnn)")
    sys.exit(77)

SETTINGS = {
    "float32": {"use_fp16_packed": False, "use_fp16_storage": False, "use_fp16_arithmetic": False, "use_bf16_storage": False},
    "default": {},
    "bfloat16": {"use_fp16_packed": False, "use_fp16_storage": False, "use_fp16_arithmetic": False, "use_bf16_storage": True},
    "plain": {"use_fp16_packed": False, "use_fp16_storage": False, "use_fp16_arithmetic": False, "use_bf16_storage": False,
              "use_packing_layout": False, "use_winograd_convolution": False, "use_sgemm_convolution": False},
}
# Version 1.0.20261020 computes grouped convolutions, other than depthwise ones, wrongly in bfloat16: whole networks of ours have one.
GROUPED = ("one", "three", "convolution_grouped", "convolution_depth_multiplier")


def run(folder, image, outputs, settings):
    net = ncnn.Net()
    net.opt.num_threads = 1
    net.opt.use_vulkan_compute = False
    for name, value in settings.items():
        setattr(net.opt, name, value)
    assert net.load_param(str(folder / "model.ncnn.param")) == 0, "the layers were refused"
    assert net.load_model(str(folder / "model.ncnn.bin")) == 0, "the weights were refused"
    assert net.input_names() == ["images"], net.input_names()
    assert sorted(net.output_names()) == outputs, net.output_names()
    extractor = net.create_extractor()
    blob = ncnn.Mat(image).clone()
    assert extractor.input("images", blob) == 0
    results = []
    for name in outputs:
        code, blob = extractor.extract(name)
        assert code == 0, f"{name}: code {code}"
        results.append(np.array(blob, np.float64))
    del blob, extractor  # before the network, whose memory they hold
    return results


def expected_outputs(folder, case):
    columns = 5 + case["classes"]
    if case["form"] == "raw":
        return [np.fromfile(folder / f"{case['name']}.raw{j}").reshape(case["anchors"], -1, columns) for j in range(case["levels"])]
    rows = np.fromfile(folder / (case["name"] + ".rows")).reshape(-1, columns)
    if case["form"] == "v5":
        return [rows]
    scores = rows[:, 4:5] if case["classes"] == 1 else rows[:, 4:5] * rows[:, 5:]
    return [np.concatenate([rows[:, :4], scores], axis=1).T]


def gap(found, expected):
    if found.shape != expected.shape:
        raise ValueError(f"shape {found.shape}, expected {expected.shape}")
    return float(np.abs(found - expected).max() / max(1, np.abs(expected).max()))


failures, worst = 0, {}
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    subprocess.run([sys.argv[1], "ncnn", folder], check=True)
    cases = json.loads((folder / "cases.json").read_text())
    for case in cases:
        image = np.fromfile(folder / (case["name"] + ".image"), np.float32).reshape(case["shape"])
        expected = expected_outputs(folder, case)
        names = [f"output{j}" for j in range(len(expected))]
        for setting, options in SETTINGS.items():
            if setting == "bfloat16" and case["name"][4:] in GROUPED:
                continue
            # float32: ten times the rounding of some hundred operations. Ten layers of 11 bits (float16) or 8 (bfloat16): half of a last
            # place each. The reader's default may use either.
            tolerance = {"bfloat16": 4e-2, "default": 5e-3}.get(setting, 5e-3 if case["half"] else 1e-5)
            try:
                found = max(gap(a, b) for a, b in zip(run(folder / case["file"], image, names, options), expected))
            except Exception as error:  # a file that the reader refuses is a failure like any other
                found, tolerance = f"{type(error).__name__}: {error}", None
            if tolerance is None or not found <= tolerance:
                failures += 1
                print("FAIL", case["name"], case["form"], "half" if case["half"] else "", setting, found, flush=True)
            else:
                worst[setting, case["half"]] = max(worst.get((setting, case["half"]), 0), found)
print(f"{len(cases)} files; largest differences", {f"{s}{', half' if h else ''}": f"{v:.1e}" for (s, h), v in worst.items()}, f"; {failures} failures")
sys.exit(1 if failures else 0)
