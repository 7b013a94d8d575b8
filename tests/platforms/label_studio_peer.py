"""A real Label Studio server: push, correct by its interface, pull, merge, push again; answers that get lost, and the server killed in
between. Records the conversation that the daily test replays. Usage: label_studio_peer.py PROGRAM [RECORDING]. Exit code 77: skipped
(scripts/setup --platforms installs the server)."""
import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent)]
import label_studio_scenario as scenario  # noqa: E402
from label_studio_server import LabelStudioServer  # noqa: E402
from peer_checks import Checks  # noqa: E402
from recording_server import RecordingServer  # noqa: E402
from roboflow_scenario import Program, environment  # noqa: E402
from roboflow_service import png  # noqa: E402

python = pathlib.Path(os.environ.get("YOLOV7_LABEL_STUDIO_PYTHON", here.parent.parent / ".deps/label-studio/bin/python"))
if not python.exists():
    print(f"skipped: no {python} (scripts/setup --platforms installs Label Studio)")
    sys.exit(77)
path = sys.argv[1]
check = Checks()
CUTS = {"upload": "commit_to_project", "import": "return_task_ids", "predictions": "/import/predictions"}


class Proxy:
    """Between the program and the server: writes down both sides, and loses the answer to the next request that fits."""

    def __init__(self, server):
        self.server, self.conversation, self.next_cut = server, [], None
        self.front = RecordingServer(self.forward)

    def forward(self, record, headers, body):
        target = record["path"]
        query = "&".join(f"{urllib.parse.quote(k)}={urllib.parse.quote(v)}" for k, v in record["query"])
        request = urllib.request.Request(self.server.address + urllib.parse.quote(target) + ("?" + query if query else ""), body or None,
                                         {k: v for k, v in headers.items() if k in ("Authorization", "Content-Type", "Range", "If-Range")}, method=record["method"])
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                status, kind, content = answer.status, answer.headers.get("Content-Type", ""), answer.read()
        except urllib.error.HTTPError as error:
            status, kind, content = error.code, error.headers.get("Content-Type", ""), error.read()
        lost = self.next_cut is not None and CUTS[self.next_cut] in target + "?" + query
        if lost:
            self.next_cut = None
        self.conversation.append({"request": record, "lost": lost, "status": status, "type": kind, **({"json": json.loads(content)} if "json" in kind else {"base64": base64.b64encode(content).decode()})})
        return None if lost else (status, {"Content-Type": kind}, content)

    def cut(self, step):
        self.next_cut = step


def kill_in_between(folder, server):
    """The server dies while the program pushes 230 images; the next call makes each task once."""
    source = folder / "many"
    (source / "images/train").mkdir(parents=True)
    (source / "labels/train").mkdir(parents=True)
    for number in range(230):
        (source / f"images/train/m{number}.png").write_bytes(png(64, 48, (number, number // 2, 7)))
        (source / f"labels/train/m{number}.txt").write_text("0 0.5 0.5 0.25 0.5\n")
    (source / "data.yaml").write_text("train: images/train\nval: images/train\nnc: 1\nnames: [cat]\n")
    place = "label-studio://" + server.address.split("://")[1] + "/many"
    push = [path, "dataset", "push", place, "--source", str(source), "--pre-labels", "--json"]
    variables = environment(LABEL_STUDIO_API_KEY=scenario.TOKEN)
    process = subprocess.Popen([*push, "--tries", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables)
    first = server.person(scenario.TOKEN)
    for _ in range(2000):  # until the first hundred tasks are there
        projects = [one for one in first("GET", "/api/projects/?title=many")["results"] if one["title"] == "many"]
        if projects and (projects[0]["task_number"] or 0) > 0:
            break
        if process.poll() is not None:
            break
        time.sleep(0.02)
    server.kill()
    process.communicate(timeout=120)
    check("the push fails without its server", process.returncode, 1)
    server.start()
    outcome = subprocess.run(push, capture_output=True, text=True, env=variables, timeout=300)
    sent = json.loads(outcome.stdout)
    check("the next one goes on", (outcome.returncode, sent["tasks"] + sent["tasks_known"], sent["tasks_known"] > 0, sent["doubles"]), (0, 230, True, []))
    tasks = first("GET", f"/api/tasks/?project={sent['project']}&include=id,meta,total_predictions&page_size=1000")
    check("each image once, with one pre-label", (tasks["total"], len({task["meta"]["yolov7"]["key"] for task in tasks["tasks"]}), tasks["total_predictions"]), (230, 230, 230))


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    (folder / "server").mkdir()
    (folder / "work").mkdir()
    server = LabelStudioServer(python, folder / "server").start()
    try:
        first, second = server.person(scenario.TOKEN), server.second_person()
        proxy = Proxy(server)
        project = scenario.run(check, path, folder / "work", proxy.front.address, (first, second), proxy.cut)
        tasks = first("GET", f"/api/tasks/?project={project}&fields=all&page_size=100")["tasks"]
        check("one pre-label a task, after all", [len(task["predictions"]) for task in tasks], [1] * 5)
        check("the new model's pre-label", [p["result"][0]["value"]["rectanglelabels"] for task in tasks if task["meta"]["yolov7"]["name"] == "later.png" for p in task["predictions"]], [["dog"]])
        check("the people's work is untouched", {task["meta"]["yolov7"]["name"]: len(task["annotations"]) for task in tasks}, {"bild ä 0.png": 2, "b1.png": 1, "empty.png": 1, "skipped.png": 1, "later.png": 0})
        # A personal access token, which has to be exchanged.
        personal = first("POST", "/api/token/")["token"]
        program = Program(path, folder, [personal])
        got = program.json("pull", "label-studio://" + server.address.split("://")[1] + "/" + scenario.TITLE, "--out", "personal", LABEL_STUDIO_API_KEY=personal)
        check("a personal access token", got["tasks"]["all"], 5)
        kill_in_between(folder, server)
        if len(sys.argv) > 2:
            pathlib.Path(sys.argv[2]).write_text("[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in proxy.conversation) + "\n]\n")
    finally:
        server.kill()
check.end("Label Studio has what was pushed, and the pull has what people drew")
