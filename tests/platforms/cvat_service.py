"""Answers like CVAT's API 2.80, as far as cvat-sdk asks (data-services C2): complete enough for its types. Keeps what is uploaded, looks
at the annotations as the importer would, and exports them again."""
import base64
import email.parser
import email.policy
import io
import json
import xml.etree.ElementTree
import zipfile

from recording_server import answer_json

USER, PASSWORD, TOKEN = "someone", "cv-s3cret", "cv-t0ken"
OWNER = {"url": "http://x", "id": 1, "username": USER, "first_name": "", "last_name": ""}
KIND = {"Content-Type": "application/vnd.cvat+json"}


class Service:
    def __init__(self, address=lambda: ""):
        self.address, self.task, self.images, self.order, self.upload, self.annotations, self.failure = address, None, {}, [], None, None, ""
        self.asked, self.completed, self.made = {}, 0, 0

    def answer(self, value, status=200, headers=None):
        return answer_json(value, status, {**KIND, **(headers or {})})

    def described(self):
        at = self.address()
        return {"url": f"{at}/api/tasks/7", "id": 7, "name": self.task["name"], "project_id": None, "mode": "annotation", "owner": OWNER, "assignee": None, "bug_tracker": "",
                "created_date": "2026-01-01T00:00:00Z", "updated_date": "2026-01-01T00:00:00Z", "overlap": 0, "segment_size": 0, "status": "annotation", "data_chunk_size": 72,
                "data_compressed_chunk_type": "imageset", "guide_id": None, "data_original_chunk_type": "imageset", "size": len(self.images), "image_quality": 100, "data": 1, "dimension": "2d",
                "subset": "", "organization": None, "organization_id": None, "target_storage": None, "source_storage": None,
                "jobs": {"count": 1, "completed": self.completed, "validation": 0, "url": f"{at}/api/jobs?task_id=7"}, "labels": {"url": f"{at}/api/labels?task_id=7"}, "assignee_updated_date": None,
                "validation_mode": None, "consensus_enabled": False}

    def request(self, number):
        self.asked[number] = self.asked.get(number, 0) + 1
        done = self.asked[number] > 1
        status = "started" if not done else "failed" if self.failure else "finished"
        return self.answer({"id": number, "status": status, "message": self.failure if done else "",
                            "operation": {"type": "x", "target": "task", "project_id": None, "task_id": 7, "job_id": None, "format": None, "function_id": None, "lightweight": False},
                            "progress": 1.0, "created_date": "2026-01-01T00:00:00Z", "started_date": None, "finished_date": None, "expiry_date": None, "owner": {"id": 1, "username": USER},
                            "result_url": f"{self.address()}/api/tasks/7/dataset/download?rq_id={number}", "result_id": 7})

    def take_images(self, headers, body):
        message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body)
        for part in message.iter_parts():
            if part.get_filename():
                self.images[part.get_filename().split("/")[-1]] = part.get_payload(decode=True)

    def import_annotations(self):
        """What does not fit fails the request, as the importer of the server does."""
        with zipfile.ZipFile(io.BytesIO(self.upload["content"])) as archive:
            self.annotations = archive.read("annotations.xml")
        root = xml.etree.ElementTree.fromstring(self.annotations)
        labels = {one["name"] for one in self.task["labels"]}
        strange = {image.get("name") for image in root.iter("image")} - set(self.images) | {shape.get("label") for image in root.iter("image") for shape in image if shape.tag != "tag"} - labels
        if strange:
            self.failure = f"no such image or label: {sorted(strange)}"

    def exported(self, images):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as archive:
            archive.writestr("annotations.xml", self.annotations)
            for name, content in self.images.items():
                if images:
                    archive.writestr("images/" + name, content)
        return data.getvalue()

    def data(self, headers, body):
        if "Upload-Start" in headers:
            return self.answer(None, 202)
        if "Upload-Multiple" in headers:
            self.take_images(headers, body)
            return self.answer(None)
        content = json.loads(body)
        self.order = content["upload_file_order"]
        return self.answer({"rq_id": "action=create&target=task&id=7"}, 202)

    def import_step(self, headers):
        if "Upload-Start" in headers:
            return self.answer(None, 202)
        if "Upload-Length" in headers:
            self.upload = {"length": int(headers["Upload-Length"]), "content": b"", "name": base64.b64decode(headers["Upload-Metadata"].split()[1]).decode()}
            return 201, {"Location": self.address() + "/api/tasks/7/annotations/one", "Upload-Offset": "0", "Upload-Filename": "stored-" + self.upload["name"]}, b""
        if len(self.upload["content"]) != self.upload["length"]:
            return self.answer({"detail": "the upload is not whole"}, 400)
        self.import_annotations()
        return self.answer({"rq_id": "action=import&target=task&id=7"}, 202)

    def piece(self, headers, body):
        if int(headers["Upload-Offset"]) != len(self.upload["content"]):
            return self.answer({"detail": "another offset"}, 409)
        self.upload["content"] += body
        return 204, {"Upload-Offset": str(len(self.upload["content"])), "Upload-Filename": "stored-" + self.upload["name"]}, b""

    def __call__(self, record, headers, body):
        method, path = record["method"], record["path"].rstrip("/")
        if path == "/api/server/about":
            return self.answer({"name": "CVAT", "description": "", "version": "2.80.0", "subtitle": "", "logo_url": ""})
        if path == "/api/auth/login":
            if (record["json"].get("username"), record["json"].get("password")) != (USER, PASSWORD):
                return self.answer({"non_field_errors": [f"{record['json']} cannot log in"]}, 400)
            return self.answer({"key": "T"}, headers={"Set-Cookie": ["sessionid=S3ss; Path=/", "csrftoken=Csrf; Path=/"]})
        cookies = headers.get("Cookie", "")
        if headers.get("Authorization") != "Bearer " + TOKEN and not ("sessionid=S3ss" in cookies and (method == "GET" or headers.get("X-CSRFToken") == "Csrf")):
            return self.answer({"detail": "Authentication credentials were not provided."}, 401)
        if path == "/api/tasks" and method == "POST":
            self.task = record["json"]
            self.made += 1
            return self.answer(self.described(), 201)
        if path == "/api/tasks":
            there = [] if self.task is None else [self.described()]
            return self.answer({"count": len(there), "next": None, "previous": None, "results": there})
        if self.task is None:
            return self.answer({"detail": "Not found."}, 404)
        if path == "/api/tasks/7":
            return self.answer(self.described())
        if path == "/api/tasks/7/data":
            return self.data(headers, body)
        if path == "/api/tasks/7/annotations" and method == "POST":
            return self.import_step(headers)
        if path == "/api/tasks/7/annotations/one":
            return self.piece(headers, body)
        if path.startswith("/api/requests/"):
            return self.request(path.split("/", 3)[3])
        if path == "/api/tasks/7/dataset/export":
            self.export_images = dict(record["query"])["save_images"] == "True"
            return self.answer({"rq_id": "action=export&target=task&id=7"}, 202)
        if path == "/api/tasks/7/dataset/download":
            return 200, {"Content-Type": "application/zip"}, self.exported(self.export_images)
        return self.answer({"detail": f"no such thing {path}"}, 404)


def journal(records):
    """Method, path, names of the query and of the body: what two clients of the same calls have in common."""
    found = []
    for one in records:
        entry = [one["method"], one["path"], sorted(name for name, _ in one["query"] if name != "rq_id"), sorted(one.get("json", {})), sorted(part["name"] for part in one.get("parts", []))]
        if one["method"] != "GET" or entry not in found:
            found.append(entry)
    return found
