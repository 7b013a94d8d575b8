"""The conversation that label_studio_peer.py recorded with a real server, with the recorded answers. Usage: label_studio_replay.py PROGRAM"""
import base64
import json
import pathlib
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(here), str(here.parent)]
import label_studio_scenario as scenario  # noqa: E402
from peer_checks import Checks  # noqa: E402
from recording_server import RecordingServer  # noqa: E402

check = Checks()
conversation = json.loads((here / "label_studio_conversation.json").read_text())
place = {"at": 0}


def answer(record, headers, body):
    if headers.get("Authorization") != "Token " + scenario.TOKEN:
        return 401, {"Content-Type": "application/json"}, b'{"detail": "no token"}'
    if place["at"] == len(conversation):
        return 500, {"Content-Type": "application/json"}, b'{"detail": "the recording is at its end"}'
    known = conversation[place["at"]]
    if record != known["request"]:
        check(f"request {place['at']}", record, known["request"])
        return 501, {"Content-Type": "application/json"}, b'{"detail": "another request than the recorded one"}'
    place["at"] += 1
    content = json.dumps(known["json"]).encode() if "json" in known else base64.b64decode(known["base64"])
    return None if known["lost"] else (known["status"], {"Content-Type": known["type"]}, content)


server = RecordingServer(answer)
with tempfile.TemporaryDirectory() as folder:
    scenario.run(check, sys.argv[1], folder, server.address)
check("the whole conversation", place["at"], len(conversation))
check.end("the recorded answers lead to the same results")
