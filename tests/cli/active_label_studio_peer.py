"""A labelling loop against a real Label Studio server: three rounds, people who correct by its interface, the program killed in each step
and called again. No task is there twice, no label is lost. Usage: active_label_studio_peer.py PROGRAM. Exit code 77: skipped
(scripts/setup --platforms installs the server)."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here.parent), str(here.parent / "platforms")]
from label_studio_scenario import TOKEN  # noqa: E402
from label_studio_server import LabelStudioServer  # noqa: E402
from peer_checks import Checks  # noqa: E402
from roboflow_scenario import environment  # noqa: E402

root = here.parent.parent
python = pathlib.Path(os.environ.get("YOLOV7_LABEL_STUDIO_PYTHON", root / ".deps/label-studio/bin/python"))
if not python.exists():
    print(f"skipped: no {python} (scripts/setup --platforms installs Label Studio)")
    sys.exit(77)
path = str(pathlib.Path(sys.argv[1]).resolve())
check = Checks()
SIDE, LABELLED, POOL, BUDGET, ROUNDS = 160, 4, 12, 3, 3


class Loop:
    def __init__(self, folder, server):
        self.folder, self.server, self.kills, self.places = folder, server, 0, 0
        self.variables = environment(LABEL_STUDIO_API_KEY=TOKEN, YOLOV7_STORE=str(folder / "store"), XDG_CACHE_HOME=str(folder / "cache"))
        place = "label-studio://" + server.address.split("://")[1] + "/round trip"
        self.words = [path, "active", "loop", str(folder / "loop")]
        self.first = [*self.words, "--weights", str(root / "weights/yolov7-tiny-synth.pt"), "--source", str(folder / "pool"), "--labelled", str(folder / "drawn/data.yaml"), "--to", place,
                      "--budget", str(BUDGET), "--rounds", str(ROUNDS), "--img-size", str(SIDE), "--epochs", "1", "--batch-size", "4", "--threads", "1", "--workers", "1", "--precision", "float32", "--noautoanchor"]

    def state(self):
        file = self.folder / "loop/loop.json"
        return json.loads(file.read_text()) if file.exists() else {"rounds": []}

    def done(self, number, step):
        rounds = self.state()["rounds"]
        return len(rounds) >= number and step in rounds[number - 1]["steps"]

    def call(self, faults="", seconds=600):
        words = self.words if (self.folder / "loop/loop.json").exists() else self.first
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**self.variables, "YOLOV7_FAILPOINTS": faults}, cwd=self.folder)
        try:
            out, err = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
        self.kills += process.returncode == -signal.SIGKILL
        if process.returncode not in (0, -signal.SIGKILL):
            raise SystemExit(f"FAIL: exit code {process.returncode}\n{out}{err}")
        return process.returncode == 0, out + err

    def killed_at_places(self):
        """Killed at one place after the other, until a call comes to its end."""
        for number in range(1, 1000):
            ended, out = self.call(f"loop-kill={number}")
            if ended:
                self.places += number - 1
                return out

    def killed_at_times(self, number, step):
        """Killed a little later each time, in whatever request it is, until the step is done."""
        seconds = 0.2
        while not self.done(number, step):
            ended, out = self.call(seconds=seconds)
            if ended and not self.done(number, step):
                raise SystemExit(f"FAIL: expected round {number} with the step {step}, found it without\n{out}")
            seconds *= 1.3


def pixels_of(row):
    c, x, y, w, h = row.split()
    return int(c), [float(value) for value in (x, y, w, h)]


def annotate(first, project, folder, names, truth):
    """A person corrects every open task: the true boxes, from the suggestion where there is one."""
    made, sizes = 0, {task["key"]: (task["width"], task["height"]) for file in (folder / "loop").glob("round-*/tasks/tasks.json") for task in json.loads(file.read_text())["tasks"]}
    for task in first("GET", f"/api/tasks/?project={project}&fields=all&page_size=100")["tasks"]:
        if task["total_annotations"]:
            continue
        name = task["meta"]["yolov7"]["name"].split("_", 1)[1]
        result, (width, height) = [], sizes[task["meta"]["yolov7"]["key"]]
        for number, row in enumerate(truth[pathlib.Path(name).stem]):
            c, (x, y, w, h) = pixels_of(row)
            result.append({"id": f"r{number}", "type": "rectanglelabels", "from_name": "label", "to_name": "image", "original_width": width, "original_height": height, "image_rotation": 0,
                           "value": {"x": 100 * (x - w / 2), "y": 100 * (y - h / 2), "width": 100 * w, "height": 100 * h, "rotation": 0, "rectanglelabels": [names[c]]}})
        further = {"parent_prediction": task["predictions"][0]["id"]} if task["predictions"] else {}
        first("POST", f"/api/tasks/{task['id']}/annotations/", {"result": result, "lead_time": 1.0, **further})
        made += 1
    return made


def rows_near(found, expected):
    """Drawn labels have six decimals: boxes at an edge lean out by a millionth, and are clipped."""
    one, other = (sorted([float(word) for word in row.split()] for row in rows) for rows in (found, expected))
    return len(one) == len(other) and all(len(a) == len(b) and all(abs(x - y) <= 2e-6 for x, y in zip(a, b)) for a, b in zip(one, other))


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    (folder / "server").mkdir()
    subprocess.run([path, "dataset", "synth", "--out", folder / "drawn", "--level", "formula", "--train", str(LABELLED + POOL), "--val", "3", "--test", "0", "--img-size", str(SIDE), "--seed", "7"], check=True, capture_output=True)
    (folder / "pool").mkdir()
    truth, contents = {}, {}
    for image in sorted((folder / "drawn/images/train").iterdir())[LABELLED:]:
        truth[image.stem] = (folder / "drawn/labels/train" / (image.stem + ".txt")).read_text().splitlines()
        contents[image.read_bytes()] = image.stem
        shutil.move(image, folder / "pool" / image.name)
    names = [line.strip(" -'\"") for line in (folder / "drawn/data.yaml").read_text().split("names:")[1].strip().strip("[]").replace(",", "\n").splitlines() if line.strip()]
    server = LabelStudioServer(python, folder / "server").start()
    try:
        loop = Loop(folder, server)
        first = server.person(TOKEN)
        for number in range(1, ROUNDS + 1):
            if number == 2:
                loop.killed_at_times(2, "select")
                loop.killed_at_times(2, "push")
            out = loop.killed_at_places()
            check(f"round {number} waits", f"round {number} waits for people: 0 of {BUDGET} images are answered" in out, True)
            projects = [one for one in first("GET", "/api/projects/?page_size=100")["results"] if one["title"] == "round trip"]
            check("one project", len(projects), 1)
            check("each new task is answered", annotate(first, projects[0]["id"], folder, names, truth), BUDGET)
            if number == 3:
                loop.killed_at_times(3, "pull")
        out = loop.killed_at_places()
        check("all rounds are done", "all rounds are done" in out, True)
        # How often it is killed at times depends on the machine. In round 2 they may have done all that there was, so that no place is left in it.
        print(f"killed {loop.kills} times, {loop.places} of them at places")
        check("it was killed at places and at times", loop.places >= ROUNDS and loop.kills > loop.places, True)
        tasks = first("GET", f"/api/tasks/?project={projects[0]['id']}&fields=all&page_size=100")["tasks"]
        keys = [task["meta"]["yolov7"]["key"] for task in tasks]
        check("no task is doubled", (len(keys), len(set(keys))), (ROUNDS * BUDGET, ROUNDS * BUDGET))
        check("one annotation and at most one suggestion each", all(len(task["annotations"]) == 1 and len(task["predictions"]) <= 1 for task in tasks), True)
        rounds = loop.state()["rounds"]
        check("every step of each round", [len(one["steps"]) for one in rounds], [6] * ROUNDS)
        version = rounds[-1]["steps"]["merge"]["version"]
        subprocess.run([path, "dataset", "version", "checkout", version, "--out", folder / "final", "--store", folder / "store"], check=True, capture_output=True)
        found = {}
        for image in (folder / "final").rglob("images/loop/*"):
            label = pathlib.Path(str(image).replace("/images/", "/labels/")).with_suffix(".txt")
            found.setdefault(contents[image.read_bytes()], []).append(label.read_text().splitlines())
        check("each answered image once", (len(found), [len(one) for one in found.values()]), (ROUNDS * BUDGET, [1] * ROUNDS * BUDGET))
        check("no label is lost", all(rows_near(rows[0], truth[stem]) for stem, rows in found.items()), True)
    finally:
        server.kill()
check.end("Label Studio has each task once, and the data set has every label")
