#include "cli/verbs/compress_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "api/model.hpp"
#include "cli/verbs/quantization.hpp"
#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "dataset/formats/conversion.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/index/read_index.hpp"
#include "dataset/index/unlabelled.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/graph/folded.hpp"
#include "run/run_state.hpp"
#include "runtime/detect.hpp"
#include "runtime/openvino/model_file.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

std::string hash_of(const std::string& file) { return sha256_of_file(file, interrupt::token()); }

void require_trainable(const CompressOptions& o, const network::Checkpoint& parent) {
  if (network::holds_folded(parent.build_network(), parent.inference_weights()))
    throw Error(
        fmt::format("{}: expected a checkpoint that can be trained further after pruning, found a "
                    "folded one (--stages quantize takes it)",
                    o.weights));
}

/// What `quantize` would refuse once the parent has been measured.
void require_float32(const CompressOptions& o, const network::Checkpoint& parent) {
  if (!parent.quantization.empty() && o.quantize.effort == "high")
    throw usage_error(fmt::format(
        "compress: --effort high: expected weights that were trained in float32, found {}, which "
        "was trained for integers: its numbers are taken as they are",
        o.weights));
}

int epochs_of_parent(const CompressOptions& o, const network::Checkpoint& parent) {
  if (o.train.epochs > 0) return o.train.epochs;
  if (!parent.state.empty()) return run::run_state(parent.state, o.weights).options.epochs;
  throw usage_error(fmt::format(
      "compress: expected --epochs, the epochs of the parent's training, of which each pruned "
      "network is trained for {:g} %: {} does not tell them",
      100 * o.epochs_share, o.weights));
}

/// Everything that was asked for; files count by their contents.
void add_settings(CompressInputs& inputs, CompressOptions& o) {
  static const std::vector<std::string> otherwise{"weights",    "data",     "out",    "teacher",
                                                  "unlabelled", "img-size", "epochs", "workers"};
  for (const Setting& one : settings(o).entries)
    if (!text::contains(otherwise, one.name)) inputs.beginning["--" + one.name] = one.text();
  inputs.beginning["--img-size"] = std::to_string(inputs.image_size);
  inputs.beginning["epochs for each pruned network"] = std::to_string(inputs.epochs);
  inputs.beginning["the program's version"] = std::string(program_version());
  inputs.beginning["--weights of SHA-256"] = hash_of(o.weights);
  if (!o.train.distill.teacher.empty())
    inputs.beginning["--teacher of SHA-256"] = hash_of(o.train.distill.teacher);
  if (fs::is_regular_file(o.train.hyp)) inputs.beginning["--hyp"] = hash_of(o.train.hyp);
}

dataset::Index read_split(const dataset::Description& description, const std::string& split) {
  return dataset::read_index(description, split,
                             {false, false, false, false, 0, interrupt::token()});
}

/// Nothing is decided by it: where it cannot be read, it is not measured, which is said.
std::optional<dataset::Index> read_test(const dataset::Description& description) {
  try {
    return read_split(description, "test");
  } catch (const Error& error) {
    if (error.code() == ExitCode::interrupted) throw;
    log::warning(fmt::format("compress: the test split is not measured: {}", error.what()));
    return std::nullopt;
  }
}

}  // namespace

CompressInputs read_inputs(CompressOptions& o) {
  api::require_weights({o.weights});
  exporting::ExportOptions as_source;
  as_source.weights = o.weights;
  require_checkpoint(as_source);
  const network::Checkpoint parent = network::read_checkpoint(o.weights);
  CompressInputs inputs;
  const network::Network network = parent.build_network();
  inputs.image_size =
      runtime::rounded_image_size(o.img_size > 0 ? o.img_size : parent.image_size,
                                  std::max(32, static_cast<int>(network.largest_stride())));
  if (o.has("prune")) {
    require_trainable(o, parent);
    inputs.epochs =
        std::max(1, static_cast<int>(std::lround(o.epochs_share * epochs_of_parent(o, parent))));
    if (!o.train.hyp.empty()) run::read_hyperparameters(o.train.hyp);
    if (!o.train.distill.teacher.empty()) {
      api::require_weights({o.train.distill.teacher});
      network::read_checkpoint(o.train.distill.teacher);
    }
  }
  if (o.has("quantize")) require_float32(o, parent);
  add_settings(inputs, o);
  return inputs;
}

void add_data(CompressInputs& inputs, const CompressOptions& o, const CompressMeter& meter) {
  require_provable(o.accuracy_budget, meter.index().label_count(), o.split);
  const auto add = [&](const dataset::Index& index) {
    inputs.beginning[fmt::format("images and labels of the {} split of hash", index.split)] =
        index.identity;
  };
  add(meter.index());
  dataset::Conversion said_already;  // where the meter opened them
  dataset::OpenDataOptions opening{.stop = interrupt::token()};
  opening.account = &said_already;
  const dataset::Description description = dataset::open_data(o.data, opening);
  inputs.has_test = o.split != "test" && !description.test.empty();
  const std::string learnt = description.split("train").empty() ? "val" : "train";
  if (learnt == "val" && o.has("prune"))
    throw Error(fmt::format("{}: expected a train split to train pruned networks with, found none",
                            o.data));
  const dataset::Index index = learnt == o.split ? meter.index() : read_split(description, learnt);
  if (o.has("quantize"))
    require_calibration(index.entries.size(), fmt::format("the {} split of {}", learnt,
                                                          fs::path(o.data).filename().string()));
  add(index);
  if (inputs.has_test) {
    const std::optional<dataset::Index> test = read_test(description);
    inputs.has_test = test.has_value();
    if (test) add(*test);
  }
  if (o.has("prune") && run::learns_unlabelled(o.train.semi))
    inputs.beginning["images of --unlabelled of hash"] =
        dataset::read_unlabelled(o.train.semi.unlabelled, {}, false, interrupt::token()).identity;
}

void require_own_folder(const CompressOptions& o) {
  const fs::path out(o.out);
  if (!fs::exists(out)) return;
  if (!fs::is_directory(out))
    throw Error(fmt::format("--out {}: expected a folder, found a file", o.out));
  if (fs::exists(out / "state.json")) return;
  for (const auto& entry : fs::directory_iterator(out)) {
    const std::string found = entry.path().filename().string();
    // Of a call that was killed at its start.
    if (found == ".lock" || found.starts_with(".state.json.")) continue;
    throw Error(
        fmt::format("--out {}: expected a new or empty folder, or one of compress, found {} in it",
                    o.out, text::printable(found)));
  }
}

}  // namespace yolov7::cli
