#pragma once
// What a model file tells of itself besides its graph. Included where OpenVINO is.
#include <cstdint>

#include "runtime/openvino/file_format.hpp"
#include "runtime/openvino/model_facts.hpp"

namespace ov {
class Model;
}

namespace yolov7::runtime {

/// metadata_props of ONNX, rt_info of our IR and of OpenVINO's Model API, the archive behind a
/// TensorFlow Lite file (also in its older form, a literal of Python), the YAML beside an IR or in
/// a SavedModel's folder. What is not there is not in the map. Error: a damaged YAML file.
ModelMetadata file_metadata(const ov::Model& model, const RecognisedFile& file);

/// Classes of the boxes that stand somewhere inside a graph of this input size, by the widest
/// [B, N, 5 + classes] with as many rows as a detector of three anchors a cell has; 0: none found.
std::int64_t inner_classes(const ov::Model& model, const InputSides& input);

}  // namespace yolov7::runtime
