#!/usr/bin/env python3
"""A model that a server of the Open Inference Protocol runs finds what its ONNX file finds: detect, val and annotate, tensors
as JSON and in bytes, in each layout. The server is Python's standard library with ONNX Runtime (inference_server.py).

Usage: inference_server_peer.py PROGRAM
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import onnxruntime
    from inference_server import serve
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from peer_checks import Checks

program = os.path.abspath(sys.argv[1])
weights = pathlib.Path(__file__).resolve().parents[2] / "weights/yolov7-tiny-synth.pt"
check = Checks()
LIBRARY = next(pathlib.Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so*"), None)


def run(folder, *arguments, expect=0, environment=None):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, cwd=folder,
                          env=dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"), **({"YOLOV7_ONNXRUNTIME": str(LIBRARY)} if LIBRARY else {}),
                                   **(environment or {})))
    assert done.returncode == expect, f"{arguments}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done


def detect(folder, model, *more):
    done = run(folder, "detect", "--weights", model, "--source", folder / "images", "--img-size", "320", "--conf-thres", "0.3",
               "--project", folder / "runs", "--json", *more)
    return {pathlib.Path(p["path"]).name: p["detections"] for p in json.loads(done.stdout)["pictures"]}


def difference(found, expected):
    """Largest difference of a coordinate and of a score; none where the numbers of boxes or classes differ."""
    box = score = 0
    if found.keys() != expected.keys():
        return None
    for name in found:
        if [d["class"] for d in found[name]] != [d["class"] for d in expected[name]]:
            return None
        for a, b in zip(found[name], expected[name]):
            box = max([box] + [abs(x - y) for x, y in zip(a["xyxy"], b["xyxy"])])
            score = max(score, abs(a["score"] - b["score"]))
    return box, score


def boxes_are_those_of_the_file(folder, options, sent):
    out = folder / f"out-{'-'.join(o.strip('-') for o in options) or 'raw'}"
    run(folder, "export", "--weights", weights, "--img-size", "320", "320", "--include", "onnx", "--out", out, "--no-verify", *options)
    path = next(out.glob("*.onnx"))
    expected = detect(folder, path)
    exact = detect(folder, path, "--backend", "onnxruntime") if LIBRARY else None
    count = sum(map(len, expected.values()))
    server, address = serve(path, binary=sent == "bytes", parameters=True)
    found = detect(folder, address)
    what = f"{' '.join(options) or 'raw maps'}, {sent}"
    check(f"{what}: {count} boxes", count >= 5, True)
    worst = difference(found, expected)
    check(f"{what}: as OpenVINO reads the file ({worst})", worst is not None and worst[0] <= 0.05 and worst[1] <= 1e-3, True)
    if exact is not None:
        check(f"{what}: as ONNX Runtime reads the file", difference(found, exact), (0, 0))
    server.shutdown()
    return path


def names_from_elsewhere(folder, path):
    server, address = serve(path)  # tells no names, no layout
    done = run(folder, "detect", "--weights", address, "--source", folder / "images", "--img-size", "320", "--project", folder / "runs", "--json")
    check("what is assumed is said", all(part in done.stderr for part in ("the server has no class names", "the server does not tell its layout")), True)
    found = json.loads(done.stdout)
    check("class0", found["names"][0], "class0")
    text = json.loads(run(folder, "detect", "--weights", path, "--source", folder / "images", "--img-size", "320", "--project", folder / "runs", "--json").stdout)
    names = folder / "names.txt"
    names.write_text("\n".join(text["names"]) + "\n")
    found = json.loads(run(folder, "detect", "--weights", address, "--names", names, "--source", folder / "images", "--img-size", "320",
                           "--project", folder / "runs", "--json").stdout)
    check("--names", found["names"], text["names"])
    wrong = run(folder, "detect", "--weights", address, "--names", "a,b", "--source", folder / "images", expect=1).stderr
    check("names of another number", "class names for its outputs" in wrong, True)
    check("an image size that the model does not take", "320 x 320" in run(
        folder, "detect", "--weights", address, "--img-size", "640", "--source", folder / "images", expect=2).stderr, True)
    missing = run(folder, "detect", "--weights", address.replace("/model", "/modem").replace("/modems", "/models"), "--source", folder / "images", expect=1).stderr
    check("another model", "404: no such model" in missing and missing.count("\n") == 1, True)
    server.shutdown()
    server.server_close()
    gone = run(folder, "detect", "--weights", address, "--source", folder / "images", expect=1).stderr
    check("the server is gone", "(3 tries)" in gone, True)


def val_and_annotate(folder, path):
    server, address = serve(path, binary=True, parameters=True)
    names = json.loads(run(folder, "detect", "--weights", path, "--source", folder / "images", "--img-size", "320", "--project", folder / "runs", "--json").stdout)["names"]
    (folder / "set/all.yaml").write_text(f"train: images/train\nval: images/val\nnames: {json.dumps(names)}\n")
    measured = [json.loads(run(folder, "val", "--weights", model, "--data", folder / "set/all.yaml", "--img-size", "320",
                               "--project", folder / "runs", "--json").stdout)["coco"] for model in (path, address)]
    for name in ("map50", "map"):
        check(f"val: {name} {measured[0][name]:.4f}", abs(measured[0][name] - measured[1][name]) <= 1e-3, True)
    written = []
    for out, model in (("by-file", path), ("by-server", address)):
        report = json.loads(run(folder, "annotate", "--teacher", model, "--source", folder / "images", "--conf", "0.5", "--doubt", "0.5",
                                "--img-size", "320", "--out", folder / out, "--json").stdout)
        written.append((report["written_boxes"], {k: report["images"][k] for k in ("complete", "doubtful", "empty")}))
    check(f"annotate: {written[0]}", written[1], written[0])
    check("the teacher's mark", address in (folder / "by-server/set/annotations.extra.jsonl").read_text(), True)
    key = run(folder, "detect", "--weights", address, "--source", folder / "images", "--img-size", "320", "--project", folder / "runs",
              environment={"YOLOV7_SERVER_KEY": "s3cret"})
    check("no key is shown", "s3cret" in key.stdout + key.stderr, False)
    server.shutdown()


with tempfile.TemporaryDirectory() as scratch:
    place = pathlib.Path(scratch)
    run(place, "dataset", "synth", "--out", place / "set", "--level", "easy", "--train", "1", "--val", "6", "--test", "1", "--img-size", "320", "--seed", "3")
    (place / "images").mkdir()
    for image in sorted((place / "set/images/val").iterdir()):
        (place / "images" / image.name).write_bytes(image.read_bytes())
    decoded = boxes_are_those_of_the_file(place, ["--grid"], "bytes")
    boxes_are_those_of_the_file(place, ["--grid", "--fold-obj"], "JSON")
    boxes_are_those_of_the_file(place, [], "bytes")
    boxes_are_those_of_the_file(place, ["--nms"], "JSON")
    names_from_elsewhere(place, decoded)
    val_and_annotate(place, decoded)
check.end("a served model finds what its file finds")
