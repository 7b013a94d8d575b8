#include "dataset/formats/yolo_layout.hpp"

#include <fmt/format.h>

#include <map>
#include <system_error>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/output_names.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/value.hpp"
#include "dataset/formats/written_rows.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

/// A double-quoted YAML scalar. Everything but printable ASCII and valid UTF-8 above U+00A0 is an
/// escape.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) <= 0xA0;
    if (c == '"' || c == '\\')
      out += '\\', out += text[i];
    else if (c < 0x20 || c == 0x7F)
      out += fmt::format("\\x{:02x}", c);
    else if (c1)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[++i]));
    else
      out += text[i];
  }
  return out + "\"";
}

/// Returns whether data.yaml has to say that the long rows are polygons.
bool export_one_split(const fs::path& folder, const ExportSplit& split, bool hard_link,
                      const std::stop_token& stop, ExportReport& report) {
  const fs::path pictures = folder / "images" / split.name, labels = folder / "labels" / split.name;
  file::make_folder(pictures);
  file::make_folder(labels);
  LongRows long_rows;
  OutputNames names;  // of stems: labels go by them
  for (const ExportItem& item : split.items) {
    check_stop(stop);
    const std::string name =
        names.take(item.picture.stem().string()) + item.picture.extension().string();
    if (name != item.picture.filename().string()) report.renamed.emplace_back(item.picture, name);
    copy_image(item.picture, pictures / name, hard_link);
    if (!item.write_labels) continue;
    const std::string rows = format_labels(item.labels);
    add_rows(long_rows, rows);
    file::write_atomically((labels / name).replace_extension(".txt"), rows, file::Sync::later);
  }
  return need_declaration(long_rows);
}

}  // namespace

void copy_image(const fs::path& from, const fs::path& to, bool hard_link) {
  std::error_code error;
  if (hard_link) {
    fs::create_hard_link(fs::canonical(from, error), to, error);
    if (!error) return;
  }
  fs::copy_file(from, to, fs::copy_options::none, error);
  if (error)
    throw Error(
        fmt::format("{}: cannot copy to {}: {}", from.string(), to.string(), error.message()));
  fs::permissions(to, fs::perms::owner_write, fs::perm_options::add, error);
}

std::string description_text(const std::vector<std::pair<std::string, std::string>>& entries,
                             const std::vector<std::string>& names, const std::string& note,
                             bool polygons) {
  std::string out;
  if (!note.empty()) out += "# " + text::printable(note) + "\n";
  out += "path: .\n";
  for (const auto& [split, place] : entries)
    out += fmt::format("{}: {}\n", yaml_scalar(split), yaml_scalar(place));
  out += fmt::format("nc: {}\nnames:\n", names.size());
  for (const std::string& name : names) {
    if (!text::is_utf8(name))
      throw Error(fmt::format("expected class names in UTF-8, found '{}'", text::printable(name)));
    out += "  - " + quoted(name) + "\n";
  }
  if (polygons) out += polygon_declaration;
  return out;
}

ExportReport export_yolo(const fs::path& folder, const std::vector<std::string>& names,
                         const std::vector<ExportSplit>& splits, bool hard_link,
                         const std::stop_token& stop) {
  ExportReport report;
  std::map<std::string, std::string> places;
  for (const ExportSplit& split : splits) {
    if (split.items.empty()) continue;
    const bool declared = export_one_split(folder, split, hard_link, stop, report);
    report.polygons = report.polygons || declared;
    places[split.name] = "images/" + split.name;
  }
  std::string note;
  if (!places.contains("val") && places.contains("train")) {
    places["val"] = places["train"];
    report.val_is_train = true;
    note =
        "There are no validation images: val names the training images, so results on it say "
        "nothing about unseen ones.";
  }
  std::vector<std::pair<std::string, std::string>> entries;
  for (const char* split : {"train", "val", "test"})
    if (places.contains(split)) entries.emplace_back(split, places[split]);
  file::write_atomically(folder / "data.yaml",
                         description_text(entries, names, note, report.polygons),
                         file::Sync::later);
  return report;
}

ExportSplit export_split(const Index& index) {
  ExportSplit split{index.split, {}};
  for (const Entry& entry : index.entries)
    split.items.push_back({entry.picture, entry.labels, entry.has_label_file});
  return split;
}

}  // namespace yolov7::dataset
