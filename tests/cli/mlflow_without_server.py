"""A training whose MLflow server is not there goes on, keeps its records, and sends them to nobody, or to a server that refuses some. Usage: mlflow_without_server.py PROGRAM (yolov7).
What a server answers: tests/monitoring/mlflow_test.cpp; a real one: mlflow_peer.py."""
import http.server
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from peer_checks import Checks  # noqa: E402

check = Checks()
program = sys.argv[1]
environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}


def yolov7(*arguments, **options):
    return subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, **options)


class Refusing(http.server.BaseHTTPRequestHandler):
    """Takes a run and its files, and refuses every batch of parameters and metrics."""
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        call = self.path.split("?")[0].rsplit("mlflow/", 1)[-1]
        status, body = {
            "experiments/get-by-name": (200, {"experiment": {"experiment_id": "1"}}),
            "runs/create": (200, {"run": {"info": {"run_id": "r", "artifact_uri": "mlflow-artifacts:/1/r/artifacts"}}}),
            "runs/log-batch": (400, {"message": "no batch here"}),
        }.get(call, (200, {}))
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = answer

    def log_message(self, *arguments):
        pass


with tempfile.TemporaryDirectory() as name, socket.socket() as taken:
    folder = pathlib.Path(name)
    taken.bind(("127.0.0.1", 0))  # nobody listens, and nobody else can
    address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    data = folder / "data"
    yolov7("dataset", "synth", "--out", str(data), "--level", "easy", "--train", "8", "--val", "4", "--test", "0", "--img-size", "64", check=True)
    train = ["train", "--cfg", "yolov7-tiny.yaml", "--weights", "", "--data", str(data / "data.yaml"), "--hyp", "hyp.scratch.tiny.yaml", "--img", "64", "--batch", "8", "--project", str(folder / "runs"), "--mlflow"]
    down = folder / "runs" / "down"
    outcome = yolov7(*train, address, "--epochs", "1", "--name", "down")
    check("a training without its server", (outcome.returncode, "records wait in" in outcome.stderr, outcome.stderr.count("the training goes on")), (0, True, 1))
    outcome = yolov7("mlflow", str(down))
    check("sending to nobody fails in one line", (outcome.returncode, outcome.stderr.count("\n")), (1, 1))
    listed = json.loads(yolov7("mlflow", str(down), "--list", "--json").stdout)["runs"][0]
    check("all waits", (listed["sent"], listed["waiting"] > 10, listed["run_id"]), (0, True, ""))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        outcome = yolov7("mlflow", str(down), "--to", f"http://127.0.0.1:{server.server_port}", "--json")
        server.shutdown()
    told = json.loads(outcome.stdout)["runs"][0]
    check("what is refused is not sent", (outcome.returncode, told["sent"] + len(told["refused"]), told["waiting"], {one["kind"] for one in told["refused"]}), (1, listed["waiting"], 0, {"batch"}))
    check("no batch is lost", (len(told["refused"]) >= 2, "no batch here" in told["refused"][0]["why"]), (True, True))
    outcome = yolov7(*train, "http://user:secret@127.0.0.1:1", "--epochs", "1", "--name", "secret")
    check("a password in the address", (outcome.returncode, "MLFLOW_TRACKING_PASSWORD" in outcome.stderr, "secret@" in outcome.stderr), (2, True, False))

check.end("the records wait for a server")
