"""Event files of watch/tensorboard.hpp, read by TensorBoard's own reader and served by TensorBoard itself.
Usage: tensorboard_peer.py PROGRAM (tensorboard_fixture). Exit code 77: skipped."""
import io
import json
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

try:
    from PIL import Image
    from tensorboard import program
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2
except ImportError as error:
    print(f"skipped: {error} (scripts/setup installs tensorboard)")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from peer_checks import Checks  # noqa: E402

check = Checks()


def near(a, b):
    return abs(a - b) < 1e-6  # float32


def served(url, attempts=60):
    for _ in range(attempts):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)
        except (OSError, ValueError):
            time.sleep(0.5)
    raise SystemExit(f"{url}: no answer")


with tempfile.TemporaryDirectory() as folder:
    subprocess.run([sys.argv[1], folder], check=True)
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    loss = [(e.step, e.value) for e in events.Scalars("train/box_loss")]
    # The continuation from step 2 takes the place of what the first run said of steps 2 and 3.
    expected = [(0, 0.5), (1, 0.25), (2, 0.5 / 3 + 0.01), (3, 0.135), (4, 0.11)]
    check("scalars, with the steps that the continuation repeats", [s for s, _ in loss], [s for s, _ in expected])
    check("their values", all(near(a[1], b[1]) for a, b in zip(loss, expected)), True)
    picture = events.Images("train_batch0")[0]
    check("picture", (picture.width, picture.height, Image.open(io.BytesIO(picture.encoded_image_string)).convert("RGB").getpixel((5, 5))), (30, 20, (200, 20, 10)))
    graph = {node.name: (node.op, list(node.input)) for node in events.Graph().node} if hasattr(events.Graph(), "node") else {}
    if not graph:
        from tensorboard.compat.proto.graph_pb2 import GraphDef

        definition = GraphDef()
        definition.ParseFromString(events.Graph())
        graph = {node.name: (node.op, list(node.input)) for node in definition.node}
    check("graph", graph, {"picture": ("Placeholder", []), "backbone/layer_0": ("Conv", ["picture"]), "neck/layer_1": ("Concat", ["backbone/layer_0", "picture"])})
    check("text", events.Tensors("command/text_summary")[0].tensor_proto.string_val[0].decode(), "| a | b |\n|---|---|\n| 1 | ü |")
    data = plugin_data_pb2.HParamsPluginData()
    data.ParseFromString(events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content)
    values = data.session_start_info.hparams
    check("hyper-parameters", (values["lr0"].number_value, values["adam"].bool_value, values["cfg"].string_value), (0.01, False, "yolov7-tiny.yaml"))

    server = program.TensorBoard()
    server.configure(argv=[None, "--logdir", folder, "--port", "0", "--bind_all", "--load_fast", "false"])
    url = server.launch()
    base = "http://localhost:" + url.rstrip("/").rsplit(":", 1)[1].split("/")[0]
    for _ in range(60):
        tags = served(base + "/data/plugin/scalars/tags")
        if tags.get("."):
            break
        time.sleep(0.5)
    check("served scalars", sorted(tags.get(".", {})), ["coco/mAP_0.5", "train/box_loss"])
    series = served(base + "/data/plugin/scalars/scalars?run=.&tag=train%2Fbox_loss")
    check("served steps", [row[1] for row in series], [0, 1, 2, 3, 4])
    images = served(base + "/data/plugin/images/tags")
    check("served pictures", list(images.get(".", {})), ["train_batch0"])

check.end("TensorBoard reads and serves the files")
