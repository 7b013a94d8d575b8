#include "exporting/file_check.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "core/error.hpp"
#include "core/freed_memory.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "equivalence/first_difference.hpp"
#include "exporting/backed_weights.hpp"
#include "exporting/torchscript.hpp"

namespace yolov7::exporting {
namespace {

namespace fs = std::filesystem;

constexpr int letterbox_fill = 114;

bool near(double a, double b) { return std::abs(a - b) <= 1e-6 * std::abs(a); }

std::string level_text(const network::Level& level) {
  std::string all = fmt::format("stride {}, anchors", text::general(level.stride));
  for (const network::AnchorSize& anchor : level.anchors)
    all += fmt::format(" {} x {}", text::general(anchor.w, 6), text::general(anchor.h, 6));
  return all;
}

bool equal(const network::Level& a, const network::Level& b) {
  if (!near(a.stride, b.stride) || a.anchors.size() != b.anchors.size()) return false;
  for (std::size_t i = 0; i < a.anchors.size(); ++i)
    if (!near(a.anchors[i].w, b.anchors[i].w) || !near(a.anchors[i].h, b.anchors[i].h))
      return false;
  return true;
}

equivalence::FileComparison comparison_of(const Format& format, const ExportOptions& options,
                                          const runtime::ModelFacts& facts) {
  equivalence::FileComparison comparison;
  comparison.precision = precision_of(format, options);
  comparison.limits = equivalence::file_limits(comparison.precision);
  comparison.folded_objectness = facts.layout == "v8";
  comparison.suppression.conf_thres = options.conf_thres;
  comparison.suppression.iou_thres = options.iou_thres;
  comparison.suppression.max_det = options.topk_all;
  comparison.suppression.agnostic = across_classes(options);
  return comparison;
}

/// "; the first operation whose output differs is …", or why none is named.
std::string place_of(const Format& format, const ExportModel& model, const ExportOptions& options,
                     const fs::path& file, const Verification& with, const fs::path& folder,
                     const equivalence::ProofPicture& picture) {
  if (!with.folded_parent || precision_of(format, options) == equivalence::FilePrecision::int8)
    return {};
  try {
    std::vector<std::string> names;
    ExportModel named = model;
    named.value_names = &names;
    const fs::path again = folder / ("named-" + file.filename().string());
    format.write(named, options, again);
    const auto parent = with.folded_parent();
    const network::DetectorProgram program =
        network::lower_detector(parent->network, picture.height, picture.width, false);
    const auto of_parent = runtime::inner_values(parent);
    const auto of_file = format.by_libtorch ? model.script_library().inner_values(file)
                                            : runtime::inner_values(file);
    // Rounding of float16, and of float32 through a deep network.
    const double tolerance =
        precision_of(format, options) == equivalence::FilePrecision::float32 ? 1e-5 : 1e-2;
    const auto found = equivalence::first_difference(
        {parent->network, program, *of_parent, *of_file, names, tolerance, with.stop}, picture);
    if (!found) return "; no operation before the outputs differs";
    return fmt::format(
        "; the first operation whose output differs is: {} (by {:.2g} of its largest value)",
        found->operation, found->share);
  } catch (const Error& error) {
    if (error.code() == ExitCode::interrupted) throw;
    return fmt::format("; the operation was not found ({})", error.what());
  }
}

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

std::string equal_line(const equivalence::FileProof& proof, std::string_view whose) {
  std::string line = proof.rows == 0 ? fmt::format("the same {} detections on {} images",
                                                   proof.detections.file, proof.pictures)
                     : proof.largest_box == 0 && proof.largest_score == 0
                         ? fmt::format("the same numbers on {} images", proof.pictures)
                         : fmt::format("on {} images boxes within {:.2g} px, scores within {:.2g}",
                                       proof.pictures, proof.largest_box, proof.largest_score);
  if (proof.slots > 1) line += fmt::format(", in each of the {} places of a call", proof.slots);
  if (proof.rows > 0 && proof.detections.parent == 0)
    line += fmt::format("; none of them shows a detection above {:g}", proof.detections.conf_thres);
  if (proof.accuracy)
    line += fmt::format("; mAP {:.4f}, the weights' {:.4f}", proof.accuracy->file_map,
                        proof.accuracy->parent_map);
  if (proof.accuracy && proof.accuracy->errors.rows > 0)
    line += fmt::format("; likely rows: {:.3f} px, {:.4f}", proof.accuracy->errors.box,
                        proof.accuracy->errors.score);
  return whose.empty() ? line : fmt::format("{}; {} suppression itself was not run", line, whose);
}

}  // namespace

equivalence::FilePrecision precision_of(const Format& format, const ExportOptions& options) {
  if (options.int8 && honours(format, "int8")) return equivalence::FilePrecision::int8;
  return options.half && honours(format, "half") && format.name != "engine"
             ? equivalence::FilePrecision::float16
             : equivalence::FilePrecision::float32;
}

std::string facts_breach(const runtime::ModelFacts& facts, const ExportModel& model) {
  if (facts.names != model.names) return "the file's class names are not the weights'";
  const int stride = static_cast<int>(model.network().largest_stride());
  if (facts.stride != stride)
    return fmt::format("the file tells a stride of {}, the weights have {}", facts.stride, stride);
  if (facts.fill != letterbox_fill)
    return fmt::format("the file tells a letterbox fill of {}, the network was trained with {}",
                       facts.fill, letterbox_fill);
  if (!facts.rgb) return "the file tells B G R images, the network was trained with R G B";
  std::size_t j = 0;
  if (facts.levels.empty()) return {};
  for (const network::Level& level : model.network().levels) {
    if (level.auxiliary) continue;
    if (j >= facts.levels.size() || !equal(level, facts.levels[j]))
      return fmt::format(
          "level {}: the file tells {}, the weights have {}", j,
          j < facts.levels.size() ? level_text(facts.levels[j]) : std::string("nothing"),
          level_text(level));
    ++j;
  }
  return {};
}

namespace {

double open_and_prepare(const Verification& with, int images,
                        const equivalence::ProofPicture& picture) {
  const auto begin = Clock::now();
  with.parent.detector().prepare(images, picture.height, picture.width);
  return milliseconds_since(begin);
}

/// The file, which is alone in memory, but for its accuracy.
void examine(FileCheck& check, const Format& format, const ExportModel& model,
             const ExportOptions& options, const fs::path& file, const Verification& with,
             int images, equivalence::SpeedByTurns* turns) {
  if (model.backed) model.backed->give_back();
  const auto begin = Clock::now();
  runtime::DetectorOptions detector_options;
  detector_options.kept_shapes = 1;
  const runtime::ModelFile opened = format.by_libtorch
                                        ? model.script_library().open(file, detector_options, {})
                                        : runtime::open_model_file(file, detector_options);
  if (!check.pictures.empty())
    opened.detector->prepare(images, check.pictures[0].height, check.pictures[0].width);
  const double load_ms = milliseconds_since(begin);
  if (format.holds_names) check.breach = facts_breach(opened.facts, model);
  if (!check.breach.empty()) return;
  equivalence::FileComparison comparison = comparison_of(format, options, opened.facts);
  comparison.slots = images;
  comparison.stop = with.stop;
  check.proof = equivalence::prove_file(with.parent.outputs(check.pictures), *opened.detector,
                                        check.pictures, comparison);
  equivalence::FileProof& proof = *check.proof;
  if (check.breach = proof.breach; !check.breach.empty()) return;
  if (turns != nullptr) {
    turns->time_file(*opened.detector);
    check.speed.emplace().file.load = load_ms;
  }
  if (!with.accuracy) return;
  const bool suppresses = proof.rows == 0;
  proof.accuracy = with.accuracy(*opened.detector, suppresses ? &comparison.suppression : nullptr);
  check.breach = proof.breach = equivalence::accuracy_breach(*proof.accuracy);
}

/// What can be measured of a format that nothing here runs: the weights, as the file has them, in
/// the network that they came from.
void examine_weights(FileCheck& check, const Format& format, const ExportModel& model,
                     const ExportOptions& options, const fs::path& file, const Verification& with) {
  check.pictures = with.fixed_pictures;
  {
    const equivalence::OpenParent parent(with.parent);
    with.parent.outputs(check.pictures, with.stop);
  }
  const auto held = std::make_shared<const network::NetworkAndWeights>(
      network::NetworkAndWeights{model.network(), format.read_weights(file, *model.fused)});
  runtime::DetectorOptions one_shape;
  one_shape.kept_shapes = 1;
  const auto detector = runtime::make_openvino_detector(held, one_shape);
  equivalence::FileComparison comparison = comparison_of(format, options, {});
  comparison.stop = with.stop;
  check.proof = equivalence::prove_file(with.parent.outputs(check.pictures), *detector,
                                        check.pictures, comparison);
  check.proof->file += ", with the weights of the file";
  if (check.proof->breach.empty() && with.accuracy) {
    check.proof->accuracy = with.accuracy(*detector, nullptr);
    check.proof->breach = equivalence::accuracy_breach(*check.proof->accuracy);
  }
  check.breach = check.proof->breach;
  check.detail = "nothing here runs this format; its weights, read back and run by OpenVINO: " +
                 equal_line(*check.proof, {});
}

/// Verdict and reason where the file cannot be compared with the weights; empty: it can.
FileCheck not_comparable(const Format& format, const ExportModel& model,
                         const ExportOptions& options, bool with_weights) {
  FileCheck check;
  const std::string_view whose = suppression_not_run(format, model);
  if (!format.readable) {
    check.verdict = "structure only";
    check.detail = "nothing here reads this format";
  } else if (!with_weights) {
    check.verdict = "not compared";
    check.detail = "the file was not compared with the weights";
  } else if (!whose.empty() && options.int8 && model.quantization == nullptr) {
    check.verdict = "not compared";
    check.detail = fmt::format(
        "{} suppression is in the file, and what leads to it cannot be written again without the "
        "calibration",
        whose);
  }
  return check;
}

}  // namespace

FileCheck check_file(const Format& format, const ExportModel& model, const ExportOptions& options,
                     const fs::path& file, const Verification* with, const fs::path& folder) {
  FileCheck check = not_comparable(format, model, options, with != nullptr);
  if (!format.readable && options.int8 && format.read_weights != nullptr && with != nullptr)
    examine_weights(check, format, model, options, file, *with);
  if (!check.verdict.empty()) return check;
  fs::path read = file;
  ExportModel shown = model;
  const std::string_view whose = suppression_not_run(format, model);
  if (!whose.empty()) {  // what leads to the operation is compared
    shown.form = OutputForm::decoded;
    read = folder / ("compared-" + file.filename().string());
    format.write(shown, options, read);
  }
  const bool open = model.dynamic_size && honours(format, "dynamic");
  check.pictures = open ? with->pictures : with->fixed_pictures;
  const int images = model.dynamic_batch || format.by_libtorch ? 1 : model.batch;
  std::optional<equivalence::SpeedByTurns> turns;
  if (with->speed && !check.pictures.empty()) turns.emplace(check.pictures[0], images, with->stop);
  double parent_load_ms = 0;
  return_freed_memory();  // of writing
  {
    const equivalence::OpenParent parent(with->parent);
    if (turns) {
      parent_load_ms = open_and_prepare(*with, images, check.pictures[0]);
      turns->time_parent(*parent);
    }
    with->parent.outputs(check.pictures, with->stop);
  }
  examine(check, format, model, options, read, *with, images, turns ? &*turns : nullptr);
  return_freed_memory();
  if (!check.breach.empty()) {
    if (check.proof && !check.proof->accuracy)
      check.breach += place_of(format, shown, options, read, *with, folder,
                               check.pictures[check.proof->breach_picture]);
    return check;
  }
  if (turns) {
    const equivalence::OpenParent parent(with->parent);
    turns->time_parent(*parent);
    const double file_load_ms = check.speed->file.load;
    check.speed = turns->found();
    check.speed->parent.load = parent_load_ms;
    check.speed->file.load = file_load_ms;
  }
  check.verdict = equivalence::verdict(*check.proof, precision_of(format, options));
  check.detail = equal_line(*check.proof, whose);
  return check;
}

}  // namespace yolov7::exporting
