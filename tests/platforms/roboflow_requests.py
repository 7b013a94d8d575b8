"""This program asks Roboflow's service what the official package asks (roboflow_requests.json was recorded from roboflow 1.7.3; the
nightly roboflow_peer.py records it again), keeps its key to itself, and refuses archives that attack. Usage: roboflow_requests.py PROGRAM"""
import json
import pathlib
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parent.parent)]
import roboflow_service as rf  # noqa: E402
from peer_checks import Checks  # noqa: E402
from recording_server import RecordingServer, answer_json  # noqa: E402
from roboflow_scenario import Program, compare, environment, run_scenario  # noqa: E402

check = Checks()
path = sys.argv[1]
fixture = json.loads((pathlib.Path(__file__).resolve().parent / "roboflow_requests.json").read_text())


def one_line(outcome, *parts):
    lines = outcome.stderr.strip().splitlines()
    return (outcome.returncode, len(lines), [part for part in parts if part not in outcome.stderr])


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    (folder / "scenario").mkdir()
    compare(check, fixture, run_scenario(path, folder / "scenario"))
    out = folder / "scenario" / "out"
    check("the archive's files", sorted(str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()),
          sorted(["data.yaml", "README.dataset.txt", "README.roboflow.txt", "roboflow.json"] + [f"{s}/{k}/x{n}.{e}" for n, s in enumerate(("train", "train", "valid")) for k, e in (("images", "png"), ("labels", "txt"))]))
    check("nothing of the download is left", [p.name for p in (folder / "scenario").iterdir() if "zip" in p.name], [])
    check("no file holds the key", [str(p) for p in (folder / "scenario").rglob("*") if p.is_file() and (rf.KEY.encode() in p.read_bytes() or b"zip-s3cret" in p.read_bytes())], [])

    # A journal goes on: a service that breaks off at the second upload gets each image and each annotation once.
    service = rf.Service()
    server = RecordingServer(lambda *request: service(*request) if not (broken and request[0]["path"].endswith("/upload") and service.uploads == 1) else None)
    service.address = lambda: server.address
    program = Program(path, folder, [rf.KEY], ROBOFLOW_API_KEY=rf.KEY)
    rf.write_source(folder / "source")
    send = ["upload", "roboflow://ws/proj", "--source", "source", "--address", server.address]
    broken = True
    outcome = program(*send, "--tries", "1", code=1)
    check("a lost connection ends in one line", "error" in outcome.stderr and server.address in outcome.stderr, True)
    broken = False
    again = program.json(*send)
    check("the journal goes on", (again["images"], again["images_sent_before"], again["annotations"]), (2, 1, 2))
    check("nothing twice", service.uploads, 3)
    again = program.json(*send)
    check("a third call has nothing to send", (again["images"], again["images_sent_before"], again["annotations"]), (0, 3, 0))
    (folder / "source/labels/val/c.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    server.take()
    again = program.json(*send)
    changed = [record for record in server.take() if record["method"] == "POST"]
    check("a changed label is sent alone, and replaces", (again["annotations"], [(r["path"], ["overwrite", "true"] in r["query"]) for r in changed]), (1, [("/dataset/proj/annotate/img3", True)]))

    # Annotations of the service's own are kept by every call, a changed label or not, until --overwrite asks for their end.
    def owned(record, headers, body):
        if "/annotate/" in record["path"] and ["overwrite", "true"] not in record["query"]:
            return answer_json({"warn": "already annotated"}, 409)
        return service(record, headers, body)
    own = RecordingServer(owned)
    keep = ["upload", "roboflow://ws/proj", "--source", "source", "--address", own.address, "--journal", "own.sqlite"]
    for more, rows, expected in (([], "1 0.5 0.5 0.5 0.5\n", (0, 3)), ([], "1 0.5 0.5 0.25 0.25\n", (0, 3)), (["--overwrite"], "1 0.5 0.5 0.25 0.25\n", (3, 0)), (["--overwrite"], "1 0.5 0.5 0.25 0.25\n", (3, 0)), ([], "1 0.5 0.5 0.25 0.25\n", (0, 0))):
        (folder / "source/labels/val/c.txt").write_text(rows)
        again = program.json(*keep, *more)
        check(f"annotations of the service's own {more}", (again["annotations"], again["annotations_kept"]), expected)
    # An answer that repeats the key, and is none: the image is named, and the key is not shown.
    odd = RecordingServer(lambda record, headers, body: answer_json({"message": "no id for " + rf.KEY}) if record["path"].endswith("/upload") else service(record, headers, body))
    outcome = program("upload", "roboflow://ws/proj", "--source", "source", "--address", odd.address, "--journal", "odd.sqlite", code=1)
    check("an answer without an id", (outcome.stderr.count("error:"), outcome.stderr.count("no id for ***"), "c.png: expected the id" in outcome.stderr), (3, 3, True))

    # Killed in between: the next call sends what the journal does not have. Interrupted: a clean end, at once.
    service.uploads = 0
    held = threading.Event()

    def slowly(record, headers, body):
        if record["path"].endswith("/annotate/img2"):
            held.set()
            time.sleep(1)
        return service(record, headers, body)
    slow = RecordingServer(slowly)
    send = ["upload", "roboflow://ws/proj", "--source", "source", "--address", slow.address, "--journal", "killed.sqlite"]
    for signum, code in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 130)):
        held.clear()
        process = subprocess.Popen([path, "dataset", *send], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(ROBOFLOW_API_KEY=rf.KEY))
        held.wait(60)
        began = time.monotonic()
        process.send_signal(signum)
        process.communicate(timeout=60)
        check(f"{signum.name}: its exit code, soon", (process.returncode, time.monotonic() - began < 30), (code, True))
        time.sleep(1.2)
    again = program.json(*send)
    check("what was sent before is not sent again", (again["images"], again["images_sent_before"], again["annotations"], service.uploads), (1, 2, 2, 3))

    # Keys: none, a wrong one, one in a file that others may read.
    where = ["versions", "roboflow://ws/proj", "--address", server.address]
    check("no key", one_line(program(*where, code=1, ROBOFLOW_API_KEY=""), "ROBOFLOW_API_KEY"), (1, 1, []))
    wrong = Program(path, folder, ["wr0ng"], ROBOFLOW_API_KEY="wr0ng")
    check("a wrong key, which the service repeats, is not shown", one_line(wrong(*where, code=1), "401", "***"), (1, 1, []))
    keys = folder / "keys"
    keys.write_text(f"roboflow {rf.KEY}\n")
    keys.chmod(0o644)
    check("a file that others may read", one_line(program(*where, code=1, ROBOFLOW_API_KEY="", YOLOV7_CREDENTIALS=str(keys)), "expected mode 600"), (1, 1, []))
    keys.chmod(0o600)
    check("a file of one's own", [one["id"] for one in program.json(*where, ROBOFLOW_API_KEY="", YOLOV7_CREDENTIALS=str(keys))["versions"]], ["ws/proj/1"])
    # Good answers that repeat the key.
    def repeat(record, headers, body):
        if record["path"] == "/ws/proj":
            return answer_json({"workspace": {}, "project": rf.PROJECT, "versions": [{**rf.VERSION, "name": "of " + rf.KEY, "exports": [rf.KEY]}]})
        return answer_json({"stats": {rf.KEY: [rf.KEY, 3]}}) if record["path"].endswith("/health") else service(record, headers, body)
    repeating = RecordingServer(repeat)
    again = program.json("versions", "roboflow://ws/proj", "--address", repeating.address)["versions"][0]
    check("a list that repeats the key", (again["name"], again["exports"], again["images"]), ("of ***", ["***"], 3))
    check("figures that repeat the key", program.json("health", "roboflow://ws/proj", "--address", repeating.address), {"stats": {"***": ["***", 3]}})
    for part in ("versions", "health"):  # Program refuses what shows the key
        program(part, "roboflow://ws/proj", "--address", repeating.address)
    check("http to another machine", one_line(program("versions", "roboflow://ws/proj", "--address", "http://192.0.2.1", code=2), "expected an https address"), (2, 1, []))
    check("a place that is none", one_line(program("versions", "roboflow://ws/../x", code=2), "expected roboflow://"), (2, 1, []))

    # The archive from another host: the key does not travel.
    other = RecordingServer(lambda record, headers, body: (200, {"Content-Type": "application/zip"}, rf.archive()))
    service.link = other.address + "/far?sig=zip-s3cret"
    get = ["download", "roboflow://ws/proj/1", "--address", server.address]
    program(*get, "--out", "far/")
    check("the key stays at home", (len(other.records), any(rf.KEY in json.dumps(one) for one in other.records + other.heads)), (1, False))

    # A download that breaks off goes on in a later call.
    whole = rf.archive()
    cut = {"now": True}

    def halves(record, headers, body):
        start = int(headers.get("Range", "bytes=0-")[6:-1])
        if cut["now"]:
            return 200, {"ETag": '"z"', "Content-Length": str(len(whole)), "Connection": "close"}, whole[:700]
        return (206, {"ETag": '"z"', "Content-Range": f"bytes {start}-{len(whole) - 1}/{len(whole)}"}, whole[start:]) if start else (200, {"ETag": '"z"'}, whole)
    slow = RecordingServer(halves)
    service.link = slow.address + "/half?sig=zip-s3cret"
    program(*get, "--out", "half", "--tries", "1", code=1)
    check("no half data set", (folder / "half").exists(), False)
    cut["now"] = False
    got = program.json(*get, "--out", "half")
    check("it goes on where it broke off", (got["resumed_at"], got["images"], slow.heads[-1]["Range"]), (700, 3, "bytes=700-"))

    # Archives that attack: one line, nothing written, nothing left.
    before = {p.name for p in folder.iterdir()}
    attacks = {"../evil": [("../evil.txt", "x")], "absolute": [("/tmp/evil.txt", "x")], "backslash": [("..\\evil.txt", "x")], "bomb": [("zeros", b"\0" * 100_000_000)], "twice": [("a", "x"), ("a/b", "y")]}
    for kind, entries in attacks.items():
        service.zip, service.link = rf.archive(entries), None
        outcome = program(*get, "--out", "evil", code=1)
        check(f"{kind}: refused", (outcome.stderr.count("expected") + outcome.stderr.count("it is a file and a folder"), {p.name for p in folder.iterdir()} - before), (1, set()))
    for kind, content in (("cut", whole[:500]), ("page", b"<html>sorry</html>"), ("empty", b"")):
        service.zip = content
        outcome = program(*get, "--out", "evil", code=1)
        check(f"{kind}: refused", ("expected a zip archive" in outcome.stderr, {p.name for p in folder.iterdir()} - before), (True, set()))
    service.zip = whole
    service.link = "file:///etc/passwd"
    check("a link to a file", one_line(program(*get, "--out", "evil", code=None), "expected an http or https address")[1:], (1, []))

    # Answers that are none.
    for text in (b"<html>", b"{}", b"[]", b'{"version": 1}', b'{"version": {"images": "x"}}'):
        odd = RecordingServer(lambda record, headers, body, text=text: (200, {"Content-Type": "application/json"}, text))
        outcome = program("download", "roboflow://ws/proj/1", "--address", odd.address, "--out", "evil", "--patience", "1", code=1)
        check(f"{text[:30]}: one line", ("expected" in outcome.stderr, (folder / "evil").exists()), (True, False))
    busy = RecordingServer(lambda *request: answer_json({"error": "busy"}, 503, {"Retry-After": "0"}))
    outcome = program("health", "roboflow://ws/proj", "--address", busy.address, "--tries", "3", code=1)
    check("a busy service is tried again", (len(busy.records), "503: busy" in outcome.stderr), (3, True))
    # A version whose making got no answer may be there: it is not asked for again.
    lost = RecordingServer(lambda record, headers, body: None if record["path"].endswith("/generate") else service(record, headers, body))
    outcome = program("generate", "roboflow://ws/proj", "--address", lost.address, code=1)
    check("a version is asked for once", (len([one for one in lost.records if one["method"] == "POST"]), "whether a version is made is not known" in outcome.stderr), (1, True))
    # TLS: a certificate that nobody vouches for is refused, and so is that of another host.
    for host in ("localhost", "other.example"):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}", "-keyout", folder / f"{host}.key", "-out", folder / f"{host}.pem"],
                       check=True, capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"{host}.pem", folder / f"{host}.key")
        secure = RecordingServer(rf.Service(), context)
        look = ["versions", "roboflow://ws/proj", "--address", secure.address, "--tries", "1"]
        check(f"{host}: an unknown certificate", ("its certificate is not trusted" in program(*look, code=1).stderr, secure.records), (True, []))
        known = program(*look, code=None, SSL_CERT_FILE=str(folder / f"{host}.pem"))
        check(f"{host}: a known certificate", (known.returncode, len(secure.records)), (0, 2) if host == "localhost" else (1, 0))
check.end("the requests are those of the official package")
