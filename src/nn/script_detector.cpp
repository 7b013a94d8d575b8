// Runs TorchScript files (nn/torchscript.hpp).
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "core/setting_name.hpp"
#include "core/threads.hpp"
#include "nn/script_code.hpp"
#include "nn/script_error.hpp"
#include "nn/torch_network.hpp"
#include "nn/torchscript.hpp"
#include "runtime/openvino/file_rows.hpp"
#include "runtime/openvino/model_facts.hpp"

namespace yolov7::nn {
namespace {

namespace fs = std::filesystem;

/// Beyond this no network goes; a file that asks for more would take all memory.
constexpr int largest_stride = 1024;
constexpr std::int64_t largest_side = 16'384;

/// Where a file does not tell its sides; those of most tracings first.
constexpr std::array tried_sides{640, 1280, 320, 416, 512, 608, 768, 896, 960, 1024, 1536};

/// config.txt of the file, if it has one, which is read without running anything.
runtime::ModelMetadata metadata_of(const fs::path& path) {
  const std::string config = script_guarded(path, "no TorchScript file", [&] {
    caffe2::serialize::PyTorchStreamReader reader(path.string());
    if (!reader.hasRecord("constants.pkl"))
      throw Error(fmt::format("{}: expected TorchScript, found another archive", path.string()));
    if (!reader.hasRecord("extra/config.txt")) return std::string();
    const auto [bytes, size] = reader.getRecord("extra/config.txt");
    return std::string(static_cast<const char*>(bytes.get()), size);
  });
  runtime::ModelMetadata metadata;
  const auto json = nlohmann::json::parse(config, nullptr, false);
  if (json.is_object())
    for (const auto& [key, value] : json.items())
      metadata[key] = value.is_string() ? value.get<std::string>() : value.dump();
  return metadata;
}

/// "[640, 640]" or "640" of imgsz, or the last two of "[1, 3, 640, 640]".
runtime::InputSides told_sides(const runtime::ModelMetadata& metadata) {
  for (const char* key : {"imgsz", "shape"}) {
    const auto told = metadata.find(key);
    if (told == metadata.end()) continue;
    std::string list = told->second;
    std::erase_if(list, [](char c) { return c == '[' || c == ']'; });
    std::vector<int> sides;
    for (const std::string_view piece : text::split(list, ','))
      if (const auto side = text::parse_int(text::trim(piece)); side && *side > 0)
        sides.push_back(static_cast<int>(std::min<std::int64_t>(*side, largest_side)));
    if (!sides.empty())
      return {sides.size() > 1 ? sides[sides.size() - 2] : sides[0], sides.back()};
  }
  return {};
}

void add_tensors(const c10::IValue& value, std::vector<at::Tensor>& all) {
  if (value.isTensor())
    all.push_back(value.toTensor());
  else if (value.isTuple())
    for (const c10::IValue& one : value.toTupleRef().elements()) add_tensors(one, all);
  else if (value.isList())
    for (const c10::IValue& one : value.toListRef()) add_tensors(one, all);
  else
    throw Error("expected tensors as outputs, found " + value.tagKind());
}

class ScriptDetector final : public runtime::Detector {
 public:
  ScriptDetector(const fs::path& path, const runtime::ModelMetadata& metadata,
                 const runtime::DetectorOptions& options, const std::vector<std::string>& names)
      : path_(path), options_(options) {
    if (options_.threads <= 0) options_.threads = usable_cores();
    module_ = script_guarded(path, "LibTorch cannot load it",
                             [&] { return torch::jit::load(path.string(), at::kCPU); });
    module_.eval();
    std::vector<runtime::OutputShape> shapes;
    runtime::FileSurroundings more;
    more.names = names;
    if (const auto told = metadata.find("stride");
        told != metadata.end() && metadata.contains("layout")) {
      const auto stride = text::parse_int(told->second);
      if (!stride || *stride < 1 || *stride > largest_stride)
        throw Error(fmt::format("{}: stride: expected 1 ... {}, found '{}'", path.string(),
                                largest_stride, text::printable(told->second)));
      // The file does not tell the shapes of its outputs: one small image does.
      const int side = 2 * static_cast<int>(*stride);
      shapes = shapes_at({side, side});
    } else {
      shapes = find_sides(metadata);
      more.input = sides_;
    }
    facts_ = runtime::model_facts(metadata, shapes, path.string(), more);
    if (const std::string& layout = facts_.layout;
        layout != "v5" && layout != "v8" && layout != "raw")
      throw Error(fmt::format("{}: layout: expected v5, v8 or raw, found '{}'", path.string(),
                              text::printable(layout)));
    if (guessed_) facts_.notes.push_back(sides_note_);
  }

  const runtime::ModelFacts& facts() const { return facts_; }
  std::string description() const override {
    return fmt::format("LibTorch {}, CPU, as the file has it, {} thread{}, {}", TORCH_VERSION,
                       options_.threads, options_.threads == 1 ? "" : "s",
                       path_.filename().string());
  }
  int class_count() const override { return static_cast<int>(facts_.names.size()); }
  int stride() const override { return facts_.stride; }
  runtime::InputSides sides() const override { return sides_; }

  void predict(const runtime::PixelBatch& batch, runtime::Prediction& prediction) override {
    runtime::require_input(batch.count, batch.height, batch.width, facts_.stride, sides_);
    prediction = {};
    // A tracing may have the number of its images baked in.
    const int at_once = guessed_ ? 1 : batch.count;
    const std::size_t image =
        3 * static_cast<std::size_t>(batch.height) * static_cast<std::size_t>(batch.width);
    for (int done = 0; done < batch.count; done += at_once)
      predict_part({batch.pixels.subspan(static_cast<std::size_t>(done) * image,
                                         static_cast<std::size_t>(at_once) * image),
                    at_once, batch.height, batch.width},
                   prediction);
  }

 private:
  void predict_part(const runtime::PixelBatch& batch, runtime::Prediction& prediction) {
    const std::vector<at::Tensor> tensors =
        run(image_tensor(batch.pixels, batch.count, batch.height, batch.width));
    std::vector<runtime::FileOutput> outputs;
    for (const at::Tensor& tensor : tensors)
      outputs.push_back(
          {{tensor.sizes().begin(), tensor.sizes().end()}, tensor.const_data_ptr<float>()});
    check(outputs, batch.count);
    runtime::append_rows(facts_, outputs, batch.count, batch.height, batch.width, prediction);
    if (!options_.raw_maps || facts_.layout != "raw") return;
    prediction.raw.resize(tensors.size());
    for (std::size_t j = 0; j < tensors.size(); ++j) {
      const at::Tensor& map = tensors[j];
      runtime::Prediction::RawMap& raw = prediction.raw[j];
      raw.anchors = static_cast<int>(map.size(1)), raw.height = static_cast<int>(map.size(2)),
      raw.width = static_cast<int>(map.size(3));
      raw.values.insert(raw.values.end(), map.const_data_ptr<float>(),
                        map.const_data_ptr<float>() + map.numel());
    }
  }

  std::vector<runtime::OutputShape> shapes_at(const runtime::InputSides& sides) {
    std::vector<runtime::OutputShape> shapes;
    for (const at::Tensor& output : run(at::zeros({1, 3, sides.height, sides.width})))
      shapes.emplace_back(output.sizes().begin(), output.sizes().end());
    return shapes;
  }

  /// Sets the sides that the file takes. They stay open where half of them work as well, with a
  /// quarter of the rows.
  std::vector<runtime::OutputShape> find_sides(const runtime::ModelMetadata& metadata) {
    guessed_ = true;
    std::vector<runtime::InputSides> tried;
    if (const runtime::InputSides told = told_sides(metadata); told.fixed())
      tried.push_back(told);
    else
      for (const int side : tried_sides) tried.push_back({side, side});
    std::string reason;
    for (const runtime::InputSides& sides : tried) {
      std::vector<runtime::OutputShape> shapes, half;
      try {
        shapes = shapes_at(sides);
      } catch (const Error& error) {
        if (reason.empty()) reason = error.what();
        continue;
      }
      try {
        half = shapes_at({sides.height / 2, sides.width / 2});
      } catch (const Error&) {  // what a tracing gives for other sides than its own
      }
      if (!scales(shapes, half)) sides_ = sides;
      sides_note_ = fmt::format("the file does not tell its sides; {} x {} px work{}", sides.width,
                                sides.height, sides_.fixed() ? "" : ", and others");
      return shapes;
    }
    throw Error(fmt::format(
        "{}; expected a file that takes one image of {} x {} px{}, found none that works. A file "
        "of another size tells it as imgsz in its config.txt: yolov7 export writes that",
        reason, tried.front().width, tried.front().height,
        tried.size() > 1 ? " or another usual size" : " as it tells"));
  }

  static bool scales(const std::vector<runtime::OutputShape>& whole,
                     const std::vector<runtime::OutputShape>& half) {
    const auto values = [](const std::vector<runtime::OutputShape>& shapes) {
      std::int64_t all = 0;
      for (const runtime::OutputShape& one : shapes) {
        std::int64_t product = 1;
        for (const std::int64_t side : one) product *= side;
        all += product;
      }
      return all;
    };
    return whole.size() == half.size() && values(whole) == 4 * values(half);
  }

  /// float32, contiguous.
  std::vector<at::Tensor> run(const at::Tensor& images) {
    return script_guarded(path_, "LibTorch cannot run it", [&] {
      c10::InferenceMode no_gradient;
      at::set_num_threads(options_.threads);
      const c10::IValue result = module_.forward({images});
      std::vector<at::Tensor> outputs;
      add_tensors(result, outputs);
      for (at::Tensor& one : outputs) one = one.to(at::kFloat).contiguous();
      return outputs;
    });
  }

  /// The file is a program: what it gives may differ from one image to the next.
  void check(const std::vector<runtime::FileOutput>& outputs, int count) const {
    const bool raw = facts_.layout == "raw";
    const std::size_t sides = raw ? 5 : 3, names = facts_.names.size();
    bool fits = raw ? outputs.size() == facts_.levels.size() : outputs.size() > facts_.output;
    for (std::size_t i = 0; fits && i < outputs.size(); ++i) {
      const std::vector<std::size_t>& shape = outputs[i].shape;
      if (!raw && i != facts_.output) continue;  // maps besides
      fits = shape.size() == sides && shape[0] == static_cast<std::size_t>(count) &&
             (facts_.layout == "v8" ? shape[1] == 4 + names : shape.back() == 5 + names);
    }
    if (!fits)
      throw Error(fmt::format("{}: expected outputs of the layout {} for {} image{}, found others",
                              path_.string(), facts_.layout, count, count == 1 ? "" : "s"));
  }

  fs::path path_;
  runtime::DetectorOptions options_;
  torch::jit::Module module_;
  runtime::ModelFacts facts_;
  bool guessed_ = false;  // what the file takes was tried out
  runtime::InputSides sides_;
  std::string sides_note_;
};

}  // namespace

runtime::ModelFile open_script(const fs::path& path, const runtime::DetectorOptions& options,
                               const std::vector<std::string>& names) {
  if (options.precision != "float32")
    throw Error(fmt::format("{}: {}: expected float32 for a file that has its own types, found {}",
                            path.string(), setting_name("precision"), options.precision));
  const runtime::ModelMetadata metadata = metadata_of(path);
  require_inward_code(path);
  if (const auto told = metadata.find("layout"); told != metadata.end())
    if (const std::string& layout = told->second;
        layout != "v5" && layout != "v8" && layout != "raw")
      throw Error(fmt::format("{}: layout: expected v5, v8 or raw, found '{}'", path.string(),
                              text::printable(layout)));
  auto detector = std::make_unique<ScriptDetector>(path, metadata, options, names);
  runtime::ModelFile file;
  file.facts = detector->facts();
  file.detector = std::move(detector);
  return file;
}

}  // namespace yolov7::nn
