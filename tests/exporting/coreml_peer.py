"""coremltools loads the packages that we write and types their programs; a small interpreter of those operations, and OpenVINO to which they
are translated (pymil_openvino.py), give what the reference interpreter gives. Apple's compiler and runtime are not at hand. Usage: coreml_peer.py FIXTURE. Exit code 77: skipped."""
import json
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

logging.disable(logging.WARNING)
warnings.filterwarnings("ignore")
stderr = os.dup(2)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # its import says what is only there on a Mac
try:
    import coremltools
    import numpy as np
    from coremltools.converters.mil.frontend.milproto.load import load as load_program
except ImportError as error:
    print(f"skipped: {error} (scripts/setup installs coremltools)")
    sys.exit(77)
finally:
    os.dup2(stderr, 2)

import pymil_openvino

openvino = pymil_openvino.load_openvino()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def windows(x, kernel, stride, pad, fill, dilation=(1, 1)):
    """[1, C, H, W] -> [C, kh, kw, H', W']; pad: top, bottom, left, right."""
    x = np.pad(x[0], ((0, 0), (pad[0], pad[1]), (pad[2], pad[3])), constant_values=fill)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    sides = [(x.shape[i + 1] - reach[i]) // stride[i] + 1 for i in (0, 1)]
    return np.stack([np.stack([x[:, r * dilation[0]:r * dilation[0] + (sides[0] - 1) * stride[0] + 1:stride[0],
                                 c * dilation[1]:c * dilation[1] + (sides[1] - 1) * stride[1] + 1:stride[1]]
                               for c in range(kernel[1])], axis=1) for r in range(kernel[0])], axis=1)


def conv(x, weight, strides, pad_type, pad, dilations, groups, bias=None):
    assert pad_type == "custom"
    patches = windows(x, weight.shape[2:], strides, pad, 0, dilations)
    per, out = weight.shape[1], weight.shape[0] // groups
    parts = [np.einsum("oikl,iklhw->ohw", weight[g * out:(g + 1) * out], patches[g * per:(g + 1) * per]) for g in range(groups)]
    return np.concatenate(parts)[None] + (0 if bias is None else bias[None, :, None, None])


def max_pool(x, kernel_sizes, strides, pad_type, pad, ceil_mode):
    assert pad_type == "custom" and not ceil_mode
    return windows(x, kernel_sizes, strides, pad, -np.inf).max(axis=(1, 2))[None]


def slice_by_index(x, begin, end, stride=None):
    steps = stride if stride is not None else [1] * x.ndim
    return x[tuple(slice(b, e, s) for b, e, s in zip(begin, end, steps))]


def upsample(x, scale_factor_height, scale_factor_width):
    return x.repeat(int(scale_factor_height), axis=2).repeat(int(scale_factor_width), axis=3)


def batch_norm(x, mean, variance, gamma, beta, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    return x * scale[None, :, None, None] + (beta - mean * scale)[None, :, None, None]


def concat(values, axis, interleave):
    assert not interleave
    return np.concatenate(values, axis=axis)


# As the MIL reference describes each.
OPERATIONS = {
    "conv": conv, "max_pool": max_pool, "slice_by_index": slice_by_index, "upsample_nearest_neighbor": upsample, "batch_norm": batch_norm,
    "concat": concat, "add": lambda x, y: x + y, "mul": lambda x, y: x * y, "identity": lambda x: x, "cast": lambda x, dtype: x,
    "relu": lambda x: np.maximum(x, 0), "relu6": lambda x: np.clip(x, 0, 6), "sigmoid": sigmoid, "silu": lambda x: x * sigmoid(x),
    "leaky_relu": lambda x, alpha: np.where(x >= 0, x, alpha * x), "reshape": lambda x, shape: x.reshape(shape),
    "transpose": lambda x, perm: x.transpose(perm), "reduce_mean": lambda x, axes, keep_dims: x.mean(axis=tuple(axes), keepdims=keep_dims),
    "reduce_max": lambda x, axes, keep_dims: x.max(axis=tuple(axes), keepdims=keep_dims),
}
DECLARED = {10: coremltools.converters.mil.mil.types.fp16, 11: coremltools.converters.mil.mil.types.fp32}
TYPES = {"fp16": np.float16, "fp32": np.float32}


def run(program, image, palettes):
    """Every operation in double precision, its result rounded to the type that coremltools finds for it."""
    function = program.functions["main"]
    assert function.opset_version == (coremltools.target.iOS16 if palettes else coremltools.target.iOS15), function.opset_version
    assert palettes == sum(op.op_type == "constexpr_lut_to_dense" for op in function.operations)
    values = {name: image for name in function.inputs}

    def value_of(argument):
        if isinstance(argument, (list, tuple)):
            return [value_of(one) for one in argument]
        value = values[argument.name] if argument.name in values else argument.val
        return value.astype(np.float64) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value

    half = 0
    for op in function.operations:
        if op.op_type == "const":
            continue
        if op.op_type == "constexpr_lut_to_dense":
            values[op.outputs[0].name] = op.materialized_val_inference()
            assert values[op.outputs[0].name].dtype == np.float32
            continue
        given = {name: value_of(argument) for name, argument in op.inputs.items() if argument is not None and name in op.used}
        kind = np.dtype(TYPES[coremltools.converters.mil.mil.types.builtin_to_string(op.outputs[0].dtype)])
        half += kind == np.float16
        result = np.asarray(OPERATIONS[op.op_type](**given)).astype(kind)
        assert result.shape == tuple(op.outputs[0].shape), f"{op.name}: {result.shape}, typed {op.outputs[0].shape}"
        values[op.outputs[0].name] = result
    return [values[output.name].astype(np.float64) for output in function.outputs], half


def compare_with_file(program, spec):
    """Types that the file declares are those that coremltools finds. It fills in what a file leaves out: only what stands in the file counts as
    given."""
    block = next(iter(spec.mlProgram.functions["main"].block_specializations.values()))
    written = [op for op in block.operations if op.type != "const"]
    operations = [op for op in program.functions["main"].operations if op.op_type != "const"]
    for op, own in zip(operations, written, strict=True):
        op.used = set(own.inputs)
        declared = own.outputs[0].type.tensorType
        found = op.outputs[0]
        assert [d.constant.size for d in declared.dimensions] == list(found.shape), f"{own.outputs[0]}, typed {found.shape}"
        assert declared.rank == len(found.shape) and DECLARED[declared.dataType] == found.dtype, f"{own.outputs[0]}, typed {found.dtype}"


def weights(params):
    """WeightParams: whichever of the two it holds."""
    if params.float16Value:
        return np.frombuffer(params.float16Value, np.float16).astype(np.float64)
    return np.array(params.floatValue, np.float64)


def edges(valid):
    """ValidPadding as top, bottom, left, right."""
    amounts = valid.paddingAmounts.borderAmounts
    return [amounts[0].startEdgeSize, amounts[0].endEdgeSize, amounts[1].startEdgeSize, amounts[1].endEdgeSize]


def run_layer(layer, values):
    """One layer of the older form, as NeuralNetwork.proto describes it."""
    kind = layer.WhichOneof("layer")
    p = getattr(layer, kind)
    x = [values[name] for name in layer.input]
    if kind == "convolution":
        shape = (p.outputChannels, p.kernelChannels, *p.kernelSize)
        bias = weights(p.bias) if p.hasBias else None
        assert not p.isDeconvolution and p.WhichOneof("ConvolutionPaddingType") == "valid"
        return conv(x[0], weights(p.weights).reshape(shape), list(p.stride), "custom", edges(p.valid), list(p.dilationFactor), p.nGroups, bias)
    if kind == "pooling":
        assert p.type == p.MAX and not p.globalPooling
        return max_pool(x[0], list(p.kernelSize), list(p.stride), "custom", edges(p.valid), False)
    if kind == "batchnorm":
        return batch_norm(x[0], weights(p.mean), weights(p.variance), weights(p.gamma), weights(p.beta), p.epsilon)
    if kind == "activation":
        which = p.WhichOneof("NonlinearityType")
        return {"ReLU": lambda v: np.maximum(v, 0), "sigmoid": sigmoid, "linear": lambda v: p.linear.alpha * v + p.linear.beta,
                "leakyReLU": lambda v: np.where(v >= 0, v, p.leakyReLU.alpha * v)}[which](x[0])
    if kind == "sliceStatic":
        assert not any(p.beginMasks) and not any(p.endMasks) and len(p.beginMasks) == len(p.endMasks) == x[0].ndim
        return slice_by_index(x[0], p.beginIds, p.endIds, p.strides)
    if kind == "upsample":
        assert p.mode == p.NN
        return upsample(x[0], *p.scalingFactor)
    return {"loadConstantND": lambda: weights(p.data).reshape(list(p.shape)), "addBroadcastable": lambda: x[0] + x[1],
            "multiplyBroadcastable": lambda: x[0] * x[1], "concatND": lambda: np.concatenate(x, axis=p.axis), "clip": lambda: np.clip(x[0], p.minVal, p.maxVal),
            "reshapeStatic": lambda: x[0].reshape(list(p.targetShape)), "transpose": lambda: x[0].transpose(list(p.axes)),
            "reduceMean": lambda: x[0].mean(axis=tuple(p.axes), keepdims=p.keepDims),
            "reduceMax": lambda: x[0].max(axis=tuple(p.axes), keepdims=p.keepDims)}[kind]()


def run_older(spec, image):
    """Layers in double precision. Each has what it reads in front of it, and a name of its own."""
    network = spec.neuralNetwork
    assert network.arrayInputShapeMapping == 1 and network.imageInputShapeMapping == 1
    values = {"image": image}
    for layer in network.layers:
        assert list(layer.output) == [layer.name] and layer.name not in values
        values[layer.name] = np.asarray(run_layer(layer, values))
    half = sum(layer.WhichOneof("layer") == "convolution" and bool(layer.convolution.weights.float16Value) for layer in network.layers)
    return [values[output.name] for output in spec.description.output], half


def gap(found, expected):
    if found.shape != expected.shape:
        raise ValueError(f"shape {found.shape}, expected {expected.shape}")
    return float(np.abs(found - expected).max() / max(1, np.abs(expected).max()))


def check_suppression(spec, case):
    description = spec.description
    assert [f.name for f in description.input] == ["image", "iouThreshold", "confidenceThreshold"]
    assert [f.type.isOptional for f in description.input] == [False, True, True]
    assert [f.name for f in description.output] == ["confidence", "coordinates"]
    network, nms = spec.pipeline.models
    assert nms.WhichOneof("Type") == "nonMaximumSuppression"
    assert [f.name for f in network.description.output] == [f.name for f in nms.description.input][:2] == ["raw_confidence", "raw_coordinates"]
    settings = nms.nonMaximumSuppression
    assert (settings.iouThreshold, settings.confidenceThreshold) == (0.45, 0.25)
    assert settings.pickTop.perClass != case["agnostic"]
    assert list(settings.stringClassLabels.vector) == [f"name {i}" for i in range(case["classes"])]
    assert settings.confidenceInputFeatureName == "raw_confidence" and settings.coordinatesInputFeatureName == "raw_coordinates"
    assert settings.iouThresholdInputFeatureName == "iouThreshold" and settings.confidenceThresholdInputFeatureName == "confidenceThreshold"
    assert settings.confidenceOutputFeatureName == "confidence" and settings.coordinatesOutputFeatureName == "coordinates"
    return network


def expected_outputs(folder, case):
    rows = np.fromfile(folder / (case["name"] + ".rows")).reshape(1, -1, 5 + case["classes"])
    scores = rows[..., 4:5] if case["classes"] == 1 else rows[..., 4:5] * rows[..., 5:]
    if case["form"] == "v8":
        return [np.concatenate([rows[..., :4], scores], axis=2).transpose(0, 2, 1)]
    if case["form"] == "nms":
        h, w = case["shape"][1:]
        return [scores[0], rows[0, :, :4] / [w, h, w, h]]
    return [rows]


def run_case(folder, case):
    model = coremltools.models.MLModel(str(folder / case["file"]), skip_model_load=True)
    spec = model.get_spec()
    older = case["mlmodel"]
    version = 7 if case["int8"] else 6
    assert spec.specificationVersion == (version if not older else 5 if case["form"] == "nms" else 4)
    assert model.user_defined_metadata["names"].startswith("{0: 'name 0'") and model.author == "yolov7.cpp"
    network = check_suppression(spec, case) if case["form"] == "nms" else spec
    image = network.description.input[0].type.imageType
    assert network.description.input[0].name == "image" and image.colorSpace == image.RGB
    assert [image.height, image.width] == case["shape"][1:]
    if not older:
        program = load_program(network, specification_version=version, file_weights_dir=model.weights_dir)
        compare_with_file(program, network)
    pixels = np.fromfile(folder / (case["name"] + ".image"), np.float32).reshape([1] + case["shape"])
    found, half = run_older(network, np.round(pixels * 255).astype(np.float64)) if older else run(program, np.round(pixels * 255), int(case["int8"]))
    assert (half > 0 if older else half > 10) == case["half"], f"{half} operations in float16"
    for value, output in zip(found, network.description.output):
        assert list(output.type.multiArrayType.shape) == list(value.shape)
    # float32: ten times the rounding of some hundred operations. float16: ten layers of 11 bits, half of a last place each.
    expected = expected_outputs(folder, case)
    worst = max(gap(a, b) for a, b in zip(found, expected, strict=True))
    good = worst <= (5e-3 if case["half"] else 1e-5)
    if older or openvino is None:
        return good, worst
    # Weights of float16 in float32 arithmetic lie nearer than float16 throughout.
    other = max(gap(a, b) for a, b in zip(pymil_openvino.run(openvino, program, np.round(pixels * 255)), expected, strict=True))
    by_openvino[case["half"]] = max(by_openvino.get(case["half"], 0), other)
    return good and other <= (5e-3 if case["half"] else 1e-5), max(worst, other)


failures, largest, by_openvino = 0, {}, {}


def told(differences):
    return {"float16" if half else "float32": f"{v:.1e}" for half, v in differences.items()}


with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    subprocess.run([sys.argv[1], "coreml", folder], check=True)
    cases = json.loads((folder / "cases.json").read_text())
    for case in cases:
        try:
            good, what = run_case(folder, case)
            largest[case["half"]] = max(largest.get(case["half"], 0), what)
        except Exception as error:  # a file that the reader refuses is a failure like any other
            good, what = False, f"{type(error).__name__}: {error}"
        if not good:
            failures += 1
            print("FAIL", case, what, flush=True)
print(f"{len(cases)} packages; largest differences", told(largest), "; of programs in OpenVINO", told(by_openvino) or "none: it is not installed for this Python",
      f"; {failures} failures")
sys.exit(1 if failures else 0)
