#pragma once
// The messages of the Open Inference Protocol, version 2 (serving 1.3): what a model's server tells
// of it, a request with images, and the tensors of an answer. Nothing is sent here.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/openvino/model_facts.hpp"

namespace yolov7::runtime {

struct ServerTensor {
  std::string name, type;           ///< "FP32"
  std::vector<std::int64_t> sides;  ///< −1 = open
};

struct ServerModel {
  std::string platform;  ///< "onnxruntime_onnx", or ""
  std::vector<ServerTensor> inputs, outputs;
  ModelMetadata parameters;  ///< texts that the server tells besides
};

/// Of the answer to GET /v2/models/NAME. `source` begins messages. Errors: no JSON, or without the
/// tensors of a model.
ServerModel server_model(std::string_view body, const std::string& source);
/// Names of the answer to GET /v2, "extensions". Error: no JSON.
std::vector<std::string> server_extensions(std::string_view body, const std::string& source);
/// The parameters of GET /v2/models/NAME/config, an extension of Triton: texts by their key.
ModelMetadata server_parameters(std::string_view body, const std::string& source);

/// Letterboxed images, all of one shape: count × 3 × height × width, R G B planes.
struct ImageTensor {
  std::span<const std::uint8_t> pixels;
  std::size_t count = 0, height = 0, width = 0;
  bool channels_last = false;  ///< they travel as count × height × width × 3
};

struct InferenceRequest {
  std::string body;
  std::size_t json_bytes = 0;  ///< of the body, where tensors follow in bytes; 0: it is JSON alone
};
/// Whether images can travel as this type: FP32 and FP16 (0 … 1), UINT8 (0 … 255).
bool is_image_type(std::string_view type);
/// `binary`: the tensors travel in bytes (the extension binary_tensor_data). Error: FP16 without
/// it, which the protocol does not allow.
InferenceRequest inference_request(const ServerTensor& input, const ImageTensor& images,
                                   const std::vector<ServerTensor>& outputs, bool binary);

struct AnswerTensor {
  std::vector<std::size_t> sides;
  std::vector<float> values;
};
/// The tensors `outputs` of an answer, in their order. `json_bytes`: the header
/// Inference-Header-Content-Length, "" where there is none. Errors: no JSON; an output that is not
/// there, or is of texts; sides that do not fit the number of values; bytes that are missing or
/// left over.
std::vector<AnswerTensor> inference_answer(std::string_view body, std::string_view json_bytes,
                                           const std::vector<ServerTensor>& outputs,
                                           const std::string& source);

}  // namespace yolov7::runtime
