"""A server of the Open Inference Protocol, version 2, that runs an ONNX file by ONNX Runtime; Python's standard library
otherwise. As a program: inference_server.py FILE.onnx [--bytes] [--parameters], and the address is printed."""
import http.server
import json
import sys
import threading

import numpy as np
import onnxruntime

TYPES = {"tensor(float)": "FP32", "tensor(float16)": "FP16", "tensor(int32)": "INT32", "tensor(int64)": "INT64", "tensor(uint8)": "UINT8"}
NUMPY = {"FP32": np.float32, "FP16": np.float16, "INT32": np.int32, "INT64": np.int64, "UINT8": np.uint8}


class Model:
    def __init__(self, path, binary, parameters):
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.binary = binary
        kept = self.session.get_modelmeta().custom_metadata_map
        self.parameters = {key: value for key, value in kept.items() if key != "description"} if parameters else {}

    @staticmethod
    def described(tensors):
        return [{"name": t.name, "datatype": TYPES[t.type], "shape": [s if isinstance(s, int) else -1 for s in t.shape]} for t in tensors]

    def metadata(self):
        told = {"name": "model", "versions": ["1"], "platform": "onnxruntime_onnx", "inputs": self.described(self.session.get_inputs()),
                "outputs": self.described(self.session.get_outputs())}
        return told | ({"parameters": self.parameters} if self.parameters else {})

    def infer(self, head, tail):
        feeds, at = {}, 0
        for one in head["inputs"]:
            kind = NUMPY[one["datatype"]]
            size = one.get("parameters", {}).get("binary_data_size")
            if size is None:
                values = np.array(one["data"], kind)
            else:
                values, at = np.frombuffer(tail[at:at + size], kind), at + size
            feeds[one["name"]] = values.reshape(one["shape"])
        assert at == len(tail), (at, len(tail))
        names = [one["name"] for one in head["outputs"]]
        wanted = {one["name"]: one.get("parameters", {}).get("binary_data", False) for one in head["outputs"]}
        outputs, raw = [], b""
        for name, values in zip(names, self.session.run(names, feeds)):
            entry = {"name": name, "datatype": {v: k for k, v in NUMPY.items()}[values.dtype.type], "shape": list(values.shape)}
            if wanted[name]:
                entry["parameters"] = {"binary_data_size": values.nbytes}
                raw += values.tobytes()
            else:
                entry["data"] = [float(v) for v in values.reshape(-1)]
            outputs.append(entry)
        return {"model_name": "model", "outputs": outputs}, raw


def serve(path, binary=False, parameters=False):
    """The server, and its address."""
    model = Model(path, binary, parameters)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, code, body, length=None):
            self.send_response(code)
            self.send_header("Content-Type", "application/json" if length is None else "application/octet-stream")
            self.send_header("Content-Length", str(len(body)))
            if length is not None:
                self.send_header("Inference-Header-Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self):
            told = {"/v2": {"name": "test", "version": "1", "extensions": ["binary_tensor_data"] if binary else []},
                    "/v2/models/model": model.metadata(), "/v2/models/model/ready": {}}.get(self.path)
            code = 404 if told is None else 200
            self.answer(code, json.dumps(told or {"error": "no such model"}).encode())

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            length = self.headers.get("Inference-Header-Content-Length")
            assert (length is not None) == binary and self.path == "/v2/models/model/infer", (length, self.path)
            head = len(body) if length is None else int(length)
            told, raw = model.infer(json.loads(body[:head]), body[head:])
            text = json.dumps(told).encode()
            self.answer(200, text + raw, len(text) if raw else None)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/v2/models/model"


if __name__ == "__main__":
    running, address = serve(sys.argv[1], "--bytes" in sys.argv, "--parameters" in sys.argv)
    print(address, flush=True)
    threading.Event().wait()
