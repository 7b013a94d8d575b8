#include "exporting/write_format.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/file_tree.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "equivalence/certificate.hpp"
#include "exporting/file_certificate.hpp"

namespace yolov7::exporting {
namespace {

namespace fs = std::filesystem;

/// A folder beside the final place, removed at the end.
class FolderBeside {
 public:
  explicit FolderBeside(const fs::path& path)
      : path_(path.parent_path() / (prefix(path) + fmt::format("{}{}", ::getpid(), suffix))) {
    remove_left_behind(path);
    file::make_folder(path_);
  }
  ~FolderBeside() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  FolderBeside(const FolderBeside&) = delete;
  FolderBeside& operator=(const FolderBeside&) = delete;
  fs::path operator/(const fs::path& name) const { return path_ / name; }
  const fs::path& path() const { return path_; }

 private:
  static constexpr std::string_view suffix = ".export";
  static std::string prefix(const fs::path& path) {
    return fmt::format(".{}.", path.filename().string());
  }
  /// Of processes that were killed; others work in theirs.
  static void remove_left_behind(const fs::path& path) {
    const std::string start = prefix(path);
    std::error_code error;
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(path.parent_path(), error)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with(start) || !name.ends_with(suffix) ||
          name.size() <= start.size() + suffix.size())
        continue;
      const auto process =
          text::parse_int(name.substr(start.size(), name.size() - start.size() - suffix.size()));
      if (!process || *process <= 0) continue;
      const auto id = static_cast<pid_t>(*process);
      if (id == ::getpid() || (::kill(id, 0) != 0 && errno == ESRCH)) found.push_back(entry.path());
    }
    for (const fs::path& one : found) {
      fs::remove_all(one, error);
      log::info(fmt::format("{}: removed: an export that was killed had left it", one.string()));
    }
  }

  fs::path path_;
};

/// What the format does not honour is not asked of it, so that neither the file's metadata nor its
/// certificate tells it.
void leave_out(const Format& format, ExportModel& model, ExportOptions& options) {
  const auto left_out = [&](std::string_view option) { return !honours(format, option); };
  if (left_out("batch-size")) model.batch = options.batch_size = 1;
  if (left_out("half")) options.half = false;
  if (left_out("half-io") || !options.half) options.half_io = false;
  if (left_out("int8")) options.int8 = false;
  if (left_out("agnostic-nms")) options.agnostic_nms = false;
  if (format.by_libtorch) return;  // its sides are always open
  if (left_out("dynamic")) model.dynamic_size = options.dynamic = false;
  if (left_out("dynamic-batch")) options.dynamic_batch = false;
  model.dynamic_batch = options.dynamic || options.dynamic_batch;
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

/// Whatever the reason given: on a full disk that is the reason.
[[noreturn]] void rethrow_named(const fs::path& folder, const std::string& name) {
  constexpr std::uintmax_t nearly_nothing = 1 << 16;
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (!error && space.available < nearly_nothing)
    throw Error(fmt::format("{}: the disk is full: {} bytes are free in {}. Nothing is written",
                            name, space.available, folder.string()));
  throw;
}

std::string breach_message(const Format& format, const FileCheck& check) {
  return fmt::format(
      "{}: the file is not the detector that it was written from: {}. Nothing is "
      "written",
      format.name, check.breach);
}

}  // namespace

fs::path final_path(const Format& format, const ExportOptions& options) {
  const fs::path weights(options.weights);
  const fs::path folder = options.out.empty() ? weights.parent_path() : fs::path(options.out);
  const bool integers = options.int8 && honours(format, "int8");
  const fs::path place = folder / fmt::format(fmt::runtime(format.file_name),
                                              weights.stem().string() + (integers ? "-int8" : ""));
  const bool one_file = format.name == "coreml" && options.mlmodel;
  return one_file ? fs::path(place).replace_extension(".mlmodel") : place;
}

WrittenFormat write_format(const Format& format, const ExportModel& given,
                           const ExportOptions& asked, const fs::path& path,
                           const Verification* verification) {
  ExportModel model = given;
  ExportOptions options = asked;
  leave_out(format, model, options);
  if (!options.int8 || format.read_weights != nullptr) model.quantization = nullptr;
  if (model.quantization != nullptr && model.equalized != nullptr) model.fused = model.equalized;
  const fs::path place = fs::absolute(path);
  file::make_folder(place.parent_path());
  const FolderBeside folder(place);
  const fs::path written = folder / place.filename(), paper = folder / "certificate.json",
                 certificate = equivalence::file_certificate_path(place);
  const std::stop_token stop = verification != nullptr ? verification->stop : std::stop_token();
  WrittenFormat result;
  result.path = path;
  result.certificate = equivalence::file_certificate_path(path);
  try {
    format.write(model, options, written);
    result.check = check_file(format, model, options, written, verification, folder.path());
    if (!result.check.breach.empty()) throw Error(breach_message(format, result.check));
    result.content =
        json_text(file_certificate(format, model, options, result.check, written, place, stop), 1);
    file::write_atomically(paper, result.content + "\n");
    result.bytes = file::bytes_of(written);
  } catch (const Error& error) {
    if (error.code() == ExitCode::interrupted || !result.check.breach.empty()) throw;
    rethrow_named(folder.path(), std::string(format.name));
  } catch (const std::exception&) {
    rethrow_named(folder.path(), std::string(format.name));
  }
  require_own(written, place);
  // Never a certificate beside a file that it is not about, wherever this is killed.
  std::error_code error;
  fs::remove(certificate, error);
  move_into_place(written, place, folder / "previous");
  move_into_place(paper, certificate, folder / "previous certificate");
  result.command = format.command != nullptr
                       ? format.command(model, options, path)
                       : fmt::format("yolov7 detect --weights {} --source images/",
                                     text::shell_word(path.string()));
  return result;
}

}  // namespace yolov7::exporting
