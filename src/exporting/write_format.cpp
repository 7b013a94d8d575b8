#include "exporting/write_format.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "exporting/torchscript.hpp"
#include "runtime/openvino/model_file.hpp"

namespace yolov7::exporting {
namespace {

namespace fs = std::filesystem;

/// A folder beside the final place, removed at the end.
class FolderBeside {
 public:
  explicit FolderBeside(const fs::path& path)
      : path_(path.parent_path() /
              fmt::format(".{}.{}.export", path.filename().string(), ::getpid())) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);  // of a process with this number that was killed
    file::make_folder(path_);
  }
  ~FolderBeside() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  FolderBeside(const FolderBeside&) = delete;
  FolderBeside& operator=(const FolderBeside&) = delete;
  fs::path operator/(const fs::path& name) const { return path_ / name; }

 private:
  fs::path path_;
};

std::uint64_t size_of(const fs::path& path) {
  if (!fs::is_directory(path)) return fs::file_size(path);
  std::uint64_t sum = 0;
  for (const auto& entry : fs::recursive_directory_iterator(path))
    if (entry.is_regular_file()) sum += entry.file_size();
  return sum;
}

/// An earlier export at the place is replaced. Error: something else is there.
void require_own(const fs::path& written, const fs::path& place) {
  if (!fs::exists(place)) return;
  if (fs::is_directory(written) != fs::is_directory(place))
    throw Error(fmt::format("{}: expected {} of an earlier export, found {}; move it away",
                            place.string(), fs::is_directory(written) ? "a folder" : "a file",
                            fs::is_directory(place) ? "a folder" : "a file"));
  if (!fs::is_directory(place)) return;
  for (const auto& entry : fs::recursive_directory_iterator(place))
    if (const fs::path part = entry.path().lexically_relative(place);
        !fs::exists(written / part) && part.filename() != "metadata.yaml")
      throw Error(
          fmt::format("{}: expected the folder of an earlier export, found {} in it, which "
                      "an export does not write; move it away",
                      place.string(), part.string()));
}

/// A folder cannot be renamed onto a filled one: the old one goes aside first, and comes back
/// where the new one cannot take its place.
void move_into_place(const fs::path& from, const fs::path& to, const fs::path& aside) {
  file::sync_file_system(from.parent_path());
  std::error_code error;
  const bool folder = fs::is_directory(from), replaced = folder && fs::exists(to);
  if (replaced) fs::rename(to, aside, error);
  if (!error) fs::rename(from, to, error);
  if (!error) return;
  std::error_code ignored;
  if (replaced && !fs::exists(to)) fs::rename(aside, to, ignored);
  throw Error(fmt::format("{}: cannot be written: {}", to.string(), error.message()));
}

void verify(const Format& format, const ExportModel& model, const ExportOptions& options,
            const fs::path& written, const Verification& with, const FolderBeside& folder,
            WrittenFormat& result) {
  fs::path read = written;
  ExportModel shown = model;
  const std::string_view whose = suppression_not_run(format, model);
  if (!whose.empty()) {  // what leads to the operation is compared
    shown.form = OutputForm::decoded;
    read = folder / ("compared-" + written.filename().string());
    format.write(shown, options, read);
  }
  const runtime::ModelFile file = format.by_libtorch ? model.script_library().open(read, {})
                                                     : runtime::open_model_file(read, {});
  equivalence::FileComparison comparison;
  comparison.limits = equivalence::file_limits(options.half && format.name != "engine");
  comparison.folded_objectness = file.facts.layout == "v8";
  comparison.suppression.conf_thres = options.conf_thres;
  comparison.suppression.iou_thres = options.iou_thres;
  comparison.suppression.max_det = options.topk_all;
  comparison.suppression.agnostic = class_offset(options) == 0;
  if (file.facts.names != model.names && (file.facts.names_told || format.holds_names))
    throw Error(fmt::format("{}: the file's class names are not the weights'", format.name));
  const bool open = model.dynamic_size && honours(format, "dynamic");
  result.proof = equivalence::prove_file(with.parent, *file.detector,
                                         open ? with.pictures : with.fixed_pictures, comparison);
  const equivalence::FileProof& proof = *result.proof;
  if (!proof.breach.empty())
    throw Error(fmt::format(
        "{}: the file is not the detector that it was written from: {}. Nothing is written",
        format.name, proof.breach));
  if (proof.rows == 0)
    result.verified =
        fmt::format("equal: the same {} detections on {} images", proof.found, proof.pictures);
  else
    result.verified =
        fmt::format("equal on {} images: boxes within {:.2g} px, scores within {:.2g}{}",
                    proof.pictures, proof.largest_box, proof.largest_score,
                    whose.empty() ? "" : fmt::format("; {} suppression itself was not run", whose));
}

}  // namespace

fs::path final_path(const Format& format, const ExportOptions& options) {
  const fs::path weights(options.weights);
  const fs::path folder = options.out.empty() ? weights.parent_path() : fs::path(options.out);
  const fs::path place =
      folder / fmt::format(fmt::runtime(format.file_name), weights.stem().string());
  const bool one_file = format.name == "coreml" && options.mlmodel;
  return one_file ? fs::path(place).replace_extension(".mlmodel") : place;
}

WrittenFormat write_format(const Format& format, const ExportModel& model,
                           const ExportOptions& options, const fs::path& path,
                           const Verification* verification) {
  const fs::path place = fs::absolute(path);
  file::make_folder(place.parent_path());
  const FolderBeside folder(place);
  const fs::path written = folder / place.filename();
  format.write(model, options, written);
  WrittenFormat result;
  result.path = path;
  if (verification == nullptr)
    result.verified = "not compared with the weights";
  else if (!format.readable)
    result.verified = "structure only: nothing here reads this format";
  else
    verify(format, model, options, written, *verification, folder, result);
  result.bytes = size_of(written);
  require_own(written, place);
  move_into_place(written, place, folder / "previous");
  result.command = format.command != nullptr
                       ? format.command(model, options, path)
                       : fmt::format("yolov7 detect --weights {} --source images/",
                                     text::shell_word(path.string()));
  return result;
}

}  // namespace yolov7::exporting
