#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runtime/openvino/model_file.hpp"

#ifdef YOLOV7_WITH_OPENVINO

#include <openvino/core/version.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>

#include "core/archive.hpp"
#include "core/file.hpp"
#include "core/recently_used.hpp"
#include "core/threads.hpp"
#include "core/value.hpp"
#include "runtime/openvino/byte_input.hpp"
#include "runtime/openvino/cpu_properties.hpp"
#include "runtime/openvino/file_rows.hpp"
#include "runtime/openvino/model_facts.hpp"
#include "runtime/openvino/openvino_error.hpp"
#include "runtime/openvino/read_model.hpp"

namespace yolov7::runtime {
namespace {

namespace fs = std::filesystem;

OutputShape sides_of(const ov::PartialShape& shape) {
  OutputShape sides;
  for (const ov::Dimension& side : shape)
    sides.push_back(side.is_static() ? side.get_length() : -1);
  return sides;
}

/// metadata.json of the zip archive that stands behind the model; empty where there is none.
ModelMetadata metadata_behind(const fs::path& path) {
  ModelMetadata metadata;
  try {
    const network::ArchiveReader archive(path);
    if (!archive.has("metadata.json")) return metadata;
    const std::vector<std::byte> bytes = archive.read("metadata.json", 1 << 20);
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (const auto& [key, value] : parse_yaml(text, path.string()).mapping)
      if (value.is_scalar()) metadata[key] = value.scalar;
  } catch (const Error&) {
    metadata.clear();  // files of other programs; what is assumed instead is said
  }
  return metadata;
}

/// metadata_props of ONNX arrive as "framework"; our IR has "yolov7".
ModelMetadata metadata_of(const ov::Model& model, const fs::path& path) {
  ModelMetadata metadata;
  for (const char* section : {"yolov7", "framework"})
    for (const char* key :
         {"layout", "names", "stride", "strides", "anchors", "description", "imgsz"})
      if (model.has_rt_info(section, key))
        metadata.try_emplace(key, model.get_rt_info<std::string>(section, key));
  if (metadata.empty() && path.extension() == ".tflite") metadata = metadata_behind(path);
  const fs::path beside = (fs::is_directory(path) ? path : path.parent_path()) / "metadata.yaml";
  if (metadata.empty() && fs::exists(beside)) {
    const Value file = read_yaml(beside);
    for (const auto& [key, value] : file.mapping) {
      if (value.is_scalar()) metadata[key] = value.scalar;
      if (key != "names" || value.is_scalar()) continue;
      std::string list = "[";
      const auto put = [&](const Value& name) { list += yaml_scalar("'" + name.text()) + ", "; };
      for (const auto& [index, name] : value.mapping) put(name);
      for (const Value& name : value.sequence) put(name);
      metadata[key] = list + "]";
    }
  }
  for (const char* key : {"pad_value", "reverse_input_channels"})
    if (model.has_rt_info("model_info", key))
      metadata.try_emplace(key, model.get_rt_info<std::string>("model_info", key));
  return metadata;
}

/// An OpenVINO folder stands for the only .xml in it.
fs::path model_path(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(path))
    if (entry.path().extension() == ".xml") found.push_back(entry.path());
  if (found.size() > 1)
    throw Error(fmt::format("{}: expected one .xml, found {}", path.string(), found.size()));
  return found.empty() ? path : found.front();
}

class FileDetector final : public Detector {
 public:
  FileDetector(std::shared_ptr<ov::Core> core, std::shared_ptr<ov::Model> model, ModelFacts facts,
               const DetectorOptions& options, std::string name)
      : core_(std::move(core)),
        model_(std::move(model)),
        facts_(std::move(facts)),
        options_(options),
        name_(std::move(name)),
        threads_(threads_or_all(options.threads)),
        requests_(options.kept_shapes) {
    const OutputShape input = sides_of(model_->input().get_partial_shape());
    channels_last_ = input[3] == 3 && input[1] != 3;
    const std::size_t first = channels_last_ ? 1 : 2;
    batch_ = static_cast<int>(std::max<std::int64_t>(input[0], 0));
    sides_ = {static_cast<int>(std::max<std::int64_t>(input[first], 0)),
              static_cast<int>(std::max<std::int64_t>(input[first + 1], 0))};
  }

  std::string description() const override {
    const std::string build = ov::get_openvino_version().buildNumber;
    return fmt::format("OpenVINO {}, CPU, {}, {} thread{}, {}", build.substr(0, build.find('-')),
                       options_.precision, threads_, threads_ == 1 ? "" : "s", name_);
  }
  int class_count() const override { return static_cast<int>(facts_.names.size()); }
  int stride() const override { return facts_.stride; }
  InputSides sides() const override { return sides_.width > 0 ? sides_ : InputSides{}; }
  void prepare(int count, int height, int width) override {
    check(count, height, width);
    request({batch_ > 0 ? batch_ : count, height, width});
  }

  void predict(const PixelBatch& batch, Prediction& prediction) override {
    check(batch.count, batch.height, batch.width);
    const std::size_t image =
        3 * static_cast<std::size_t>(batch.height) * static_cast<std::size_t>(batch.width);
    if (batch.pixels.size() != image * static_cast<std::size_t>(batch.count))
      throw Error(fmt::format("expected {} x 3 x {} x {} bytes of pixels, found {}", batch.count,
                              batch.height, batch.width, batch.pixels.size()));
    prediction = {};
    const int at_once = batch_ > 0 ? batch_ : batch.count;
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
  struct Shape {
    int count = 0, height = 0, width = 0;
    bool operator==(const Shape&) const = default;
  };

  void check(int count, int height, int width) const {
    if (count < 1 || height < 1 || width < 1 || height % facts_.stride != 0 ||
        width % facts_.stride != 0)
      throw Error(fmt::format("expected images with sides that are multiples of {}, found {} x {}",
                              facts_.stride, height, width));
    if (sides().fixed() && (height != sides_.height || width != sides_.width))
      throw Error(fmt::format("expected images of {} x {}, found {} x {}", sides_.width,
                              sides_.height, width, height));
  }

  ov::InferRequest& request(const Shape& shape) {
    return requests_.get(shape, [&] {
      return guarded("compile the model for the CPU", [&] {
        const auto model =
            with_bytes(*model_, channels_last_, shape.count, shape.height, shape.width);
        return core_->compile_model(model, "CPU", cpu_properties(options_, threads_))
            .create_infer_request();
      });
    });
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
    if (!options_.raw_maps || facts_.layout != "raw") return;
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

  std::shared_ptr<ov::Core> core_;
  std::shared_ptr<ov::Model> model_;
  ModelFacts facts_;
  DetectorOptions options_;
  std::string name_;
  int threads_;
  bool channels_last_ = false;
  int batch_ = 0;  // 0: open
  InputSides sides_;
  RecentlyUsed<Shape, ov::InferRequest> requests_;
};

std::shared_ptr<ov::Model> read_model(ov::Core& core, const fs::path& path) {
  try {
    return core.read_model(path.string());
  } catch (const std::exception& exception) {
    const std::string reason = exception.what();
    if (reason.find("EfficientNMS") != std::string::npos)
      throw Error(fmt::format(
          "{}: holds TensorRT's suppression (EfficientNMS_TRT), which TensorRT alone runs; export "
          "with --nms, or without suppression",
          path.string()));
    throw Error(fmt::format("{}: OpenVINO cannot read it: {}", path.string(),
                            text::printable(reason.substr(0, 300))));
  }
}

}  // namespace

std::shared_ptr<ov::Model> read_model_file(ov::Core& core, const fs::path& path) {
  return read_model(core, model_path(path));
}

ModelFile open_model_file(const fs::path& path, const DetectorOptions& options) {
  const std::string name = path.filename().string();
  auto core = std::make_shared<ov::Core>();
  const auto model = read_model_file(*core, path);
  if (precision_type(options.precision) == ov::element::bf16)
    guarded("list the CPU's capabilities", [&] { require_bfloat16(*core); });
  const OutputShape input =
      model->inputs().size() == 1 ? sides_of(model->input().get_partial_shape()) : OutputShape{};
  if (input.size() != 4 || (input[1] != 3 && input[3] != 3))
    throw Error(
        fmt::format("{}: expected one input of images, [B, 3, H, W] or [B, H, W, 3], found another",
                    path.string()));
  std::vector<OutputShape> outputs;
  for (const auto& output : model->outputs())
    outputs.push_back(sides_of(output.get_partial_shape()));
  ModelFile file;
  file.facts = guarded("read the model's metadata", [&] {
    return model_facts(metadata_of(*model, path), outputs, path.string(),
                       input[3] == 3 && input[1] != 3);
  });
  file.detector = std::make_unique<FileDetector>(std::move(core), model, file.facts, options, name);
  return file;
}

}  // namespace yolov7::runtime

#else

namespace yolov7::runtime {

ModelFile open_model_file(const std::filesystem::path& path, const DetectorOptions&) {
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
  return suffix == ".onnx" || suffix == ".xml" || suffix == ".tflite" || suffix == ".pb" ||
         is_script_file(path);
}

bool is_script_file(const std::filesystem::path& path) {
  const std::string suffix = text::lower(path.extension().string());
  return suffix == ".torchscript" || suffix == ".ptl";
}

}  // namespace yolov7::runtime
