"""The scenario by this program, and how its requests are compared with those of the official package."""
import json
import os
import pathlib
import subprocess

import roboflow_service as rf
from recording_server import RecordingServer

# What this program does otherwise, each with its reason (docs/platforms.md):
NOT_ASKED = [{"method": "POST", "path": "/", "query": [["api_key", rf.KEY]]}]  # the first look at the workspace tells the same


def environment(**further):
    """Without keys and files of the user."""
    kept = {k: v for k, v in os.environ.items() if k not in ("ROBOFLOW_API_KEY", "LABEL_STUDIO_API_KEY", "CVAT_ACCESS_TOKEN", "CVAT_USERNAME", "CVAT_PASSWORD", "YOLOV7_CREDENTIALS")}
    return {**kept, "XDG_CONFIG_HOME": "/nonexistent", **further}


class Program:
    """Calls of the program, each remembered with all that it said."""

    def __init__(self, path, folder, secrets, **variables):
        self.path, self.folder, self.secrets, self.variables, self.said = path, folder, secrets, variables, ""

    def __call__(self, *arguments, code=0, **variables):
        outcome = subprocess.run([self.path, "dataset", *arguments], capture_output=True, text=True, cwd=self.folder, env=environment(**{**self.variables, **variables}), timeout=240)
        self.said += outcome.stdout + outcome.stderr
        for secret in self.secrets:
            if secret in outcome.stdout + outcome.stderr:
                raise SystemExit(f"FAIL: {arguments[0]} shows a secret")
        if code is not None and outcome.returncode != code:
            raise SystemExit(f"FAIL: {' '.join(arguments)}: expected exit code {code}, found {outcome.returncode}\n{outcome.stdout}{outcome.stderr}")
        return outcome

    def json(self, *arguments, **options):
        return json.loads(self(*arguments, "--json", **options).stdout)


def run_scenario(path, folder):
    """Our requests, step by step."""
    service = rf.Service()
    server = RecordingServer(service)
    service.address = lambda: server.address
    program = Program(path, folder, [rf.KEY, "zip-s3cret"], ROBOFLOW_API_KEY=rf.KEY)
    rf.write_source(pathlib.Path(folder) / "source")
    (pathlib.Path(folder) / "settings.json").write_text(json.dumps(rf.SETTINGS))
    at, records = ["--address", server.address], {}
    program("download", "roboflow://ws/proj/1", "--out", "out", *at)
    records["download"] = server.take()
    service.fail = 2
    sent = ["upload", "roboflow://ws/proj", "--source", "source", *at]
    program(*sent, "--batch", "my batch", "--tag", "t1", "t 2", "--tries", "4", "--journal", "1.sqlite")
    records["upload"] = server.take()
    service.uploads = service.fail = 0
    program(*sent, "--batch", "other", "--predictions", "--journal", "2.sqlite")
    records["predictions"] = server.take()
    program("generate", "roboflow://ws/proj", "--settings", "settings.json", *at)
    records["generate"] = server.take()
    program("health", "roboflow://ws/proj", *at)
    records["health"] = server.take()
    server.close()
    return records


def comparable(records):
    """Queries and parts as sets of pairs; a look (GET) counts once, however often it was repeated."""
    found = []
    for record in records:
        if record in NOT_ASKED:
            continue
        one = dict(record, query=sorted(record["query"]), parts=sorted(record.get("parts", []), key=lambda part: part["name"]))
        if record["method"] != "GET" or one not in found:
            found.append(one)
    return sorted(found, key=lambda one: json.dumps(one, sort_keys=True))


def compare(check, theirs, ours):
    looks = {json.dumps(one, sort_keys=True) for one in comparable([record for records in theirs.values() for record in records]) if one["method"] == "GET"}
    for step, records in theirs.items():
        mine = comparable(ours[step])
        # Each call of the program looks at workspace and project; the package does so once at its beginning.
        extra = [one for one in mine if one["method"] == "GET" and one not in comparable(records) and json.dumps(one, sort_keys=True) in looks]
        check(f"{step}: the same requests as the official package", [one for one in mine if one not in extra], comparable(records))
