"""What this program and people do with a Label Studio project, and what must come of it. Runs against a real server, with people who
correct by its interface, and against the recorded answers of that run."""
import json
import pathlib

from roboflow_scenario import Program
from roboflow_service import png

TOKEN = "0123456789abcdef0123456789abcdef01234567"
WIDTH, HEIGHT = 64, 48
NAMES = ["train/bild ä 0.png", "train/b1.png", "train/empty.png", "val/skipped.png", "val/later.png"]
# YOLO rows with scores: what the model found.
ROWS = ["0 0.5 0.5 0.25 0.5 0.9\n1 0.25 0.25 0.125 0.25 0.4\n", "0 0.5 0.5 0.5 0.5 0.8\n", "", "1 0.75 0.5 0.25 0.25 0.6\n", "0 0.25 0.5 0.25 0.5 0.3\n"]
TITLE = "cells & co"


def write_source(folder, rows, names):
    for number, (name, text) in enumerate(zip(names, rows)):
        image, label = folder / "images" / name, (folder / "labels" / name).with_suffix(".txt")
        image.parent.mkdir(parents=True, exist_ok=True)
        label.parent.mkdir(parents=True, exist_ok=True)
        image.write_bytes(png(WIDTH, HEIGHT, (10, 10, 40 * number)))
        label.write_text(text)
    (folder / "data.yaml").write_text("train: images/train\nval: images/val\nnc: 2\nnames: [cat, dog]\n")


def rows_of(folder):
    """Image name → rows of the pulled set, sorted."""
    found = {}
    for image in folder.rglob("images/*/*"):
        label = pathlib.Path(str(image).replace("/images/", "/labels/")).with_suffix(".txt")
        found[f"{image.parent.name}/{image.name}"] = sorted([float(word) for word in line.split()] for line in label.read_text().splitlines())
    return found


def near(found, expected, tolerance=1e-9):
    """Rows that are equal to what the server's decimals allow become the expected ones."""
    if found.keys() != expected.keys():
        return found
    for name, rows in expected.items():
        if len(rows) != len(found[name]) or any(len(a) != len(b) or any(abs(x - y) > tolerance for x, y in zip(a, b)) for a, b in zip(found[name], rows)):
            return found
    return expected


def region(label, x, y, width, height, identity):
    return {"id": identity, "type": "rectanglelabels", "from_name": "label", "to_name": "image", "original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0,
            "value": {"x": x, "y": y, "width": width, "height": height, "rotation": 0, "rectanglelabels": [label]}}


def correct(people, project):
    """What people do, by the server's interface. `people`: two callables (method, path, body) → answer."""
    first, second = people
    tasks = {task["meta"]["yolov7"]["name"]: task for task in first("GET", f"/api/tasks/?project={project}&fields=all&page_size=100")["tasks"]}

    def annotate(who, name, result, **further):
        who("POST", f"/api/tasks/{tasks[name]['id']}/annotations/", {"result": result, "lead_time": 1.0, **further})
    before = {name: (task["predictions"][0]["id"], task["predictions"][0]["result"]) for name, task in tasks.items()}
    number, result = before["bild ä 0.png"]
    annotate(first, "bild ä 0.png", result, parent_prediction=number)  # accepted as it is
    annotate(second, "bild ä 0.png", [region("cat", 39.5, 25, 25, 50, "other")])  # 2 % to the right, and no dog
    number, result = before["b1.png"]
    moved = json.loads(json.dumps(result))
    moved[0]["value"]["x"] = 20
    annotate(first, "b1.png", moved, parent_prediction=number)
    number, result = before["empty.png"]
    annotate(first, "empty.png", [region("cat", 10, 10, 20, 40, "new")], parent_prediction=number)
    annotate(first, "skipped.png", [], was_cancelled=True)


def run(check, path, folder, address, people=None, cut=lambda step: None):
    """`cut(step)` arranges that the server's answer to a request of the next call gets lost."""
    folder = pathlib.Path(folder)
    program = Program(path, folder, [TOKEN], LABEL_STUDIO_API_KEY=TOKEN)
    place = "label-studio://" + address.split("://")[1] + "/" + TITLE
    write_source(folder / "source", ROWS, NAMES)
    push = ["push", place, "--source", "source", "--pre-labels", "--scores"]

    # The answers to the upload and to the import get lost, and the call ends; the next call finds what got there.
    cut("upload")
    outcome = program(*push, "--tries", "1", code=1)
    check("a lost answer to the upload ends in one line", [outcome.stderr.count(part) for part in ("error:", "(1 tries)")], [1, 1])
    cut("import")
    outcome = program(*push, "--tries", "1", code=1)
    check("a lost answer to the import ends in one line", [outcome.stderr.count(part) for part in ("error:", "(1 tries)")], [1, 1])
    sent = program.json(*push)
    project = sent["project"]
    check("no file and no task twice", [sent[k] for k in ("made_project", "files", "tasks", "tasks_known", "doubles")], [False, 0, 0, 5, []])
    sent = program.json(*push)
    check("a second push has nothing to send", [sent[k] for k in ("files", "tasks", "predictions_renewed", "predictions_unchanged")], [0, 0, 0, 5])

    # People correct; the pull is what they drew.
    if people:
        correct(people, project)
    got = program.json("pull", place, "--out", "newest", "--images", "source/images")
    check("each task is accounted for", got["tasks"], {"all": 5, "with_boxes": 3, "empty": 0, "skipped": 1, "not_annotated": 1})
    expected = {"train/bild ä 0.png": [[0, 0.52, 0.5, 0.25, 0.5]], "train/b1.png": [[0, 0.45, 0.5, 0.5, 0.5]], "train/empty.png": [[0, 0.2, 0.3, 0.2, 0.4]]}
    check("newest: the corrected boxes", near(rows_of(folder / "newest"), expected), expected)
    check("the share of pre-labels that people touched", got["pre_labels"], {"kept": 2, "moved": 1, "relabelled": 0, "removed": 0, "added": 1, "share_touched": 0.5})
    check("images come from the folder", got["images"], {"here": 3, "fetched": 0})
    check("two people", sorted(got["annotations_by"].values()), [1, 3])
    review = got["agreement"]["review"]
    # 2 boxes of one, 1 of the other, 1 in common at IoU 23/27.
    check("their agreement", [(one["people"], round(one["agreement"], 12), round(one["mean_iou"], 9), one["alone"], one["disputed"]) for one in review], [(2, round(2 / 3, 12), round(23 / 27, 9), 1, 0)])
    for where, classes in (("in all", got["agreement"]["per_class"]), ("of the image", review[0]["per_class"])):
        check(f"agreement per class, {where}", {name: one["agreement"] for name, one in classes.items()}, {"cat": 1, "dog": 0})
    got = program.json("pull", place, "--out", "merged", "--merge", "--to", "yolo")
    expected["train/bild ä 0.png"] = [[0, 0.51, 0.5, 0.25, 0.5]]
    check("merged: the mean of both, and no box that one drew alone", near(rows_of(folder / "merged"), expected), expected)
    check("images come from the server", (got["images"], got["boxes_left_out_by_merge"]), ({"here": 0, "fetched": 3}, 1))
    check("the fetched images are those that were pushed", {p.name: p.read_bytes() for p in (folder / "merged").rglob("*.png")} == {p.name: p.read_bytes() for p in (folder / "source").rglob("*.png") if p.name in ("bild ä 0.png", "b1.png", "empty.png")}, True)

    # Another model: its pre-labels replace the old ones where they differ, and the people's work stays. The answer gets lost once.
    (folder / "source/labels/val/later.txt").write_text("1 0.25 0.5 0.25 0.5 0.7\n")
    cut("predictions")
    sent = program.json(*push)
    check("a changed pre-label alone is renewed", [sent[k] for k in ("tasks", "tasks_known", "predictions_renewed", "predictions_unchanged")], [0, 5, 1, 4])

    # The truth as annotations: polygons, an empty image; there and back without a loss.
    cut("import")  # and the same call finds out what got there
    write_source(folder / "truth", ["0 0.5 0.5 0.25 0.5\n1 0.1 0.1 0.9 0.2 0.4 0.7\n", ""], ["train/t0.png", "val/t1.png"])
    truth = ["push", place.replace(TITLE, "truth 1"), "--source", "truth"]
    sent = program.json(*truth)
    check("annotations are made, once", [sent[k] for k in ("made_project", "tasks", "annotations", "predictions", "doubles")], [True, 2, 2, 0, []])
    sent = program.json(*truth)
    check("a second push leaves annotations alone", [sent[k] for k in ("tasks", "annotations", "annotations_not_sent")], [0, 0, 2])
    program("pull", place.replace(TITLE, str(sent["project"])), "--out", "back")
    expected = {"train/t0.png": [[0, 0.5, 0.5, 0.25, 0.5], [1, 0.1, 0.1, 0.9, 0.2, 0.4, 0.7]], "val/t1.png": []}
    check("there and back", near(rows_of(folder / "back"), expected), expected)

    # Pre-labels whose answer got lost: the same call makes sure of them.
    write_source(folder / "third", ROWS[:2], ["train/p0.png", "train/p1.png"])
    cut("import")
    sent = program.json("push", place.replace(TITLE, "third"), "--source", "third", "--pre-labels", "--scores")
    check("pre-labels are there once", [sent[k] for k in ("tasks", "predictions", "predictions_renewed", "doubles")], [2, 2, 0, []])

    # A class that the project lacks: refused before anything is sent.
    write_source(folder / "other", ["0 0.5 0.5 0.25 0.5\n"], ["train/o.png"])
    (folder / "other/data.yaml").write_text("train: images/train\nval: images/train\nnc: 1\nnames: [elephant]\n")
    outcome = program("push", place, "--source", "other", code=1)
    check("a class that the project lacks", ("'elephant'" in outcome.stderr, "RectangleLabels" in outcome.stderr), (True, True))
    outcome = program("pull", place.replace(TITLE, "999"), "--out", "none", code=1)
    check("a project that is not there", "expected the project '999'" in outcome.stderr, True)
    return project
