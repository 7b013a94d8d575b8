#include "runtime/server/served_detector.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "runtime/openvino/file_rows.hpp"

namespace yolov7::runtime {
namespace {

constexpr std::int64_t largest_side = 16'384, largest_batch = 1024;

/// What siblings have in common.
struct ServedModel {
  ServedAddress address;
  ServerOptions options;
  ServerTensor input;
  std::vector<ServerTensor> outputs;
  ModelFacts facts;
  bool binary = false, channels_last = false;
  bool four_outputs = false;  ///< number, boxes, scores, classes: TensorRT's suppression
  std::string platform;
  int batch = 0;  ///< 0: open
  InputSides sides;
};

/// Number [B, 1], corners [B, N, 4], scores [B, N], classes [B, N] as [B, N, 6], in which rows
/// behind the number are zeros.
AnswerTensor joined_rows(const std::vector<AnswerTensor>& outputs, const std::string& source) {
  const std::vector<std::size_t>& boxes = outputs[1].sides;
  const bool good = boxes.size() == 3 && boxes[2] == 4 && outputs[0].values.size() == boxes[0] &&
                    outputs[2].values.size() == boxes[0] * boxes[1] &&
                    outputs[3].values.size() == boxes[0] * boxes[1];
  if (!good)
    throw Error(fmt::format(
        "{}: expected numbers [B, 1], boxes [B, N, 4], scores and classes [B, N], found others",
        source));
  AnswerTensor rows;
  rows.sides = {boxes[0], boxes[1], 6};
  rows.values.assign(boxes[0] * boxes[1] * 6, 0);
  for (std::size_t i = 0; i < boxes[0]; ++i)
    for (std::size_t k = 0; k < boxes[1] && static_cast<float>(k) < outputs[0].values[i]; ++k) {
      const std::size_t at = i * boxes[1] + k;
      float* row = rows.values.data() + 6 * at;
      std::copy_n(outputs[1].values.data() + 4 * at, 4, row);
      row[4] = outputs[2].values[at], row[5] = outputs[3].values[at];
    }
  return rows;
}

class ServedDetector final : public Detector {
 public:
  explicit ServedDetector(std::shared_ptr<const ServedModel> model)
      : model_(std::move(model)), client_(model_->address, model_->options) {}

  std::string description() const override {
    return fmt::format("Open Inference Protocol, {}{}, {}", model_->address.text(),
                       model_->platform.empty() ? "" : " (" + model_->platform + ")",
                       model_->binary ? "tensors in bytes" : "tensors as JSON");
  }
  int class_count() const override { return static_cast<int>(model_->facts.names.size()); }
  int stride() const override { return model_->facts.stride; }
  InputSides sides() const override { return model_->sides; }
  std::unique_ptr<Detector> sibling() override { return std::make_unique<ServedDetector>(model_); }

  void predict(const PixelBatch& batch, Prediction& prediction) override {
    require_input(batch, model_->facts.stride, model_->sides);
    const std::size_t image =
        3 * static_cast<std::size_t>(batch.height) * static_cast<std::size_t>(batch.width);
    prediction = {};
    const int at_once = std::max(model_->batch, 1);
    std::vector<std::uint8_t> part;  // what is missing of the last one is black
    for (int done = 0; done < batch.count; done += at_once) {
      const int count = std::min(at_once, batch.count - done);
      const auto pixels = batch.pixels.subspan(static_cast<std::size_t>(done) * image,
                                               static_cast<std::size_t>(count) * image);
      part.assign(static_cast<std::size_t>(at_once) * image, 0);
      std::copy(pixels.begin(), pixels.end(), part.begin());
      run({part, static_cast<std::size_t>(at_once), static_cast<std::size_t>(batch.height),
           static_cast<std::size_t>(batch.width), model_->channels_last},
          count, prediction);
    }
  }

 private:
  void run(const ImageTensor& images, int count, Prediction& prediction) {
    const std::string source = model_->address.text();
    std::vector<AnswerTensor> found = client_.infer(
        inference_request(model_->input, images, model_->outputs, model_->binary), model_->outputs);
    if (model_->four_outputs) found = {joined_rows(found, source)};
    std::vector<FileOutput> outputs;
    for (const AnswerTensor& one : found) outputs.push_back({one.sides, one.values.data()});
    try {
      append_rows(model_->facts, outputs, count, static_cast<int>(images.height),
                  static_cast<int>(images.width), prediction);
    } catch (const Error& error) {
      std::vector<std::string> shapes;
      for (const AnswerTensor& one : found)
        shapes.push_back(fmt::format("[{}]", fmt::join(one.sides, ", ")));
      throw Error(
          fmt::format("{}: {}; the answer has {}", source, error.what(), text::join(shapes, ", ")));
    }
  }

  std::shared_ptr<const ServedModel> model_;
  InferenceClient client_;
};

/// The one input, as images.
void take_input(const ServerModel& found, ServedModel& model, const std::string& source) {
  const std::vector<std::int64_t>* sides =
      found.inputs.size() == 1 ? &found.inputs.front().sides : nullptr;
  const bool open = sides != nullptr && sides->size() == 4 && (*sides)[1] < 0 && (*sides)[3] < 0;
  if (sides == nullptr || sides->size() != 4 || ((*sides)[1] != 3 && (*sides)[3] != 3 && !open))
    throw Error(fmt::format(
        "{}: expected one input of images, [B, 3, H, W] or [B, H, W, 3], found {}", source,
        sides == nullptr ? fmt::format("{} inputs", found.inputs.size())
                         : fmt::format("[{}]", fmt::join(*sides, ", "))));
  model.input = found.inputs.front();
  if (!is_image_type(model.input.type))
    throw Error(fmt::format("{}: expected an input of FP32, FP16 or UINT8, found {}", source,
                            text::printable(model.input.type)));
  if (model.input.type == "FP16" && !model.binary)
    throw Error(
        fmt::format("{}: expected an input of FP32 or UINT8 on a server that does not "
                    "announce binary_tensor_data, found FP16",
                    source));
  model.channels_last = (*sides)[3] == 3 && (*sides)[1] != 3;
  const std::size_t first = model.channels_last ? 1 : 2;
  const std::int64_t height = (*sides)[first], width = (*sides)[first + 1];
  if (std::max(height, width) > largest_side || (*sides)[0] > largest_batch)
    throw Error(
        fmt::format("{}: expected an input of at most {} images with sides of at most {}, "
                    "found [{}]",
                    source, largest_batch, largest_side, fmt::join(*sides, ", ")));
  model.batch = static_cast<int>(std::max<std::int64_t>((*sides)[0], 0));
  if (height > 0 && width > 0) model.sides = {static_cast<int>(height), static_cast<int>(width)};
}

/// The outputs of TensorRT's suppression, in their order: num_dets, det_boxes, det_scores,
/// det_classes.
bool take_four_outputs(const ServerModel& found, ServedModel& model) {
  std::vector<ServerTensor> in_order;
  for (const char* part : {"num", "box", "score", "class"})
    for (const ServerTensor& one : found.outputs)
      if (text::lower(one.name).find(part) != std::string::npos) in_order.push_back(one);
  const bool good = found.outputs.size() == 4 && in_order.size() == 4 &&
                    in_order[1].sides.size() == 3 && in_order[1].sides[2] == 4;
  if (!good) return false;
  model.outputs = in_order;
  return true;
}

ModelFacts facts_of(const ServerModel& found, const ServedModel& model, const std::string& source,
                    const std::vector<std::string>& names) {
  FileSurroundings more;
  more.channels_last = model.channels_last;
  more.input = model.sides;
  more.names = names;
  more.subject = "the server";
  ModelMetadata metadata = found.parameters;
  std::vector<OutputShape> outputs;
  if (model.four_outputs) {
    metadata["layout"] = "nms6";
    const std::vector<std::int64_t>& boxes = model.outputs[1].sides;
    outputs.push_back({boxes[0], boxes[1], 6});
  } else {
    for (const ServerTensor& one : model.outputs) outputs.push_back(one.sides);
  }
  ModelFacts facts = model_facts(metadata, outputs, source, more);
  if (model.input.type == "UINT8")
    facts.notes.push_back(
        "the server takes bytes; images go out as 0 ... 255, so the model has to divide them");
  const std::vector<std::int64_t>& sides = model.input.sides;
  if (sides[1] < 0 && sides[3] < 0)
    facts.notes.push_back(
        "the server does not tell the order of the input's axes; [B, 3, H, W] is used");
  return facts;
}

}  // namespace

ModelFile open_served_model(const std::string& address, const DetectorOptions& options,
                            const ServerOptions& server, const std::vector<std::string>& names) {
  ServedModel model;
  model.address = parse_served_address(address, "a model");
  const std::string source = model.address.text();
  if (options.precision != "float32")
    throw Error(
        fmt::format("{}: {}: expected float32 for a server, which takes the types of its model, "
                    "found {}",
                    source, setting_name("precision"), options.precision));
  model.options = server;
  const InferenceClient::Found found = InferenceClient(model.address, server).describe();
  model.binary = found.binary;
  model.platform = found.model.platform;
  model.outputs = found.model.outputs;
  take_input(found.model, model, source);
  model.four_outputs = take_four_outputs(found.model, model);
  model.facts = facts_of(found.model, model, source, names);
  ModelFile file;
  file.facts = model.facts;
  file.detector =
      std::make_unique<ServedDetector>(std::make_shared<const ServedModel>(std::move(model)));
  return file;
}

}  // namespace yolov7::runtime
