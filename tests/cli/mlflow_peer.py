"""Trainings recorded by a real MLflow server that is down, then up, and killed in between; read back by MLflow's own client.
Usage: mlflow_peer.py PROGRAM (yolov7). Exit code 77: skipped."""
import csv
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

try:
    import mlflow  # noqa: F401
    import uvicorn  # noqa: F401
    from mlflow.tracking import MlflowClient
except ImportError as error:
    print(f"skipped: {error} (scripts/setup installs MLflow)")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from peer_checks import Checks  # noqa: E402

check = Checks()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


program = sys.argv[1]
port = free_port()
address = f"http://127.0.0.1:{port}"
environment = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}


def yolov7(*arguments, **options):
    return subprocess.run([program, *arguments], capture_output=True, text=True, env=environment, **options)


class Server:
    def __init__(self, folder):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--backend-store-uri", f"sqlite:///{folder}/store.db", "--artifacts-destination", f"{folder}/artifacts"],
            stdout=open(f"{folder}/server.log", "a"), stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        for _ in range(240):
            try:
                urllib.request.urlopen(address + "/health", timeout=5)
                return
            except OSError:
                time.sleep(0.5)
        raise SystemExit("the MLflow server does not start:\n" + open(f"{folder}/server.log").read()[-2000:])

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def rows(run):
    with open(run / "results.csv") as file:
        return list(csv.DictReader(file))


def check_metrics(client, run, run_id):
    for column, name in [("train/total_loss", "train/total_loss"), ("coco/mAP_0.5:0.95", "coco/mAP_0.5-0.95"), ("x/lr1", "x/lr1")]:
        history = sorted((m.step, m.value) for m in client.get_metric_history(run_id, name))
        check(f"{run.name}: {name}, each epoch once", history, [(int(r["epoch"]), float(r[column])) for r in rows(run)])


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    data = folder / "data"
    yolov7("dataset", "synth", "--out", str(data), "--level", "easy", "--train", "16", "--val", "4", "--test", "0", "--img-size", "64", check=True)
    train = ["train", "--cfg", "yolov7-tiny.yaml", "--weights", "", "--data", str(data / "data.yaml"), "--hyp", "hyp.scratch.tiny.yaml", "--img", "64", "--batch", "8", "--project", str(folder / "runs"), "--mlflow", address, "--mlflow-experiment", "müll & co"]

    # The server is down: the training does not care.
    down = folder / "runs" / "down"
    outcome = yolov7(*train, "--epochs", "2", "--name", "down", "--mlflow-model", "detector")
    check("a training without its server", (outcome.returncode, "records wait in" in outcome.stderr, outcome.stderr.count("the training goes on")), (0, True, 1))
    outcome = yolov7("mlflow", str(down))
    check("sending to nobody fails in one line", (outcome.returncode, outcome.stderr.count("\n")), (1, 1))
    listed = json.loads(yolov7("mlflow", str(down), "--list", "--json").stdout)["runs"][0]
    check("all waits", (listed["sent"], listed["waiting"] > 10, listed["run_id"]), (0, True, ""))

    server = Server(folder)
    client = MlflowClient(address)
    sent = json.loads(yolov7("mlflow", str(down), "--json").stdout)["runs"][0]
    check("everything is sent later", (sent["sent"], sent["waiting"], sent["refused"], sent["model_version"]), (listed["waiting"], 0, [], "1"))
    run = client.get_run(sent["run_id"])
    check("status, name, experiment", (run.info.status, run.info.run_name, client.get_experiment(run.info.experiment_id).name), ("FINISHED", "down", "müll & co"))
    check("parameters", (run.data.params["epochs"], run.data.params["hyp/lr0"], run.data.params["weights"]), ("2", "0.01", '""'))
    check_metrics(client, down, sent["run_id"])
    names = {a.path for a in client.list_artifacts(sent["run_id"])}
    check("artifacts", {"results.csv", "results.png", "report.html", "hyp.yaml", "opt.yaml", "train_batch0.jpg", "PR_curve.png", "model"} <= names, True)
    for artifact, file in [("results.csv", down / "results.csv"), ("report.html", down / "report.html"), ("model/best.pt", down / "weights" / "best.pt")]:
        with urllib.request.urlopen(f"{address}/api/2.0/mlflow-artifacts/artifacts/{run.info.experiment_id}/{run.info.run_id}/artifacts/{artifact}") as answer:
            check(f"{artifact}, byte for byte", answer.read() == file.read_bytes(), True)
    version = client.get_model_version("detector", "1")
    check("the model's run", (version.run_id, version.source), (sent["run_id"], run.info.artifact_uri + "/model"))
    check("a second sending has nothing to do", json.loads(yolov7("mlflow", str(down), "--json").stdout)["runs"][0]["sent"], 0)

    # The server dies in the middle, and comes back: nothing is missing, nothing is there twice. The run is interrupted and resumed meanwhile.
    cut = folder / "runs" / "cut"
    process = subprocess.Popen([program, *train, "--epochs", "6", "--name", "cut"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    while "epoch 1/5" not in process.stderr.readline():
        pass
    server.kill()
    while "epoch 3/5" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    process.stderr.read()
    check("interrupted", process.wait(), 130)
    server = Server(folder)
    sent = json.loads(yolov7("mlflow", str(cut), "--json").stdout)["runs"][0]
    check("an interrupted run", (client.get_run(sent["run_id"]).info.status, sent["waiting"]), ("KILLED", 0))
    outcome = yolov7("train", "--resume", str(cut))
    check("resumed with its server, nothing waits", (outcome.returncode, "records wait" in outcome.stderr), (0, False))
    check("it is the same run", (client.get_run(sent["run_id"]).info.status, len(client.search_runs([run.info.experiment_id]))), ("FINISHED", 2))
    check_metrics(client, cut, sent["run_id"])

    # What an artifact store of its own, a wrong address and a password in it lead to.
    outcome = yolov7(*[a if a != address else f"http://127.0.0.1:{free_port()}/nothing" for a in train], "--epochs", "1", "--name", "nobody")
    check("another port", (outcome.returncode, "records wait in" in outcome.stderr), (0, True))
    outcome = yolov7(*[a if a != address else "http://user:secret@127.0.0.1:1" for a in train], "--name", "secret")
    check("a password in the address", (outcome.returncode, "MLFLOW_TRACKING_PASSWORD" in outcome.stderr, "secret@" in outcome.stderr), (2, True, False))
    server.kill()

check.end("MLflow has what the trainings recorded")
