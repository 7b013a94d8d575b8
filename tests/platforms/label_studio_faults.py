"""Label Studio servers that answer too little, too much, or with an attack: one line, nothing written beside the output, no key shown.
And a project with a labelling configuration of its own. Usage: label_studio_faults.py PROGRAM"""
import json
import pathlib
import sys
import tempfile

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parent.parent)]
import label_studio_scenario as scenario  # noqa: E402
from peer_checks import Checks  # noqa: E402
from recording_server import RecordingServer, answer_json  # noqa: E402
from roboflow_scenario import Program  # noqa: E402
from roboflow_service import png  # noqa: E402

check = Checks()


def control(kind, labels, target="pic"):
    return {"type": kind, "to_name": [target], "inputs": [{"type": "Image", "valueType": None, "value": "photo"}], "labels": labels}


PROJECT = {"id": 3, "title": "own", "parsed_label_config": {"text": {"type": "TextArea", "to_name": ["pic"], "inputs": [{"type": "Image", "value": "photo"}]}, "box": control("RectangleLabels", ["cat", "dog", "more"])}}


class Server:
    """As Label Studio answers; `less`: what an answer has too few of; `tasks`: what the export says."""

    def __init__(self):
        self.files, self.made, self.less, self.tasks, self.project, self.projects = [], [], {}, [], PROJECT, []
        self.image = png(64, 48, (1, 2, 3))

    def __call__(self, record, headers, body):
        path, query = record["path"], dict(record["query"])
        if path == "/api/projects/3":
            return answer_json(self.project)
        if path == "/api/projects/" and record["method"] == "POST":  # the first answer gets lost
            self.projects.append({**PROJECT, "id": 3 + len(self.projects), "title": record["json"]["title"]})
            return None if len(self.projects) == 1 else answer_json(self.projects[-1], 201)
        if path == "/api/projects/":
            return answer_json({"results": self.projects})
        if path == "/api/tasks/":
            return answer_json({"total": len(self.made), "tasks": [{"id": i + 1, "meta": task["meta"], "total_predictions": len(task["predictions"]), "total_annotations": 0} for i, task in enumerate(self.made)]})
        if path.endswith("/file-uploads"):
            return answer_json(self.files)
        if path.endswith("/import/predictions"):
            return answer_json({"created": len(record["json"]) - self.less.get("created", 0)}, 201)
        if path.startswith("/api/dm/actions"):
            return answer_json({"processed_items": 1})
        if path.endswith("/import") and "parts" in record:
            sizes = {part["file_name"]: 0 for part in record["parts"]}
            new = [{"id": len(self.files) + i, "file": f"upload/3/0123abcd-{name}", "size": self.sizes[i]} for i, name in enumerate(sizes)]
            new = new[:len(new) - self.less.get("files", 0)]
            self.files += new
            return answer_json({"file_upload_ids": [one["id"] for one in new]}, 201)
        if path.endswith("/import"):
            self.made += record["json"]
            count = len(record["json"])
            return answer_json({"task_count": count - self.less.get("tasks", 0), "annotation_count": 0, "prediction_count": count - self.less.get("predictions", 0), "task_ids": list(range(1, count + 1))}, 201)
        if path.endswith("/export"):
            return answer_json(self.tasks)
        if path == "/api/users/":
            return answer_json({"detail": "no"}, 403)
        if path.startswith("/data/"):
            return 200, {"Content-Type": "image/png"}, self.image
        return answer_json({"detail": f"no such thing {path} for {headers.get('Authorization')}"}, 404)


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    program = Program(sys.argv[1], folder, [scenario.TOKEN], LABEL_STUDIO_API_KEY=scenario.TOKEN)
    scenario.write_source(folder / "source", scenario.ROWS[:2], ["train/a.png", "train/b.png"])
    sizes = [(folder / "source/images/train" / f"{n}.png").stat().st_size for n in "ab"]

    def start():
        answers = Server()
        answers.sizes = sizes
        server = RecordingServer(answers)
        return answers, server, "label-studio://" + server.address.split("://")[1]
    push = ["--source", "source", "--pre-labels", "--scores"]

    # Another project's names of tags, image and labels.
    answers, server, place = start()
    sent = program.json("push", place + "/3", *push, "--journal", "own.sqlite")
    check("a project of its own configuration", (sent["tasks"], sent["predictions"]), (2, 2))
    check("its names", [(list(task["data"]), {(r["from_name"], r["to_name"]) for r in task["predictions"][0]["result"]}) for task in answers.made], [(["photo"], {("box", "pic")})] * 2)
    check("the score is the lowest of the objects", [task["predictions"][0]["score"] for task in answers.made], [0.4, 0.8])

    server.take()
    outcome = program("push", place + "/3", "--source", "source", "--model", "best.pt", code=2)
    check("a model without pre-labels", ("--model: expected --pre-labels" in outcome.stderr, server.take()), (True, []))

    # The answer to the making of a project gets lost: there is one project of the title.
    answers, server, place = start()
    sent = program.json("push", place + "/new", *push, "--journal", "new.sqlite")
    check("a project is made once", (len(answers.projects), sent["project"], sent["made_project"], sent["tasks"]), (1, 3, True, 2))

    # The server makes fewer than were sent.
    for what, said in (("files", "expected 2 files to be taken, found 1"), ("tasks", "expected 2 tasks, 0 annotations and 2 predictions to be made, found 1, 0 and 2"), ("predictions", "found 2, 0 and 1")):
        answers, server, place = start()
        answers.less = {what: 1}
        outcome = program("push", place + "/3", *push, "--journal", what + ".sqlite", code=1)
        check(f"fewer {what}", (outcome.stderr.count("error:"), said in outcome.stderr), (1, True))
    answers, server, place = start()
    program("push", place + "/3", *push, "--journal", "created.sqlite")
    answers.less = {"created": 1}
    (folder / "source/labels/train/b.txt").write_text("1 0.5 0.5 0.5 0.5 0.9\n")
    outcome = program("push", place + "/3", *push, "--journal", "created.sqlite", code=1)
    check("created: fewer, with 201", "expected 1 predictions to be made, found 0" in outcome.stderr, True)
    answers.less = {}
    check("it is sent again", program.json("push", place + "/3", *push, "--journal", "created.sqlite")["predictions_renewed"], 1)
    # A push that ends between the end of the old pre-labels and the new ones: the old ones are no longer there.
    answers.less = {"created": 1}
    (folder / "source/labels/train/b.txt").write_text(scenario.ROWS[1])
    program("push", place + "/3", *push, "--journal", "created.sqlite", code=1)
    answers.less = {}
    (folder / "source/labels/train/b.txt").write_text("1 0.5 0.5 0.5 0.5 0.9\n")
    check("the old ones are sent again, too", program.json("push", place + "/3", *push, "--journal", "created.sqlite")["predictions_renewed"], 1)
    # Nothing is found in the second image any more, which has no label file then.
    (folder / "source/labels/train/b.txt").unlink()
    server.take()
    sent = program.json("push", place + "/3", *push, "--journal", "created.sqlite")
    asked = server.take()
    check("its pre-label goes away", ([one["json"]["selectedItems"]["included"] for one in asked if one["path"].startswith("/api/dm/actions")], sum(one["path"].endswith("/import/predictions") for one in asked), sent["predictions_renewed"], sent["predictions_unchanged"]), ([[2]], 0, 1, 1))
    sent = program.json("push", place + "/3", *push, "--journal", "created.sqlite")
    check("once", (sent["predictions_renewed"], sent["predictions_unchanged"]), (0, 1))
    (folder / "source/labels/train/b.txt").write_text("1 0.5 0.5 0.5 0.5 0.9\n")
    answers.made *= 2
    check("tasks that are there twice are named", len(program.json("push", place + "/3", *push, "--journal", "created.sqlite")["doubles"]), 2)

    # Configurations that cannot take the boxes; nothing is sent.
    for config, said in (({}, "found neither"), ({"box": control("RectangleLabels", ["cat"])}, "'dog'"), ({"shape": control("PolygonLabels", ["cat", "dog"])}, "no such tag"),
                         ({"box": {**control("RectangleLabels", ["cat", "dog"]), "inputs": [{"type": "Text", "value": "t"}]}}, "found neither"), (17, "found neither"), ({"box": 17}, "found neither")):
        answers, server, place = start()
        answers.project = {**PROJECT, "parsed_label_config": config}
        outcome = program("push", place + "/3", *push, "--journal", "x.sqlite", code=1)
        check(f"configuration {str(config)[:30]}", (said in outcome.stderr, [r["method"] for r in server.records if r["method"] != "GET"]), (True, []))

    # Exports that attack or are broken.
    region = scenario.region("cat", 10, 10, 20, 20, "r")

    def task(number, **changes):
        return {"id": number, "annotations": [{"id": number, "completed_by": 1, "result": [region], "was_cancelled": False, "created_at": "2026-01-01"}], "data": {"photo": f"/data/upload/3/0123abcd-{number}.png"}, **changes}
    answers, server, place = start()
    answers.tasks = [task(1), task(2, meta={"yolov7": {"name": "../../evil.png", "key": ""}}), task(3, data={"photo": "file:///etc/passwd"}), task(4, data={"photo": "s3://bucket/x.png"}),
                     task(5, data={"photo": "http://192.0.2.1/x.png"}), task(6, data={}), task(7, data=17), task(8, meta={"yolov7": {"name": "x.png", "key": "00ff"}}), task(9, data={"photo": "/data/../../etc/passwd"}),
                     task(10, annotations=[{"id": 1, "result": 17}]), task(11, annotations="x"), {"id": "x"}, 17, None, task(12, annotations=[{"id": 2, "completed_by": {"email": "a@b"}, "result": [{"id": 1}, 17, region]}])]
    before = {p.name for p in folder.iterdir()}
    got = program.json("pull", place + "/3", "--out", "pulled")
    dropped = [one["reason"] for one in got["conversion"]["dropped"]] if "dropped" in got["conversion"] else [one["reason"] for one in got["conversion"]["drops"]]
    check("every task is counted", got["tasks"]["all"], len(answers.tasks))
    check("images that lie elsewhere are named", [sum(part in reason for reason in dropped) for part in ("file:///etc/passwd", "s3://bucket", "http://192.0.2.1")], [1, 1, 1])
    check("an image of another content", any("another image than the one that was pushed" in reason for reason in dropped), True)
    check("nothing is written elsewhere", ({p.name for p in folder.iterdir()} - before, (folder.parent / "evil.png").exists()), ({"pulled"}, False))
    check("no request leaves the server", all(record["path"].startswith(("/api/", "/data/")) for record in server.records), True)
    for tasks in ({"a": 1}, [], [{"id": 1, "annotations": []}], "text"):
        answers.tasks = tasks
        outcome = program("pull", place + "/3", "--out", "none", code=1)
        check(f"export {tasks}", (outcome.stderr.count("error:"), (folder / "none").exists()), (1, False))
    # Two people: the box that both drew stays, what one of them drew that is no box is left out by its reason.
    broken = {**region, "id": "broken", "value": {"x": 50, "rectanglelabels": ["cat"]}}
    answers.tasks = [task(13, annotations=[{"id": 1, "completed_by": {"email": "a@b"}, "result": [region, broken]}, {"id": 2, "completed_by": {"email": "c@d"}, "result": [region]}])]
    got = program.json("pull", place + "/3", "--out", "joined", "--merge")
    check("a broken box does not go without a word", (got["conversion"]["boxes"], ["expected a number in y" in one["reason"] for one in got["conversion"]["dropped"]]), ({"in": 2, "out": 1, "dropped": 1}, [True]))
    # A shape that is no box, in an annotation that is not the newest: it counts where it is taken.
    brush = {"id": "brush", "type": "brushlabels", "original_width": 64, "original_height": 48, "value": {"rle": [1], "brushlabels": ["cat"]}}
    answers.tasks = [task(13, annotations=[{"id": 1, "completed_by": {"email": "a@b"}, "result": [region, brush], "created_at": "2026-01-01"}, {"id": 2, "completed_by": {"email": "c@d"}, "result": [region], "created_at": "2026-01-02"}])]
    for out, more, counts in (("newest", (), {}), ("both", ("--merge",), {"brushlabels": 1})):
        got = program.json("pull", place + "/3", "--out", out, *more)
        check(f"shapes that are no boxes, {out}", (got["conversion"]["not_boxes"], got["conversion"]["boxes"]["out"]), (counts, 1))
    # A file that people uploaded: the server writes its name with escapes.
    answers.tasks = [task(14, data={"photo": "/data/upload/3/0123abcd-%C3%A4.png"})]
    server.take()
    program("pull", place + "/3", "--out", "escaped/")
    check("an escape is not escaped again", [one["path"] for one in server.take() if one["path"].startswith("/data/")], ["/data/upload/3/0123abcd-ä.png"])
    # A file of tasks in the place of an image is not read as further tasks.
    answers.tasks = [task(15, data={"photo": "/data/upload/3/0123abcd-tasks.json"}), task(16, meta={"yolov7": {"name": "a.png", "key": ""}})]
    answers.image = json.dumps([{"id": 99, "data": {"image": "x.png"}, "annotations": [{"result": []}]}]).encode()
    got = program.json("pull", place + "/3", "--out", "named", "--images", "source/images")
    check("a file of tasks as an image", (got["conversion"]["boxes"]["out"], ["tasks.json' is no name of an image" in one["reason"] for one in got["conversion"]["dropped"]]), (1, [True]))
    answers.tasks, answers.image = [task(1)], b"no image"
    outcome = program("pull", place + "/3", "--out", "none", code=1)
    check("an image that is none", ((folder / "none").exists(), "error:" in outcome.stderr), (False, True))
    # What a pull that broke off left is of use for the same project of the same server alone, and in its tasks alone.
    others, _, other_place = start()
    others.tasks = [task(1)]
    got = program.json("pull", other_place + "/3", "--out", "none")
    check("an image of another server is not taken", (got["images"], got["conversion"]["pictures"]), ({"here": 0, "fetched": 1}, {"in": 1, "out": 1, "dropped": 0}))
    image, others.image = others.image, b"no image"
    program("pull", other_place + "/3", "--out", "less", code=1)
    others.image, others.tasks = image, [task(2)]
    got = program.json("pull", other_place + "/3", "--out", "less")
    check("an image that no task names is not counted", got["conversion"]["pictures"], {"in": 1, "out": 1, "dropped": 0})
    outcome = program("pull", place + "/3", "--out", "unmade", "--patience", "9", code=2)
    check("an option of CVAT", "--patience: expected a CVAT server" in outcome.stderr, True)
    outcome = program("pull", place + "/4", "--out", "unmade", code=1)
    check("the server repeats the key", "expected the project '4', found none" in outcome.stderr, True)
check.end("one line each")
