#include "training/checkpoints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <system_error>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "training/quantized_model.hpp"
#include "training/validation.hpp"

namespace yolov7::training {
namespace {

namespace fs = std::filesystem;

network::Checkpoint description(const Data& data, const Model& model) {
  network::Checkpoint checkpoint;
  checkpoint.config = model.config;
  checkpoint.config_source = model.config_source;
  checkpoint.class_count = static_cast<int>(data.train.names.size());
  checkpoint.names = data.train.names;
  checkpoint.image_size = data.val_size;
  checkpoint.dataset_identity = data.train.identity;
  return checkpoint;
}

/// `ranges`: those that the weights were trained with.
void write_averaged(const RunContext& context, const Data& data, const Model& model,
                    const fs::path& name, const network::Weights& weights,
                    const std::string& ranges) {
  network::Checkpoint checkpoint = description(data, model);
  checkpoint.ema = weights;
  checkpoint.quantization = ranges;
  network::write_checkpoint(context.folder / "weights" / name, checkpoint);
}

void copy_atomically(const fs::path& from, const fs::path& to) {
  file::replace_atomically(to, [&](const fs::path& temporary) {
    std::error_code error;
    fs::copy_file(from, temporary, fs::copy_options::overwrite_existing, error);
    if (error)
      throw Error(
          fmt::format("{}: cannot copy {} to it: {}", to.string(), from.string(), error.message()));
  });
}

bool has_half_precision(const network::Weights& weights) {
  const auto& entries = weights.entries();
  return std::any_of(entries.begin(), entries.end(), [](const auto& entry) {
    return entry.second.type == network::DataType::float16;
  });
}

double file_megabytes(const fs::path& path) {
  return static_cast<double>(fs::file_size(path)) / 1e6;
}

}  // namespace

void write_initial(const RunContext& context, const Data& data, const Model& model) {
  if (context.writes())
    write_averaged(context, data, model, "init.pt", model.network->store(), ranges_text(model));
}

void write_last(const RunContext& context, const Data& data, const Model& model,
                const run::RunState& state) {
  if (!context.writes()) return;
  network::Checkpoint checkpoint = description(data, model);
  checkpoint.model = model.network->store();
  if (model.distillation) model.distillation->store(checkpoint.model);
  if (model.quantizers) model.quantizers->store(checkpoint.model);
  checkpoint.quantization = ranges_text(model);
  checkpoint.ema = model.ema->store();
  checkpoint.optimizer = model.optimizer->store();
  checkpoint.state = run::to_text(state);
  const fs::path weights = context.folder / "weights";
  network::write_checkpoint(weights / "last.pt", checkpoint, weights / "last.previous.pt");
}

network::Checkpoint read_last(const RunContext& context) {
  const fs::path last = context.folder / "weights" / "last.pt",
                 previous = context.folder / "weights" / "last.previous.pt";
  try {
    network::Checkpoint checkpoint = network::read_checkpoint(last);
    run::run_state(checkpoint.state,
                   last.string());  // a description that cannot be read is damage as well
    return checkpoint;
  } catch (const Error& error) {
    if (!fs::exists(previous)) throw;
    log::warning(fmt::format("{}; using the one before it, {}", error.what(), previous.string()));
    network::Checkpoint checkpoint = network::read_checkpoint(previous);
    run::run_state(checkpoint.state, previous.string());
    if (context.writes()) {
      std::error_code none;  // it may be gone
      fs::rename(last, context.folder / "weights" / "last.damaged.pt", none);
      copy_atomically(previous, last);
    }
    return checkpoint;
  }
}

void write_epoch_checkpoints(const RunContext& context, const Data& data, const Model& model,
                             const run::RunState& state, int epoch, bool best, bool last) {
  if (!context.writes() || (state.options.nosave && !last)) return;
  const int period = state.options.save_period;
  const bool numbered = (period > 0 && (epoch + 1) % period == 0) || epoch == 0 ||
                        (epoch + 1) % 25 == 0 || epoch >= state.options.epochs - 5;
  if (best || numbered) {
    const network::Weights average = model.ema->store();
    const std::string ranges = ranges_text(model);
    const auto write = [&](const std::string& name) {
      write_averaged(context, data, model, name, average, ranges);
    };
    if (best) write("best.pt");
    if (best && epoch >= 200) write(fmt::format("best_{:03}.pt", epoch));
    if (numbered) write(fmt::format("epoch_{:03}.pt", epoch));
  }
  write_last(context, data, model, state);
}

void finish_run(const RunContext& context, const Data& data, const Model& model,
                const run::TrainOptions& options) {
  if (!context.writes()) return;
  const fs::path best = context.folder / "weights" / "best.pt";
  if (!fs::exists(best)) {
    log::warning("no best.pt: no epoch was validated");
    return;
  }
  const network::Checkpoint chosen = network::read_checkpoint(best);
  const std::unique_ptr<nn::FakeQuantizers> quantizers = quantizers_of(chosen.quantization, model);
  const network::Weights& full = chosen.ema;
  const network::Weights half = converted(full, network::DataType::float16);
  const auto measured = [&](const network::Weights& weights, const fs::path& folder) {
    return measure(context, data, model.network->description(), options, weights, folder,
                   quantizers.get());
  };
  if (has_half_precision(full)) {
    const FinalMetrics kept = measured(full, context.folder);
    log::info(fmt::format(
        "best.pt: half precision since an earlier end of this run, {:.1f} MB; COCO mAP50 {:.4f}, "
        "mAP {:.4f}",
        file_megabytes(best), kept.map50, kept.map));
    return;
  }
  const FinalMetrics exact = measured(full, {}), rounded = measured(half, context.folder);
  const bool close = std::abs(exact.map50 - rounded.map50) <= 0.0005 &&
                     std::abs(exact.map - rounded.map) <= 0.0005;
  if (close) {
    write_averaged(context, data, model, "best.pt", half, chosen.quantization);
    log::info(
        fmt::format("best.pt: half precision, {:.1f} MB; COCO mAP50 {:.4f}, mAP {:.4f} (float32: "
                    "{:.4f}, {:.4f})",
                    file_megabytes(best), rounded.map50, rounded.map, exact.map50, exact.map));
  } else {
    log::warning(
        fmt::format("best.pt stays in float32, {:.1f} MB: half precision would change COCO mAP50 "
                    "{:.4f} to {:.4f}, mAP {:.4f} to {:.4f}",
                    file_megabytes(best), exact.map50, rounded.map50, exact.map, rounded.map));
    measured(full, context.folder);
  }
}

}  // namespace yolov7::training
