#include "runtime/openvino/compiled_models.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <openvino/core/version.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/threads.hpp"
#include "runtime/openvino/cpu_properties.hpp"
#include "runtime/openvino/openvino_error.hpp"
#include "runtime/openvino/openvino_model.hpp"

namespace yolov7::runtime {
namespace {

namespace fs = std::filesystem;

/// Changes with what make_openvino_model() builds from the same weights.
constexpr int model_builder_version = 1;
constexpr std::uintmax_t cache_limit_bytes = std::uintmax_t{2} << 30;

std::string identity_of(const network::NetworkAndWeights& model) {
  std::string all = fmt::format("{}\n{} classes", model.network.config, model.network.class_count);
  for (const network::Level& level : model.network.levels)
    for (const network::AnchorSize& anchor : level.anchors)
      all += fmt::format("\n{} {} {}", level.stride, anchor.w, anchor.h);
  for (const auto& [name, tensor] : model.weights.entries()) {
    const std::string_view bytes(reinterpret_cast<const char*>(tensor.bytes.data()),
                                 tensor.bytes.size());
    all +=
        fmt::format("\n{} {} {}", name, static_cast<int>(tensor.type), file::content_hash(bytes));
  }
  return file::content_hash(all);
}

/// A folder that the user names may hold files of others: OpenVINO's own cache ends in .blob, too.
bool is_own_name(const fs::path& file) {
  const std::string stem = file.stem().string();
  return file.extension() == ".blob" && stem.size() == file::content_hash("").size() &&
         stem.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// Oldest use first until what is left fits.
void keep_within_limit(const fs::path& folder) {
  struct Kept {
    fs::file_time_type used;
    std::uintmax_t bytes;
    fs::path path;
  };
  std::vector<Kept> all;
  std::uintmax_t total = 0;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (!is_own_name(entry.path())) continue;
    all.push_back({entry.last_write_time(error), entry.file_size(error), entry.path()});
    total += all.back().bytes;
  }
  std::sort(all.begin(), all.end(), [](const Kept& a, const Kept& b) { return a.used < b.used; });
  for (const Kept& one : all) {
    if (total <= cache_limit_bytes) break;
    if (fs::remove(one.path, error)) total -= one.bytes;
  }
}

}  // namespace

CompiledModels::CompiledModels(std::shared_ptr<const network::NetworkAndWeights> model,
                               const DetectorOptions& options, QuantizedForm quantized)
    : model_(std::move(model)),
      options_(options),
      quantized_(std::move(quantized)),
      threads_(threads_or_all(options.threads)),
      core_(std::make_unique<ov::Core>()),
      kept_(options.kept_shapes) {
  if (precision_type(options_.precision) == ov::element::bf16)
    guarded("list the CPU's capabilities", [&] { require_bfloat16(*core_); });
}

CompiledModels::~CompiledModels() = default;

/// Folded, or as stored in float32, because the model's constants lie over this memory.
std::shared_ptr<const network::NetworkAndWeights> CompiledModels::runnable() {
  if (runnable_) return runnable_;
  if (!options_.as_stored && !network::is_fused(model_->network))
    return runnable_ = std::make_shared<const network::NetworkAndWeights>(
               network::fuse(model_->network, model_->weights));
  const bool as_is = std::ranges::all_of(model_->weights.entries(), [](const auto& entry) {
    const network::DataType type = entry.second.type;
    return type != network::DataType::float16 && type != network::DataType::bfloat16 &&
           type != network::DataType::float64;
  });
  if (as_is) return runnable_ = model_;  // large networks are not in memory twice
  return runnable_ = std::make_shared<const network::NetworkAndWeights>(network::NetworkAndWeights{
             model_->network, network::converted(model_->weights, network::DataType::float32)});
}

std::shared_ptr<ov::CompiledModel> CompiledModels::get(const InputShape& shape) {
  const std::lock_guard lock(mutex_);
  return kept_.get(shape, [&] { return compile(shape); });
}

std::shared_ptr<ov::CompiledModel> CompiledModels::compile(const InputShape& shape) {
  const bool kept = !options_.cache_folder.empty() && !quantized();
  const fs::path file = kept ? cache_file(shape) : fs::path();
  if (auto known = file.empty() ? nullptr : from_cache(file)) return known;
  OpenvinoModelOptions options;
  options.batch = shape.count, options.height = shape.height, options.width = shape.width;
  options.raw_maps = options_.raw_maps, options.float_input = shape.floats;
  options.quantized = quantized_;
  const auto model = make_openvino_model(runnable(), options);
  return guarded("compile the network for the CPU", [&] {
    auto ready = std::make_shared<ov::CompiledModel>(
        core_->compile_model(model, "CPU", cpu_properties(options_, threads_)));
    if (const ov::element::Type used = ready->get_property(ov::hint::inference_precision);
        used != precision_type(options_.precision))
      throw Error(fmt::format("OpenVINO: expected precision {}, found {}", options_.precision,
                              used.get_type_name()));
    if (!file.empty()) to_cache(*ready, file);
    return ready;
  });
}

fs::path CompiledModels::cache_file(const InputShape& shape) {
  if (identity_.empty()) identity_ = identity_of(*model_);
  const std::string machine = guarded("name the CPU", [&] {
    std::string capabilities;
    for (const std::string& one : core_->get_property("CPU", ov::device::capabilities))
      capabilities += one + " ";
    return core_->get_property("CPU", ov::device::full_name) + " " + capabilities;
  });
  const std::string key =
      fmt::format("{} {} {} {} {}x{}x{} {} {} {} {} {} {}", identity_, model_builder_version,
                  ov::get_openvino_version().buildNumber, machine, shape.count, shape.height,
                  shape.width, shape.floats, options_.precision, threads_, options_.streams,
                  options_.raw_maps, options_.as_stored);
  return options_.cache_folder / (file::content_hash(key) + ".blob");
}

/// Nothing where it is missing or OpenVINO does not take it; then it is compiled anew.
std::shared_ptr<ov::CompiledModel> CompiledModels::from_cache(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return nullptr;
  try {
    auto ready = std::make_shared<ov::CompiledModel>(
        core_->import_model(in, "CPU", cpu_properties(options_, threads_)));
    if (ready->get_property(ov::hint::inference_precision) != precision_type(options_.precision))
      return nullptr;
    std::error_code ignored;
    fs::last_write_time(file, fs::file_time_type::clock::now(), ignored);  // what the limit goes by
    return ready;
  } catch (const std::exception& exception) {
    log::debug(fmt::format("{}: a compiled network that cannot be read; it is made again ({})",
                           file.string(), exception.what()));
    return nullptr;
  }
}

/// A cache that cannot be written costs time, not results.
void CompiledModels::to_cache(const ov::CompiledModel& compiled, const fs::path& file) const {
  try {
    // One that is there belongs to somebody: its rights stay.
    if (file::make_folder(file.parent_path()))
      fs::permissions(file.parent_path(), fs::perms::owner_all);
    file::replace_atomically(
        file,
        [&](const fs::path& temporary) {
          std::ofstream out(temporary, std::ios::binary);
          const_cast<ov::CompiledModel&>(compiled).export_model(out);
          if (!out.flush()) throw Error("cannot be written");
        },
        {}, file::Sync::later);  // one that a power failure damages is made again
    keep_within_limit(file.parent_path());
  } catch (const std::exception& exception) {
    log::warning(
        fmt::format("{}: the compiled network is not kept: {}", file.string(), exception.what()));
  }
}

}  // namespace yolov7::runtime
