"""A real Label Studio on this machine, without a network and without calls home (data-services C1)."""
import http.client
import http.cookiejar
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from label_studio_scenario import TOKEN


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class LabelStudioServer:
    def __init__(self, python, folder):
        self.python, self.folder, self.port = pathlib.Path(python), pathlib.Path(folder), free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.process = None
        # An empty data folder costs a minute of migrations: the first start keeps what they made beside the program.
        self.migrated, self.database = self.python.parent.parent / "migrated.sqlite3", self.folder / "label_studio.sqlite3"
        if self.migrated.exists():
            shutil.copyfile(self.migrated, self.database)

    def start(self):
        environment = {**os.environ, "LABEL_STUDIO_BASE_DATA_DIR": str(self.folder), "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": "", "COLLECT_ANALYTICS": "false", "LATEST_VERSION_CHECK": "false",
                       "LABEL_STUDIO_USERNAME": "first@example.com", "LABEL_STUDIO_PASSWORD": "only-for-tests-1", "LABEL_STUDIO_USER_TOKEN": TOKEN, "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true"}
        log = open(self.folder / "server.log", "a")
        self.process = subprocess.Popen([self.python.parent / "label-studio", "start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(self.port), "--log-level", "INFO"],
                                        stdout=log, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        for _ in range(600):
            try:
                with urllib.request.urlopen(self.address + "/health", timeout=5) as answer:
                    if answer.status == 200:
                        self.keep_migrated()
                        return self
            except (OSError, http.client.HTTPException):
                time.sleep(0.5)
            if self.process.poll() is not None:
                break
        raise SystemExit("Label Studio does not start:\n" + (self.folder / "server.log").read_text()[-2000:])

    def keep_migrated(self):
        if not self.migrated.exists():
            with sqlite3.connect(self.database) as source, sqlite3.connect(self.migrated.with_suffix(".new")) as target:
                source.backup(target)
            self.migrated.with_suffix(".new").rename(self.migrated)

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def person(self, token):
        def call(method, path, body=None):
            request = urllib.request.Request(self.address + path, None if body is None else json.dumps(body).encode(), {"Authorization": "Token " + token, "Content-Type": "application/json"}, method=method)
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        return call

    def second_person(self):
        """Signs up as a browser does, and asks for a token."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        page = opener.open(self.address + "/user/signup/").read().decode()
        form = {"csrfmiddlewaretoken": re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[1], "email": "second@example.com", "password": "only-for-tests-2"}
        opener.open(urllib.request.Request(self.address + "/user/signup/", urllib.parse.urlencode(form).encode(), {"Referer": self.address + "/user/signup/"}))
        return self.person(json.loads(opener.open(self.address + "/api/current-user/token").read())["token"])
