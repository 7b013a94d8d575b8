"""The operations of a Core ML program, as coremltools types them, as a model of OpenVINO: another runtime than the interpreter of
coreml_peer.py. Everything is computed in float32; what the program keeps in float16 is not rounded."""
import os
import sys
from pathlib import Path

import numpy as np


def load_openvino():
    """OpenVINO's Python package: that of this Python, or the one that scripts/setup unpacks for the library; None where there is none."""
    wheels = Path(__file__).resolve().parents[2] / ".deps" / "wheels"
    if wheels.is_dir():
        sys.path.append(str(wheels))
    try:
        import openvino
        import openvino.opset13  # noqa: F401
    except ImportError:
        return None
    finally:
        if str(wheels) in sys.path:
            sys.path.remove(str(wheels))
    return openvino


def translate(openvino, program):
    """openvino.Model of the program's main function."""
    o = openvino.opset13

    def whole(values):
        return o.constant(np.array(values, np.int64))

    def conv(x, weight, strides, pad_type, pad, dilations, groups, bias=None):
        assert pad_type == "custom"
        edges = [int(pad[0]), int(pad[2])], [int(pad[1]), int(pad[3])]
        strides, dilations = [int(s) for s in strides], [int(d) for d in dilations]
        if groups == 1:
            y = o.convolution(x, o.constant(weight), strides, *edges, dilations)
        else:
            parts = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:])
            y = o.group_convolution(x, o.constant(parts), strides, *edges, dilations)
        return y if bias is None else o.add(y, o.constant(bias.reshape(1, -1, 1, 1)))

    def max_pool(x, kernel_sizes, strides, pad_type, pad, ceil_mode):
        assert pad_type == "custom" and not ceil_mode
        sides = [int(k) for k in kernel_sizes]
        return o.max_pool(x, [int(s) for s in strides], [1, 1], [int(pad[0]), int(pad[2])], [int(pad[1]), int(pad[3])], sides).output(0)

    def slice_by_index(x, begin, end, stride=None):
        return o.slice(x, whole(begin), whole(end), whole(stride if stride is not None else [1] * len(begin)))

    def upsample(x, scale_factor_height, scale_factor_width):
        shape = list(x.get_shape())
        sides = [shape[2] * int(scale_factor_height), shape[3] * int(scale_factor_width)]
        return o.interpolate(x, whole(sides), "nearest", "sizes", axes=whole([2, 3]), coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def batch_norm(x, mean, variance, gamma, beta, epsilon):
        scale = gamma / np.sqrt(variance + epsilon)
        return o.add(o.multiply(x, o.constant(scale.reshape(1, -1, 1, 1))), o.constant((beta - mean * scale).reshape(1, -1, 1, 1)))

    def concat(values, axis, interleave):
        assert not interleave
        return o.concat(values, int(axis))

    operations = {
        "conv": conv, "max_pool": max_pool, "slice_by_index": slice_by_index, "upsample_nearest_neighbor": upsample, "batch_norm": batch_norm,
        "concat": concat, "add": lambda x, y: o.add(x, y), "mul": lambda x, y: o.multiply(x, y), "identity": lambda x: x,
        "cast": lambda x, dtype: x, "relu": lambda x: o.relu(x), "relu6": lambda x: o.clamp(x, 0.0, 6.0), "sigmoid": lambda x: o.sigmoid(x),
        "silu": lambda x: o.swish(x), "leaky_relu": lambda x, alpha: o.prelu(x, o.constant(np.array([alpha], np.float32))),
        "reshape": lambda x, shape: o.reshape(x, whole(shape), False), "transpose": lambda x, perm: o.transpose(x, whole(perm)),
        "reduce_mean": lambda x, axes, keep_dims: o.reduce_mean(x, whole(axes), bool(keep_dims)),
        "reduce_max": lambda x, axes, keep_dims: o.reduce_max(x, whole(axes), bool(keep_dims)),
    }
    function = program.functions["main"]
    inputs = {name: o.parameter([int(side) for side in one.shape], np.float32, name) for name, one in function.inputs.items()}
    values = {name: node.output(0) for name, node in inputs.items()}

    def value_of(argument):
        if isinstance(argument, (list, tuple)):
            return [value_of(one) for one in argument]
        if argument.name in values:
            return values[argument.name]
        value = argument.val
        if isinstance(value, (np.ndarray, np.floating)) and value.dtype.kind == "f":
            return value.astype(np.float32)
        return value

    for op in function.operations:
        if op.op_type == "const":
            continue
        if op.op_type == "constexpr_lut_to_dense":  # weights, from a palette
            values[op.outputs[0].name] = op.materialized_val_inference()
            continue
        given = {name: value_of(argument) for name, argument in op.inputs.items() if argument is not None and name in op.used}
        result = operations[op.op_type](**given)
        values[op.outputs[0].name] = result if isinstance(result, openvino.Output) else result.output(0)
    return openvino.Model([o.result(values[output.name]) for output in function.outputs], list(inputs.values()), "program")


def run(openvino, program, image):
    model = translate(openvino, program)
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": os.cpu_count() or 1})
    found = compiled([image.astype(np.float32)])
    return [np.asarray(found[i], np.float64) for i in range(len(compiled.outputs))]
