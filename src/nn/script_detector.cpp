// Runs TorchScript files (nn/torchscript.hpp).
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include <nlohmann/json.hpp>

#include "core/threads.hpp"
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

/// config.txt of the file, which is read without running anything.
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
  for (const char* key : {"layout", "names", "stride"})
    if (!metadata.contains(key))
      throw Error(
          fmt::format("{}: expected config.txt with '{}' in it, as yolov7 export writes it, "
                      "found none",
                      path.string(), key));
  return metadata;
}

class ScriptDetector final : public runtime::Detector {
 public:
  ScriptDetector(const fs::path& path, const runtime::ModelMetadata& metadata,
                 const runtime::DetectorOptions& options)
      : path_(path), options_(options) {
    if (options_.threads <= 0) options_.threads = usable_cores();
    module_ = script_guarded(path, "LibTorch cannot load it",
                             [&] { return torch::jit::load(path.string(), at::kCPU); });
    module_.eval();
    const auto stride = text::parse_int(metadata.at("stride"));
    if (!stride || *stride < 1 || *stride > largest_stride)
      throw Error(fmt::format("{}: stride: expected 1 ... {}, found '{}'", path.string(),
                              largest_stride, text::printable(metadata.at("stride"))));
    // The file does not tell the shapes of its outputs: one small image does.
    const std::int64_t side = 2 * static_cast<std::int64_t>(*stride);
    std::vector<runtime::OutputShape> shapes;
    for (const at::Tensor& output : run(at::zeros({1, 3, side, side})))
      shapes.emplace_back(output.sizes().begin(), output.sizes().end());
    facts_ = runtime::model_facts(metadata, shapes, path.string());
  }

  const runtime::ModelFacts& facts() const { return facts_; }
  std::string description() const override {
    return fmt::format("LibTorch {}, CPU, as the file has it, {} thread{}, {}", TORCH_VERSION,
                       options_.threads, options_.threads == 1 ? "" : "s",
                       path_.filename().string());
  }
  int class_count() const override { return static_cast<int>(facts_.names.size()); }
  int stride() const override { return facts_.stride; }

  void predict(const runtime::PixelBatch& batch, runtime::Prediction& prediction) override {
    if (batch.count < 1 || batch.height < 1 || batch.width < 1 ||
        batch.height % facts_.stride != 0 || batch.width % facts_.stride != 0)
      throw Error(fmt::format("expected images with sides that are multiples of {}, found {} x {}",
                              facts_.stride, batch.height, batch.width));
    const std::vector<at::Tensor> tensors =
        run(image_tensor(batch.pixels, batch.count, batch.height, batch.width));
    std::vector<runtime::FileOutput> outputs;
    for (const at::Tensor& tensor : tensors)
      outputs.push_back(
          {{tensor.sizes().begin(), tensor.sizes().end()}, tensor.const_data_ptr<float>()});
    prediction = {};
    check(outputs, batch.count);
    runtime::append_rows(facts_, outputs, batch.count, batch.height, batch.width, prediction);
    if (!options_.raw_maps || facts_.layout != "raw") return;
    for (const at::Tensor& map : tensors)
      prediction.raw.push_back({static_cast<int>(map.size(1)), static_cast<int>(map.size(2)),
                                static_cast<int>(map.size(3)),
                                std::vector<float>(map.const_data_ptr<float>(),
                                                   map.const_data_ptr<float>() + map.numel())});
  }

 private:
  /// float32, contiguous.
  std::vector<at::Tensor> run(const at::Tensor& images) {
    return script_guarded(path_, "LibTorch cannot run it", [&] {
      c10::InferenceMode no_gradient;
      at::set_num_threads(options_.threads);
      const c10::IValue result = module_.forward({images});
      std::vector<at::Tensor> outputs;
      if (result.isTuple())
        for (const c10::IValue& one : result.toTupleRef().elements())
          outputs.push_back(one.toTensor());
      else
        outputs.push_back(result.toTensor());
      for (at::Tensor& one : outputs) one = one.to(at::kFloat).contiguous();
      return outputs;
    });
  }

  /// The file is a program: what it gives may differ from one image to the next.
  void check(const std::vector<runtime::FileOutput>& outputs, int count) const {
    const std::size_t sides = facts_.layout == "raw" ? 5 : 3,
                      number = facts_.layout == "raw" ? facts_.levels.size() : 1,
                      names = facts_.names.size();
    bool fits = outputs.size() == number;
    for (const runtime::FileOutput& one : outputs) {
      fits = fits && one.shape.size() == sides && one.shape[0] == static_cast<std::size_t>(count);
      if (!fits) break;
      const bool folded = facts_.layout == "v8";
      fits = folded ? one.shape[1] == 4 + names : one.shape.back() == 5 + names;
    }
    if (!fits)
      throw Error(fmt::format("{}: expected outputs of the layout {} for {} image{}, found others",
                              path_.string(), facts_.layout, count, count == 1 ? "" : "s"));
  }

  fs::path path_;
  runtime::DetectorOptions options_;
  torch::jit::Module module_;
  runtime::ModelFacts facts_;
};

}  // namespace

runtime::ModelFile open_script(const fs::path& path, const runtime::DetectorOptions& options) {
  if (options.precision != "float32")
    throw Error(
        fmt::format("{}: --precision: expected float32 for a file that has its own types, "
                    "found {}",
                    path.string(), options.precision));
  const runtime::ModelMetadata metadata = metadata_of(path);
  const std::string& layout = metadata.at("layout");
  if (layout != "v5" && layout != "v8" && layout != "raw")
    throw Error(fmt::format("{}: layout: expected v5, v8 or raw, found '{}'", path.string(),
                            text::printable(layout)));
  auto detector = std::make_unique<ScriptDetector>(path, metadata, options);
  runtime::ModelFile file;
  file.facts = detector->facts();
  file.detector = std::move(detector);
  return file;
}

}  // namespace yolov7::nn
