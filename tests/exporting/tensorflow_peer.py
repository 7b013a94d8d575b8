"""TensorFlow takes every SavedModel by its signature, and every frozen graph by its names, and gives what the reference interpreter gives.
Usage: tensorflow_peer.py FIXTURE, by a Python of its own (YOLOV7_TENSORFLOW_PYTHON), because of TensorFlow's size. Exit code 77: skipped."""
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
try:
    import numpy as np
    import tensorflow as tf
    from channels_last_peer import images, main
except ImportError as error:
    print(f"skipped: {error} (a Python that has tensorflow-cpu 2.21 goes in YOLOV7_TENSORFLOW_PYTHON)")
    sys.exit(77)


def table(boxes, scores, classes, valid):
    """As channels_last_peer.suppressed() has it."""
    rows = np.concatenate([boxes, scores[..., None], classes[..., None]], axis=-1)
    last = np.zeros((len(rows), 1, 6))
    last[:, 0, 0] = valid
    return np.concatenate([rows, last], axis=1)


def saved_model(folder, case):
    path = folder / (case["name"] + "_saved_model")
    assert not list((path / "variables").iterdir())
    function = tf.saved_model.load(str(path)).signatures["serving_default"]
    batch = None if case["open"] else case["shape"][0]
    wanted = [batch, *case["shape"][2:], 3]
    assert function.structured_input_signature[1]["images"].shape.as_list() == wanted, function.structured_input_signature
    if case["nms"]:
        found = function(images=tf.constant(images(folder, case)))
        assert sorted(found) == [f"output_{i}" for i in range(4)], list(found)
        assert found["output_3"].dtype == tf.int32 and found["output_2"].dtype == tf.float32
        return table(*(found[f"output_{i}"].numpy() for i in range(4)))
    assert list(function.structured_outputs) == ["output_0"]
    assert function.structured_outputs["output_0"].shape.as_list()[0] == batch
    return function(images=tf.constant(images(folder, case)))["output_0"].numpy()


def frozen_graph(folder, case):
    definition = tf.compat.v1.GraphDef()
    definition.ParseFromString((folder / (case["name"] + ".pb")).read_bytes())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        with tf.compat.v1.Session(graph=graph) as session:
            names = ["Identity:0", "Identity_1:0", "Identity_2:0", "Identity_3:0"] if case["nms"] else "Identity:0"
            found = session.run(names, {"x:0": images(folder, case)})
            return table(*found) if case["nms"] else found


main(sys.argv[1], "tensorflow", {"SavedModel": saved_model, "frozen graph": frozen_graph})
