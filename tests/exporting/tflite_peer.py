"""LiteRT takes every TensorFlow Lite file that we write, by its signature, and gives what the reference interpreter gives; its schema has our numbers.
Usage: tflite_peer.py FIXTURE. Exit code 77: skipped."""
import json
import sys
import zipfile

try:
    from ai_edge_litert import interpreter as litert
    from ai_edge_litert import schema_py_generated as schema
    from channels_last_peer import images, main
except ImportError as error:
    print(f"skipped: {error} (scripts/setup installs ai-edge-litert)")
    sys.exit(77)


def run(folder, case, resolver):
    path = folder / (case["name"] + ".tflite")
    model = litert.Interpreter(str(path), num_threads=1, experimental_op_resolver_type=resolver)
    assert list(model.get_signature_list()) == ["serving_default"], model.get_signature_list()
    values = images(folder, case)
    if case["open"]:
        assert list(model.get_input_details()[0]["shape_signature"]) == [-1, *values.shape[1:]]
        model.resize_tensor_input(model.get_input_details()[0]["index"], values.shape)
    return model.get_signature_runner()(images=values)["output_0"]


def check_container(folder, case):
    """The schema's own reader finds what the file says, and the archive behind it."""
    path = folder / (case["name"] + ".tflite")
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    assert model.version == 3 and len(model.subgraphs) == 1
    codes = {code.builtinCode for code in model.operatorCodes}
    assert (schema.BuiltinOperator.DEQUANTIZE in codes) == case["half"], codes
    options = {schema.BuiltinOperator.CONV_2D: "Conv2DOptionsT", schema.BuiltinOperator.MAX_POOL_2D: "Pool2DOptionsT",
               schema.BuiltinOperator.DEPTHWISE_CONV_2D: "DepthwiseConv2DOptionsT", schema.BuiltinOperator.CONCATENATION: "ConcatenationOptionsT",
               schema.BuiltinOperator.STRIDED_SLICE: "StridedSliceOptionsT", schema.BuiltinOperator.LEAKY_RELU: "LeakyReluOptionsT",
               schema.BuiltinOperator.MEAN: "ReducerOptionsT", schema.BuiltinOperator.REDUCE_MAX: "ReducerOptionsT",
               schema.BuiltinOperator.PAD: "PadOptionsT", schema.BuiltinOperator.PADV2: "PadV2OptionsT",
               schema.BuiltinOperator.RESIZE_NEAREST_NEIGHBOR: "ResizeNearestNeighborOptionsT", schema.BuiltinOperator.RESHAPE: "ReshapeOptionsT",
               schema.BuiltinOperator.TRANSPOSE: "TransposeOptionsT", schema.BuiltinOperator.ADD: "AddOptionsT", schema.BuiltinOperator.MUL: "MulOptionsT",
               schema.BuiltinOperator.DEQUANTIZE: "DequantizeOptionsT"}
    for operation in model.subgraphs[0].operators:
        code = model.operatorCodes[operation.opcodeIndex].builtinCode
        found = type(operation.builtinOptions).__name__
        assert found == options.get(code, "NoneType"), (code, found)
    with zipfile.ZipFile(path) as archive:
        assert json.loads(archive.read("metadata.json"))["layout"] == ("v8" if case["fold_obj"] else "tf")


def with_delegate(folder, case):
    check_container(folder, case)
    return run(folder, case, litert.OpResolverType.AUTO)


def reference(folder, case):
    return run(folder, case, litert.OpResolverType.BUILTIN_REF)


main(sys.argv[1], "tflite", {"LiteRT": with_delegate, "its reference operations": reference})
