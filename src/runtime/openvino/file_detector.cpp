#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/freed_memory.hpp"
#include "core/text.hpp"
#include "runtime/openvino/model_file.hpp"

#ifdef YOLOV7_WITH_OPENVINO

#include <mutex>
#include <openvino/core/version.hpp>
#include <openvino/frontend/manager.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>

#include "core/recently_used.hpp"
#include "core/threads.hpp"
#include "runtime/openvino/byte_input.hpp"
#include "runtime/openvino/cpu_properties.hpp"
#include "runtime/openvino/file_format.hpp"
#include "runtime/openvino/file_metadata.hpp"
#include "runtime/openvino/file_rows.hpp"
#include "runtime/openvino/model_facts.hpp"
#include "runtime/openvino/openvino_error.hpp"
#include "runtime/openvino/plain_quantizers.hpp"
#include "runtime/openvino/read_model.hpp"

namespace yolov7::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t largest_side = 16'384;

OutputShape sides_of(const ov::PartialShape& shape) {
  OutputShape sides;
  for (const ov::Dimension& side : shape)
    sides.push_back(side.is_static() ? side.get_length() : -1);
  return sides;
}

struct Shape {
  int count = 0, height = 0, width = 0;
  bool operator==(const Shape&) const = default;
};

/// The model, and what it was compiled to for the last few shapes; shared by all detectors over it.
class FileModel {
 public:
  FileModel(std::shared_ptr<ov::Core> core, std::shared_ptr<ov::Model> model,
            const DetectorOptions& options)
      : core_(std::move(core)),
        model_(std::move(model)),
        options_(options),
        threads_(threads_or_all(options.threads)),
        compiled_(options.kept_shapes) {
    const OutputShape input = sides_of(model_->input().get_partial_shape());
    channels_last_ = input[3] == 3 && input[1] != 3;
    const std::size_t first = channels_last_ ? 1 : 2;
    batch_ = static_cast<int>(std::max<std::int64_t>(input[0], 0));
    sides_ = {static_cast<int>(std::max<std::int64_t>(input[first], 0)),
              static_cast<int>(std::max<std::int64_t>(input[first + 1], 0))};
  }

  const DetectorOptions& options() const { return options_; }
  int threads() const { return threads_; }
  int batch() const { return batch_; }  ///< 0: open
  InputSides sides() const { return sides_.width > 0 ? sides_ : InputSides{}; }
  /// Thread-safe.
  ov::InferRequest request(const Shape& shape) {
    const std::lock_guard lock(mutex_);
    return guarded("compile the model for the CPU", [&] {
      ov::CompiledModel& compiled = compiled_.get(shape, [&] {
        const auto model =
            with_bytes(*model_, channels_last_, shape.count, shape.height, shape.width);
        return core_->compile_model(model, "CPU", cpu_properties(options_, threads_));
      });
      return compiled.create_infer_request();
    });
  }

 private:
  std::shared_ptr<ov::Core> core_;
  std::shared_ptr<ov::Model> model_;
  DetectorOptions options_;
  int threads_;
  bool channels_last_ = false;
  int batch_ = 0;
  InputSides sides_;
  std::mutex mutex_;
  RecentlyUsed<Shape, ov::CompiledModel> compiled_;
};

class FileDetector final : public Detector {
 public:
  FileDetector(std::shared_ptr<FileModel> model, ModelFacts facts, std::string name)
      : model_(std::move(model)),
        facts_(std::move(facts)),
        name_(std::move(name)),
        requests_(model_->options().kept_shapes) {}

  std::string description() const override {
    const std::string build = ov::get_openvino_version().buildNumber;
    const DetectorOptions& options = model_->options();
    const int threads = model_->threads();
    return fmt::format("OpenVINO {}, CPU, {}, {} thread{}{}, {}", build.substr(0, build.find('-')),
                       options.precision, threads, threads == 1 ? "" : "s",
                       options.streams > 1 ? fmt::format(", {} streams", options.streams) : "",
                       name_);
  }
  int class_count() const override { return static_cast<int>(facts_.names.size()); }
  int stride() const override { return facts_.stride; }
  InputSides sides() const override { return model_->sides(); }
  std::unique_ptr<Detector> sibling() override {
    return std::make_unique<FileDetector>(model_, facts_, name_);
  }
  void prepare(int count, int height, int width) override {
    require_input(count, height, width, facts_.stride, sides());
    request({model_->batch() > 0 ? model_->batch() : count, height, width});
  }

  void predict(const PixelBatch& batch, Prediction& prediction) override {
    require_input(batch.count, batch.height, batch.width, facts_.stride, sides());
    const std::size_t image =
        3 * static_cast<std::size_t>(batch.height) * static_cast<std::size_t>(batch.width);
    if (batch.pixels.size() != image * static_cast<std::size_t>(batch.count))
      throw Error(fmt::format("expected {} x 3 x {} x {} bytes of pixels, found {}", batch.count,
                              batch.height, batch.width, batch.pixels.size()));
    prediction = {};
    const int at_once = model_->batch() > 0 ? model_->batch() : batch.count;
    std::vector<std::uint8_t> part;  // what is missing of the last one is black
    for (int done = 0; done < batch.count; done += at_once) {
      const int count = std::min(at_once, batch.count - done);
      const auto pixels = batch.pixels.subspan(static_cast<std::size_t>(done) * image,
                                               static_cast<std::size_t>(count) * image);
      part.assign(static_cast<std::size_t>(at_once) * image, 0);
      std::copy(pixels.begin(), pixels.end(), part.begin());
      run({at_once, batch.height, batch.width}, part, count, prediction);
    }
  }

 private:
  ov::InferRequest& request(const Shape& shape) {
    return requests_.get(shape, [&] { return model_->request(shape); });
  }

  void run(const Shape& shape, std::vector<std::uint8_t>& pixels, int count,
           Prediction& prediction) {
    ov::InferRequest& ready = request(shape);
    const auto side = [](int length) { return static_cast<std::size_t>(length); };
    std::vector<ov::Tensor> tensors;
    std::vector<FileOutput> outputs;
    guarded("run the model", [&] {
      ready.set_input_tensor(
          ov::Tensor(ov::element::u8, {side(shape.count), 3, side(shape.height), side(shape.width)},
                     pixels.data()));
      ready.infer();
      const std::size_t number = ready.get_compiled_model().outputs().size();
      for (std::size_t i = 0; i < number; ++i) {
        tensors.push_back(ready.get_output_tensor(i));
        outputs.push_back({tensors.back().get_shape(), tensors.back().data<float>()});
      }
    });
    append_rows(facts_, outputs, count, shape.height, shape.width, prediction);
    if (!model_->options().raw_maps || facts_.layout != "raw") return;
    prediction.raw.resize(outputs.size());
    for (std::size_t j = 0; j < outputs.size(); ++j) {
      const std::vector<std::size_t>& map = outputs[j].shape;
      Prediction::RawMap& raw = prediction.raw[j];
      raw.anchors = static_cast<int>(map.at(1)), raw.height = static_cast<int>(map.at(2)),
      raw.width = static_cast<int>(map.at(3));
      const std::size_t values = side(count) * map[1] * map[2] * map[3] * map.at(4);
      raw.values.insert(raw.values.end(), outputs[j].values, outputs[j].values + values);
    }
  }

  std::shared_ptr<FileModel> model_;
  ModelFacts facts_;
  std::string name_;
  RecentlyUsed<Shape, ov::InferRequest> requests_;
};

/// A file of its own format that OpenVINO's reader of this format refuses is shown to the readers
/// of all other formats, and that of TensorFlow's texts prints what it thinks of it.
void require_accepted(const RecognisedFile& file) {
  if (file.format != FileFormat::openvino) return;
  ov::frontend::FrontEndManager manager;
  const auto reader = manager.load_by_framework("ir");
  if (!reader || !reader->supported(file.path.string()))
    throw Error("it is of no version that OpenVINO reads, or damaged in <net>");
}

std::shared_ptr<ov::Model> read_model(ov::Core& core, const RecognisedFile& file) {
  const fs::path& path = file.path;
  try {
    require_accepted(file);
    auto model = core.read_model(path.string());
    merge_quantizers(*model);
    return model;
  } catch (const std::exception& exception) {
    const std::string reason = exception.what();
    if (reason.find("EfficientNMS") != std::string::npos)
      throw Error(fmt::format(
          "{}: holds TensorRT's suppression (EfficientNMS_TRT), which TensorRT alone runs; export "
          "with --nms, or without suppression",
          path.string()));
    if (reason.find("CombinedNonMaxSuppression") != std::string::npos)
      throw Error(
          fmt::format("{}: holds TensorFlow's suppression (CombinedNonMaxSuppression), which "
                      "TensorFlow alone runs; export without --nms to run it here",
                      path.string()));
    throw Error(fmt::format("{}: expected {}, found one that OpenVINO cannot read: {}",
                            path.string(), format_text(file.format), openvino_reason(reason)));
  }
}

/// Integers as input or output stand for numbers by a scale that the file alone knows.
void require_reals(const ov::Model& model, const std::string& path) {
  const auto require = [&](const ov::element::Type& type, const char* what) {
    if (!type.is_real())
      throw Error(
          fmt::format("{}: expected {} of float32 or float16, found {}; files with "
                      "quantized inputs and outputs are not run",
                      path, what, type.get_type_name()));
  };
  require(model.input().get_element_type(), "an input");
  for (const auto& output : model.outputs()) require(output.get_element_type(), "outputs");
}

FileSurroundings surroundings(const ov::Model& model, const std::string& path) {
  const OutputShape input =
      model.inputs().size() == 1 && model.input().get_partial_shape().rank().is_static()
          ? sides_of(model.input().get_partial_shape())
          : OutputShape{};
  if (input.size() != 4 || (input[1] != 3 && input[3] != 3))
    throw Error(
        fmt::format("{}: expected one input of images, [B, 3, H, W] or [B, H, W, 3], found "
                    "{}",
                    path,
                    model.inputs().size() == 1 ? model.input().get_partial_shape().to_string()
                                               : fmt::format("{} inputs", model.inputs().size())));
  for (const auto& output : model.outputs())
    if (output.get_partial_shape().rank().is_dynamic())
      throw Error(fmt::format("{}: expected outputs of a known number of axes, found any", path));
  if (const std::int64_t most = *std::max_element(input.begin(), input.end()); most > largest_side)
    throw Error(fmt::format("{}: expected an input with sides of at most {}, found {}", path,
                            largest_side, most));
  require_reals(model, path);
  FileSurroundings found;
  found.channels_last = input[3] == 3 && input[1] != 3;
  const std::size_t first = found.channels_last ? 1 : 2;
  if (input[first] > 0 && input[first + 1] > 0)
    found.input = {static_cast<int>(input[first]), static_cast<int>(input[first + 1])};
  found.classes = inner_classes(model, found.input);
  return found;
}

}  // namespace

std::shared_ptr<ov::Model> read_model_file(ov::Core& core, const fs::path& path) {
  return read_model(core, recognise_file(path));
}

ModelFile open_model_file(const fs::path& path, const DetectorOptions& options,
                          const std::vector<std::string>& names) {
  const RecognisedFile recognised = recognise_file(path);
  if (recognised.format == FileFormat::torchscript)
    throw Error(fmt::format("{}: expected a model for OpenVINO, found {}", path.string(),
                            format_text(recognised.format)));
  auto core = std::make_shared<ov::Core>();
  const auto model = read_model(*core, recognised);
  return_freed_memory();  // a reader of TensorFlow's formats takes three times the weights
  if (precision_type(options.precision) == ov::element::bf16)
    guarded("list the CPU's capabilities", [&] { require_bfloat16(*core); });
  FileSurroundings more = surroundings(*model, path.string());
  more.names = names;
  std::vector<OutputShape> outputs;
  for (const auto& output : model->outputs())
    outputs.push_back(sides_of(output.get_partial_shape()));
  ModelFile file;
  file.facts = guarded("read the model's metadata", [&] {
    return model_facts(file_metadata(*model, recognised), outputs, path.string(), more);
  });
  file.detector =
      std::make_unique<FileDetector>(std::make_shared<FileModel>(std::move(core), model, options),
                                     file.facts, path.filename().string());
  return file;
}

}  // namespace yolov7::runtime

#else

namespace yolov7::runtime {

ModelFile open_model_file(const std::filesystem::path& path, const DetectorOptions&,
                          const std::vector<std::string>&) {
  throw Error(
      fmt::format("{}: this build has no OpenVINO, which runs files of this kind; build with "
                  "-DYOLOV7_OPENVINO=ON after scripts/setup",
                  path.string()));
}

}  // namespace yolov7::runtime

#endif

namespace yolov7::runtime {

bool is_model_file(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return true;
  const std::string suffix = text::lower(path.extension().string());
  for (const char* known : {".onnx", ".xml", ".tflite", ".pb", ".engine", ".plan", ".trt",
                            ".mlmodel", ".mlpackage", ".param"})
    if (suffix == known) return true;
  return is_script_file(path);
}

bool is_script_file(const std::filesystem::path& path) {
  const std::string name = text::lower(path.filename().string());
  return name.ends_with(".torchscript") || name.ends_with(".ptl") ||
         name.ends_with(".torchscript.pt");
}

}  // namespace yolov7::runtime
