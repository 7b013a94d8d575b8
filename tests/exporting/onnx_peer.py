"""ONNX's checker takes every file that we write, and ONNX Runtime gives what the reference interpreter and our suppression give.
Usage: onnx_peer.py FIXTURE. Exit code 77: skipped."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    import onnx
    import onnxruntime
    from onnx import helper
except ImportError as error:
    print(f"skipped: {error} (scripts/setup installs onnx and onnxruntime)")
    sys.exit(77)

onnxruntime.set_default_logger_severity(3)


def session(model):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def before_plugin(model):
    """Form D without its last node: boxes and scores are the outputs."""
    node = next(n for n in model.graph.node if n.op_type == "EfficientNMS_TRT")
    cut = onnx.ModelProto()
    cut.CopyFrom(model)
    del cut.graph.output[:]
    cut.graph.output.extend(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in node.input)
    for index, other in enumerate(cut.graph.node):
        if other.op_type == "EfficientNMS_TRT":
            del cut.graph.node[index]
            break
    return cut, {a.name: helper.get_attribute_value(a) for a in node.attribute}


def efficient_nms(boxes, scores, attributes):
    """As NVIDIA documents the plugin: every (box, class) above the threshold is a candidate, best first, at most 4096 of an image; class by class,
    unless class_agnostic, what overlaps a better one by more than the threshold goes."""
    rows = []
    for image in range(boxes.shape[0]):
        box, score = boxes[image].astype(np.float64), scores[image]
        corners = np.concatenate([box[:, :2] - box[:, 2:] / 2, box[:, :2] + box[:, 2:] / 2], axis=1)
        index, kind = np.nonzero(score > np.float32(attributes["score_threshold"]))
        order = np.argsort(-score[index, kind], kind="stable")[:4096]
        kept = []
        for i, k in zip(index[order], kind[order]):
            mine = corners[i]
            area = np.prod(mine[2:] - mine[:2])
            for other, its in kept:
                if its != k and not attributes["class_agnostic"]:
                    continue
                theirs = corners[other]
                side = np.minimum(mine[2:], theirs[2:]) - np.maximum(mine[:2], theirs[:2])
                common = np.prod(side) if (side > 0).all() else 0
                if common / (area + np.prod(theirs[2:] - theirs[:2]) - common) > attributes["iou_threshold"]:
                    break
            else:
                kept.append((i, k))
            if len(kept) == attributes["max_output_boxes"]:
                break
        rows += [[image, *corners[i], k, score[i, k]] for i, k in kept]
    return np.array(rows)


def expected_v8(rows, classes):
    scores = rows[..., 4:5] if classes == 1 else rows[..., 4:5] * rows[..., 5:]
    return np.concatenate([rows[..., :4], scores], axis=-1).transpose(0, 2, 1)


def gap(found, expected):
    if found.shape != expected.shape:
        return float("inf")
    return float(np.abs(found.astype(np.float64) - expected).max() / max(1, np.abs(expected).max()))


def detections_agree(found, expected, half):
    """The same boxes in the same order. float16 may turn the order of neighbours, and what stands at a threshold: their number stays close."""
    if half:
        return abs(len(found) - len(expected)) <= max(3, len(expected) // 10), f"{len(found)} of {len(expected)}"
    if found.shape != expected.shape:
        return False, f"shape {found.shape}, expected {expected.shape}"
    return gap(found, expected) <= 1e-5 and (found[:, [0, 5]] == expected[:, [0, 5]]).all(), f"{gap(found, expected):.1e}"


def run_case(folder, case):
    model = onnx.load(folder / case["file"])
    onnx.checker.check_model(model, full_check=True)
    assert model.opset_import[0].version == case["opset"]
    attributes = None
    if case["form"] == "D":
        model, attributes = before_plugin(model)
    values = np.fromfile(folder / (case["data"] + ".images"), np.float32).reshape(case["shape"])
    outputs = session(model).run(None, {"images": values.astype(np.float16) if case["half_io"] else values})
    columns = 5 + case["classes"]
    rows = np.fromfile(folder / (case["data"] + ".rows")).reshape(case["shape"][0], -1, columns)
    # float32: ten times the rounding of some hundred operations. float16: ten layers of 11 bits, half of a last place each.
    tolerance = 5e-3 if case["half"] else 1e-5
    if case["form"] in "CD":
        expected = np.fromfile(folder / (case["file"][:-5] + ".detections")).reshape(-1, 7)
        assert len(expected) > 10, "a test of nothing"
        found = outputs[0] if attributes is None else efficient_nms(outputs[0], outputs[1], attributes)
        return detections_agree(np.asarray(found, np.float64), expected, case["half"])
    if case["form"] == "A":
        assert len(outputs) == case["levels"]
        wanted = [np.fromfile(folder / f"{case['data']}.raw{j}").reshape(o.shape) for j, o in enumerate(outputs)]
        worst = max(gap(o, w) for o, w in zip(outputs, wanted))
    else:
        worst = gap(outputs[0], expected_v8(rows, case["classes"]) if case["form"] == "v8" else rows)
    return worst <= tolerance, f"{worst:.1e}"


failures = 0
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    subprocess.run([sys.argv[1], folder], check=True)
    cases = json.loads((folder / "cases.json").read_text())
    for case in cases:
        try:
            good, what = run_case(folder, case)
        except Exception as error:  # a file that a reader refuses is a failure like any other
            good, what = False, f"{type(error).__name__}: {error}"
        if not good:
            failures += 1
            print("FAIL", case, what, flush=True)
forms = {form: sum(case["form"] == form for case in cases) for form in ("A", "B", "C", "D", "v8")}
print(f"{len(cases)} files, by form {forms}; {failures} failures")
sys.exit(1 if failures else 0)
