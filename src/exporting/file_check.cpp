#include "exporting/file_check.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "equivalence/first_difference.hpp"
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
  comparison.suppression.agnostic = class_offset(options) == 0;
  return comparison;
}

/// "; the first operation whose output differs is …", or why none is named.
std::string place_of(const Format& format, const ExportModel& model, const ExportOptions& options,
                     const fs::path& file, const Verification& with, const fs::path& folder,
                     const equivalence::ProofPicture& picture) {
  if (!with.folded_parent || format.by_libtorch ||
      precision_of(format, options) == equivalence::FilePrecision::int8)
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
    const auto of_parent = runtime::inner_values(parent), of_file = runtime::inner_values(file);
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

void add_speed(FileCheck& check, const Verification& with, runtime::Detector& file, int images,
               double load_ms) {
  if (check.pictures.empty()) return;
  check.speed = equivalence::measure_speed(with.parent, file, check.pictures[0], images, with.stop);
  check.speed->parent.load = with.parent_load_ms;
  check.speed->file.load = load_ms;
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

FileCheck check_file(const Format& format, const ExportModel& model, const ExportOptions& options,
                     const fs::path& file, const Verification* with, const fs::path& folder) {
  FileCheck check;
  if (!format.readable) {
    check.verdict = "structure only";
    check.detail = "nothing here reads this format";
    return check;
  }
  if (with == nullptr) {
    check.verdict = "not compared";
    check.detail = "the file was not compared with the weights";
    return check;
  }
  fs::path read = file;
  ExportModel shown = model;
  const std::string_view whose = suppression_not_run(format, model);
  if (!whose.empty() && options.int8 && model.quantization == nullptr) {
    check.verdict = "not compared";
    check.detail = fmt::format(
        "{} suppression is in the file, and what leads to it cannot be written again without the "
        "calibration",
        whose);
    return check;
  }
  if (!whose.empty()) {  // what leads to the operation is compared
    shown.form = OutputForm::decoded;
    read = folder / ("compared-" + file.filename().string());
    format.write(shown, options, read);
  }
  const bool open = model.dynamic_size && honours(format, "dynamic");
  check.pictures = open ? with->pictures : with->fixed_pictures;
  const auto begin = Clock::now();
  const runtime::ModelFile opened = format.by_libtorch ? model.script_library().open(read, {})
                                                       : runtime::open_model_file(read, {});
  const int images = model.dynamic_batch || format.by_libtorch ? 1 : model.batch;
  if (!check.pictures.empty())
    opened.detector->prepare(images, check.pictures[0].height, check.pictures[0].width);
  const double load_ms = milliseconds_since(begin);
  if (format.holds_names) check.breach = facts_breach(opened.facts, model);
  if (!check.breach.empty()) return check;
  equivalence::FileComparison comparison = comparison_of(format, options, opened.facts);
  comparison.stop = with->stop;
  check.proof = equivalence::prove_file(with->parent, *opened.detector, check.pictures, comparison);
  equivalence::FileProof& proof = *check.proof;
  if (!proof.breach.empty()) {
    check.breach = proof.breach + place_of(format, shown, options, read, *with, folder,
                                           check.pictures[proof.breach_picture]);
    return check;
  }
  if (with->accuracy) {
    const bool suppresses = proof.rows == 0;
    proof.accuracy =
        with->accuracy(*opened.detector, suppresses ? &comparison.suppression : nullptr);
    check.breach = proof.breach = equivalence::accuracy_breach(*proof.accuracy);
    if (!check.breach.empty()) return check;
  }
  if (with->speed) add_speed(check, *with, *opened.detector, images, load_ms);
  check.verdict = equivalence::verdict(proof, comparison.precision);
  check.detail = equal_line(proof, whose);
  return check;
}

}  // namespace yolov7::exporting
