#include "runtime/onnxruntime/ort_detector.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "runtime/onnxruntime/ort_library.hpp"
#include "runtime/openvino/file_format.hpp"
#include "runtime/openvino/file_rows.hpp"
#include "runtime/openvino/model_facts.hpp"

namespace yolov7::runtime {
namespace {

constexpr std::int64_t largest_side = 16'384;

class OrtDetector final : public Detector {
 public:
  OrtDetector(std::shared_ptr<OrtSession> session, ModelFacts facts, std::string name, int threads)
      : session_(std::move(session)),
        facts_(std::move(facts)),
        name_(std::move(name)),
        threads_(threads) {
    const std::vector<std::int64_t>& sides = session_->inputs().front().sides;
    batch_ = static_cast<int>(std::max<std::int64_t>(sides[0], 0));
    if (sides[2] > 0 && sides[3] > 0)
      sides_ = {static_cast<int>(sides[2]), static_cast<int>(sides[3])};
  }

  std::string description() const override {
    return fmt::format("ONNX Runtime {}, CPU, as the file has it, {} thread{}, {}", ort_version(),
                       threads_, threads_ == 1 ? "" : "s", name_);
  }
  int class_count() const override { return static_cast<int>(facts_.names.size()); }
  int stride() const override { return facts_.stride; }
  InputSides sides() const override { return sides_; }
  std::unique_ptr<Detector> sibling() override {
    return std::make_unique<OrtDetector>(session_, facts_, name_, threads_);
  }

  void predict(const PixelBatch& batch, Prediction& prediction) override {
    require_input(batch, facts_.stride, sides_);
    const std::size_t image =
        3 * static_cast<std::size_t>(batch.height) * static_cast<std::size_t>(batch.width);
    prediction = {};
    const int at_once = batch_ > 0 ? batch_ : batch.count;
    for (int done = 0; done < batch.count; done += at_once) {
      const int count = std::min(at_once, batch.count - done);
      const auto pixels = batch.pixels.subspan(static_cast<std::size_t>(done) * image,
                                               static_cast<std::size_t>(count) * image);
      values_.assign(static_cast<std::size_t>(at_once) * image, 0);  // what is missing is black
      std::transform(pixels.begin(), pixels.end(), values_.begin(),
                     [](std::uint8_t one) { return static_cast<float>(one) / 255.0F; });
      run({at_once, 3, batch.height, batch.width}, count, batch.height, batch.width, prediction);
    }
  }

 private:
  void run(const std::vector<std::int64_t>& sides, int count, int height, int width,
           Prediction& prediction) {
    const std::vector<OrtSession::Output> found = session_->run(sides, values_);
    std::vector<FileOutput> outputs;
    for (const OrtSession::Output& one : found) outputs.push_back({one.sides, one.values.data()});
    append_rows(facts_, outputs, count, height, width, prediction);
  }

  std::shared_ptr<OrtSession> session_;
  ModelFacts facts_;
  std::string name_;
  int threads_, batch_ = 0;  // 0: open
  InputSides sides_;
  std::vector<float> values_;
};

FileSurroundings surroundings(const OrtSession& session, const std::string& path) {
  const std::vector<OrtTensor>& inputs = session.inputs();
  if (inputs.size() != 1 || inputs.front().sides.size() != 4 || inputs.front().sides[1] != 3)
    throw Error(fmt::format("{}: expected one input of images, [B, 3, H, W], found another", path));
  const OrtTensor& input = inputs.front();
  if (input.type == OrtType::other)
    throw Error(fmt::format("{}: expected an input of float32 or float16, found another", path));
  for (const std::int64_t side : input.sides)
    if (side > largest_side)
      throw Error(fmt::format("{}: expected an input with sides of at most {}, found {}", path,
                              largest_side, side));
  FileSurroundings more;
  if (input.sides[2] > 0 && input.sides[3] > 0)
    more.input = {static_cast<int>(input.sides[2]), static_cast<int>(input.sides[3])};
  return more;
}

}  // namespace

ModelFile open_ort_file(const std::filesystem::path& path, const DetectorOptions& options,
                        const std::vector<std::string>& names) {
  const RecognisedFile recognised = recognise_file(path);
  if (recognised.format != FileFormat::onnx)
    throw Error(fmt::format("{}: expected an ONNX model for {} onnxruntime, found {}",
                            path.string(), setting_name("backend"),
                            format_text(recognised.format)));
  if (options.precision != "float32")
    throw Error(fmt::format(
        "{}: {}: expected float32 for {} onnxruntime, which takes the types of the "
        "file, found {}",
        path.string(), setting_name("precision"), setting_name("backend"), options.precision));
  const int threads = threads_or_all(options.threads);
  ort_version();  // a missing library is its own error
  std::shared_ptr<OrtSession> session;
  try {
    session = open_ort_session(path.string(), std::max(1, threads / std::max(1, options.streams)));
  } catch (const Error& error) {
    const std::string reason = error.what();
    if (reason.find("EfficientNMS") != std::string::npos)
      throw Error(
          fmt::format("{}: holds TensorRT's suppression (EfficientNMS_TRT), which TensorRT "
                      "alone runs; export with --nms, or without suppression",
                      path.string()));
    throw Error(
        fmt::format("{}: expected an ONNX model, found one that ONNX Runtime cannot read: "
                    "{}",
                    path.string(), reason));
  }
  FileSurroundings more = surroundings(*session, path.string());
  more.names = names;
  ModelMetadata metadata;
  for (const char* key :
       {"layout", "names", "stride", "strides", "anchors", "description", "imgsz", "args"})
    if (const std::string value = session->metadata(key); !value.empty()) metadata[key] = value;
  std::vector<OutputShape> outputs;
  for (const OrtTensor& one : session->outputs()) outputs.push_back(one.sides);
  ModelFile file;
  file.facts = model_facts(metadata, outputs, path.string(), more);
  file.detector = std::make_unique<OrtDetector>(std::move(session), file.facts,
                                                path.filename().string(), threads);
  return file;
}

}  // namespace yolov7::runtime
