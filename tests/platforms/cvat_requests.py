"""This program asks a CVAT server what cvat-sdk asks (cvat_requests.json was recorded from cvat-sdk 2.80), and gets back what it sent.
Usage: cvat_requests.py PROGRAM [JOURNAL of cvat-sdk]"""
import json
import pathlib
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent)]
import cvat_service as cvat  # noqa: E402
from label_studio_scenario import near, rows_of  # noqa: E402
from peer_checks import Checks  # noqa: E402
from recording_server import RecordingServer, answer_json  # noqa: E402
from roboflow_scenario import Program  # noqa: E402
from roboflow_service import write_source  # noqa: E402

check = Checks()
theirs = json.loads((pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else here / "cvat_requests.json").read_text())
# Only cvat-sdk asks for these: it compares its version with the server's, and reads the task again after each step.
NOT_ASKED = [["GET", "/api/server/about", [], [], []], ["GET", "/api/tasks/7", [], [], []]]


def without(journal, *entries):
    return [one for one in journal if one not in entries]


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    service = cvat.Service()
    server = RecordingServer(service)
    service.address = lambda: server.address
    program = Program(sys.argv[1], folder, [cvat.PASSWORD, cvat.TOKEN, "S3ss", "Csrf"], CVAT_USERNAME=cvat.USER, CVAT_PASSWORD=cvat.PASSWORD)
    write_source(folder / "source")
    place = "cvat://" + server.address.split("://")[1]
    sent = program.json("push", place + "/cells", "--source", "source")
    check("what is sent", (sent["task"], sent["images"], sent["objects"]), (7, 3, 3))
    check("push: the same requests as cvat-sdk", cvat.journal(server.take()), without(theirs["push"], *NOT_ASKED))
    check("the images, in order", (service.order, sorted(service.images)), (["a b.png", "c.png", "empty.png"],) * 2)
    check("the labels", [one["name"] for one in service.task["labels"]], ["cat", "dog"])
    service.asked.clear()
    program("pull", place + "/7", "--out", "back")
    login = ["POST", "/api/auth/login", [], ["password", "username"], []]
    check("pull: the same requests as cvat-sdk", without(cvat.journal(server.take()), login, *NOT_ASKED), without(theirs["pull"], login, *NOT_ASKED))
    expected = {"train/a b.png": [[0, 0.5, 0.5, 0.25, 0.5], [1, 0.25, 0.25, 0.125, 0.25]], "train/empty.png": [], "train/c.png": [[1, 0.75, 0.5, 0.5, 0.5]]}
    check("there and back", near(rows_of(folder / "back"), expected, 1e-4), expected)
    service.asked.clear()
    token = {"CVAT_ACCESS_TOKEN": cvat.TOKEN, "CVAT_USERNAME": "", "CVAT_PASSWORD": ""}
    program("pull", place + "/cells", "--out", "by-name", "--images", "source/images", **token)
    check("by name, with a token and images of one's own", (near(rows_of(folder / "by-name"), expected, 1e-4) == expected, any(h.get("Authorization") == "Bearer " + cvat.TOKEN for h in server.heads)), (True, True))

    # A server behind a proxy that ends TLS does not know by which scheme it was asked.
    service.asked.clear()
    service.address = lambda: server.address.replace("http:", "https:")
    program("pull", place + "/7", "--out", "proxied")
    check("the server's own archive, by the scheme that was asked for", near(rows_of(folder / "proxied"), expected, 1e-4), expected)
    service.address = lambda: server.address

    # What goes wrong is one line.
    def fault(*arguments, **variables):
        outcome = program(*arguments, code=1, **variables)
        return outcome.stderr.strip().splitlines()[-1]
    check("another password", "400" in fault("pull", place + "/7", "--out", "x", CVAT_PASSWORD="wrong"), True)
    keyless = Program(sys.argv[1], folder, [cvat.PASSWORD])
    check("no key", "CVAT_ACCESS_TOKEN" in keyless("pull", place + "/7", "--out", "x", code=1).stderr, True)
    service.asked.clear()
    service.failure = "the disk is full of " + cvat.PASSWORD
    check("the server fails, and repeats a key", "the server failed: the disk is full of ***" in fault("pull", place + "/7", "--out", "x"), True)
    check("nothing is written", (folder / "x").exists(), False)
    check("pre-labels", "CVAT knows no predictions" in program("push", place + "/c", "--source", "source", "--pre-labels", code=2).stderr, True)
    for option in (["--merge"], ["--all"], ["--iou", "0.6"]):
        check(f"pull {option[0]}: not with CVAT", f"{option[0]}: expected a Label Studio server" in program("pull", place + "/7", "--out", "x", *option, code=2).stderr, True)
    # Answers that are none, or lead elsewhere.
    answers = {"/api/tasks/7": {}, "/api/tasks/7/dataset/export": {"rq_id": "r"}, "/api/requests/r": {"status": "finished"}}
    for where, value, said in (("/api/requests/r", {"status": "finished", "result_url": "file:///etc/passwd"}, "expected an http or https address"), ("/api/requests/r", {"status": "finished"}, "expected an http or https address"),
                               ("/api/requests/r", {"status": 17}, "expected an end within 1 s"), ("/api/tasks/7/dataset/export", {}, "expected 'rq_id'"), ("/api/tasks/7/dataset/export", 17, "expected 'rq_id'"), ("/api/tasks/7", "x", None)):
        odd = RecordingServer(lambda record, headers, body, change={where: value}: answer_json({**answers, **change}[record["path"]]))
        token = Program(sys.argv[1], folder, [cvat.TOKEN], CVAT_ACCESS_TOKEN=cvat.TOKEN)
        outcome = token("pull", "cvat://" + odd.address.split("://")[1] + "/7", "--out", "x", "--patience", "1", code=1)
        check(f"{where}: {value}", (outcome.stderr.count("error:"), said is None or said in outcome.stderr, (folder / "x").exists()), (1, True, False))
    other = RecordingServer(lambda record, headers, body: (200, {"Content-Type": "application/zip"}, b"no zip"))
    odd = RecordingServer(lambda record, headers, body: answer_json({**answers, "/api/requests/r": {"status": "finished", "result_url": other.address + "/far"}}[record["path"]]))
    outcome = token("pull", "cvat://" + odd.address.split("://")[1] + "/7", "--out", "x", code=1)
    check("an archive on another host: it learns no token", ("expected a zip archive" in outcome.stderr, len(other.heads), any(cvat.TOKEN in json.dumps(head) for head in other.heads)), (True, 1, False))
check.end("the requests are those of cvat-sdk")
