"""An HTTP server of the tests' own: writes down each request in a form that can be compared, and answers by a function.
A request is {method, path, query: [[name, value]], and what its body is: json, parts: [{name, file_name, media_type, content}] or
body}. Content that is no text is written as its SHA-256."""
import email.parser
import email.policy
import hashlib
import http.server
import json
import threading
import urllib.parse


def content_of(data):
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "sha256:" + hashlib.sha256(data).hexdigest()


def parts_of(content_type, body):
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    return [{"name": part.get_param("name", header="content-disposition"), "file_name": part.get_filename() or "", "media_type": part.get_content_type() if part["content-type"] else "",
             "content": content_of(part.get_payload(decode=True))} for part in message.iter_parts()]


def record_of(method, target, headers, body):
    split = urllib.parse.urlsplit(target)
    record = {"method": method, "path": urllib.parse.unquote(split.path), "query": [list(one) for one in urllib.parse.parse_qsl(split.query, keep_blank_values=True)]}
    kind = headers.get("Content-Type", "")
    if kind.startswith("multipart/form-data"):
        record["parts"] = parts_of(kind, body)
    elif body and kind.startswith("application/json"):
        record["json"] = json.loads(body)
    elif body:
        record["body"] = content_of(body)
    return record


class RecordingServer:
    """answer(record, headers, body) → (status, headers, bytes), or None: the connection is closed without an answer."""

    def __init__(self, answer, tls=None):
        self.records, self.heads, self.lock = [], [], threading.Lock()
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_request(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else b""
                record = record_of(self.command, self.path, self.headers, body)
                with server.lock:
                    server.records.append(record)
                    server.heads.append(dict(self.headers.items()))
                    answered = answer(record, self.headers, body)
                if answered is None:
                    self.close_connection = True
                    return
                status, headers, content = answered
                self.send_response(status)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(content)))
                for name, value in headers.items():
                    for one in value if isinstance(value, list) else [value]:
                        self.send_header(name, one)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_request

            def log_message(self, *arguments):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.handle_error = lambda *_: None  # a client that is gone
        self.address = f"http://127.0.0.1:{self.http.server_address[1]}"
        if tls:
            self.http.socket = tls.wrap_socket(self.http.socket, server_side=True, do_handshake_on_connect=False)  # by the thread of the connection
            self.address = f"https://localhost:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def take(self):
        """What was asked since the last call."""
        with self.lock:
            records, self.records = self.records, []
        return records

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def answer_json(value, status=200, headers=None):
    return status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(value).encode()
