"""The config.pbtxt of `export --triton` is what Triton's own schema says, and tells what ONNX Runtime finds in the file beside it.
Usage: triton_peer.py YOLOV7. Exit code 77: skipped."""
import importlib.metadata
import importlib.util
import json
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import onnxruntime
    from google.protobuf import text_format
    # The package's own __init__ wants libraries that are not needed here.
    place = importlib.metadata.distribution("tritonclient").locate_file("tritonclient/grpc/model_config_pb2.py")
    spec = importlib.util.spec_from_file_location("model_config_pb2", place)
    schema = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(schema)
except (ImportError, FileNotFoundError) as error:
    print(f"skipped: {error} (scripts/setup installs onnxruntime and tritonclient)")
    sys.exit(77)

TYPES = {"tensor(float)": schema.TYPE_FP32, "tensor(float16)": schema.TYPE_FP16, "tensor(int32)": schema.TYPE_INT32}
program, weights = sys.argv[1], Path(__file__).resolve().parents[2] / "weights/yolov7-tiny-synth.pt"


def export(folder, *options):
    """Name of the model -> its configuration by the schema, which knows no other field."""
    repository = folder / "models"
    subprocess.run([program, "export", "--weights", weights, "--img-size", "64", "96", "--out", folder / "out", "--triton", repository, "--no-verify",
                    "--json", *options], check=False, capture_output=True)
    return {path.parent.name: text_format.Parse(path.read_text(), schema.ModelConfig()) for path in sorted(repository.glob("*/config.pbtxt"))}


def sides(dims, most):
    """As a file has them: the batch in front."""
    return ([-1] if most > 0 else []) + list(dims)


def compare_with_file(config, path):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for told, found in ((config.input, session.get_inputs()), (config.output, session.get_outputs())):
        assert [t.name for t in told] == [f.name for f in found], (told, [f.name for f in found])
        for t, f in zip(told, found):
            shape = [side if isinstance(side, int) else -1 for side in f.shape]
            assert sides(t.dims, config.max_batch_size) == shape, (t, f.shape)
            assert t.data_type == TYPES[f.type], (t, f.type)


def check(options, name, most, platform="onnxruntime_onnx", compare=True):
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        configs = export(folder, *options)
        config = configs[name]
        assert config.name == name and config.max_batch_size == most, config
        assert platform in (config.platform, config.backend), config
        assert (folder / "models" / name / "1").is_dir()
        assert config.parameters["stride"].string_value == "32" and config.parameters["names"].string_value.startswith("{0: '"), config.parameters
        assert config.HasField("dynamic_batching") == (most > 0)
        if compare:
            compare_with_file(config, folder / "models" / name / "1" / config.default_model_filename)
        return configs


stem = Path(weights).stem
cases = 0
for options, most in ((["--include", "onnx", "--grid"], 0), (["--include", "onnx"], 0), (["--include", "onnx", "--grid", "--dynamic-batch"], 8),
                      (["--include", "onnx", "--dynamic-batch", "--batch-size", "4"], 4), (["--include", "onnx", "--grid", "--dynamic"], 8),
                      (["--include", "onnx", "--nms", "--dynamic-batch"], 0), (["--include", "onnx", "--half", "--half-io", "--fold-obj"], 0)):
    check(options, stem, most)
    cases += 1
check(["--include", "engine", "--end2end", "--dynamic-batch", "--batch-size", "4"], stem, 4, "tensorrt_plan", compare=False)
several = check(["--include", "onnx", "openvino", "saved_model", "pb", "--grid"], f"{stem}-onnx", 0)
assert [config.platform or config.backend for config in several.values()] == ["onnxruntime_onnx", "openvino", "tensorflow_graphdef",
                                                                             "tensorflow_savedmodel"], several
print(json.dumps({"repositories": cases + 2}))
