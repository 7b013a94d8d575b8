// The side of an export's comparison that stays the same for all files.
#include <fmt/format.h>

#include <algorithm>

#include "api/training_library.hpp"
#include "cli/verbs/export_files.hpp"
#include "cli/verbs/proof_pictures.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/sha256.hpp"
#include "network/checkpoint/checkpoint_file.hpp"

namespace yolov7::cli {
namespace {

/// `open`: of several sides; else all of the model's height and width.
std::vector<equivalence::ProofPicture> pictures_for(const exporting::ExportOptions& options,
                                                    const exporting::ExportModel& model,
                                                    bool open) {
  const int stride = static_cast<int>(model.network().largest_stride());
  std::vector<equivalence::ProofPicture> all =
      open ? equivalence::generated_pictures(std::max(model.height, model.width), stride)
           : equivalence::noise_pictures(4, model.height, model.width);
  if (!options.images.empty())
    for (auto& one : proof_pictures(options.images, model.height, model.width, open ? stride : 0))
      all.push_back(std::move(one));
  return all;
}

}  // namespace

ExportSource read_source(const exporting::ExportOptions& options) {
  const network::Checkpoint checkpoint = network::read_checkpoint(options.weights);
  for (const std::string& note : checkpoint.facts.notes)
    log::warning(fmt::format("{}: {}", options.weights, note));
  ExportSource source{exporting::make_export_model(checkpoint, options),
                      checkpoint.dataset_identity, checkpoint.quantization};
  source.model.script_library = &api::script_library;
  source.model.weights_sha256 = sha256_of_file(options.weights, interrupt::token());
  return source;
}

ParentModel::ParentModel(const ExportSource& source, const exporting::ExportOptions& options)
    : folded_(source.model.fused), parent_([folded = folded_] {
        runtime::DetectorOptions one_shape;
        one_shape.kept_shapes = 1;
        return runtime::make_openvino_detector(folded, one_shape);
      }) {
  const exporting::ExportModel& model = source.model;
  fixed_ = pictures_for(options, model, false);
  if (model.dynamic_size) open_ = pictures_for(options, model, true);
  if (options.data.empty()) return;
  if (model.height != model.width)
    throw usage_error(fmt::format(
        "export: --data: expected a model of equal height and width to measure, found {} x {}",
        model.height, model.width));
  api::OpenModel weights;
  weights.path = options.weights;
  weights.names = model.names;
  weights.dataset_identity = source.dataset_identity;
  weights.detector = runtime::make_openvino_detector(folded_, {});
  accuracy_.emplace(weights, parent_,
                    FileAccuracy::Request{.data = options.data,
                                          .split = options.split,
                                          .image_size = model.height,
                                          .budget = options.accuracy_budget,
                                          .row_errors = options.int8});
  if (accuracy_->labels() == 0) {
    log::warning(fmt::format("{}: the {} split has no labels: the accuracy is not measured",
                             options.data, options.split));
    accuracy_.reset();
  }
}

exporting::Verification ParentModel::verification(bool speed) {
  exporting::Verification with{parent_, open_, fixed_};
  with.folded_parent = [this] { return folded_; };
  if (accuracy_)
    with.accuracy = [this](runtime::Detector& file, const NmsOptions* suppression) {
      return (*accuracy_)(file, suppression);
    };
  with.speed = speed;
  with.stop = interrupt::token();
  return with;
}

}  // namespace yolov7::cli
