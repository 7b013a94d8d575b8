// yolov7 dataset browse --data data.yaml --out DIR
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>
#include <set>

#include "cli/verb.hpp"
#include "core/allocation.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/doctor/doctor.hpp"
#include "dataset/doctor/read_subject.hpp"
#include "dataset/formats/output_folder.hpp"
#include "image/codec/codec.hpp"
#include "image/drawing/contact_sheet.hpp"
#include "monitoring/browse_page.hpp"

namespace yolov7::cli {
namespace {

namespace doctor = dataset::doctor;
namespace fs = std::filesystem;

struct BrowseOptions {
  std::string data, out, split, cls, finding;
  int limit = 2000, thumbnail = 320;
};

Settings settings(BrowseOptions& o) {
  return {"dataset browse",
          {setting("data", o.data, "data.yaml, or annotations of any format").positional(),
           setting("out", o.out, "new or empty folder for index.html and sheets/"),
           setting("split", o.split, "images of this split alone"),
           setting("class", o.cls, "images with a box of this class alone"),
           setting("finding", o.finding,
                   "images with a finding of this check alone (dataset check --list), or any"),
           setting("limit", o.limit, "at most so many images, evenly chosen; the rest is counted")
               .range(1, 1'000'000),
           setting("thumbnail", o.thumbnail, "long side of the images on the page, pixels")
               .range(64, 1024)}};
}

struct Chosen {
  const doctor::Split* split;
  const doctor::Picture* picture;
  const dataset::Entry* entry;  ///< null where training leaves the image out
  std::set<std::string> findings;
};

using FindingNames = std::map<std::pair<std::string, fs::path>, std::set<std::string>>;

FindingNames findings_of(const doctor::Diagnosis& diagnosis) {
  FindingNames names;
  for (const doctor::Finding& finding : diagnosis.findings)
    names[{finding.split, finding.image.empty() ? finding.file : finding.image}].emplace(
        finding.check);
  return names;
}

bool has_class(const dataset::Entry* entry, int class_index) {
  return entry != nullptr &&
         std::any_of(entry->labels.begin(), entry->labels.end(),
                     [&](const dataset::Label& label) { return label.class_index == class_index; });
}

int class_number(const BrowseOptions& o, const std::vector<std::string>& names) {
  if (o.cls.empty()) return -1;
  const auto found = std::find(names.begin(), names.end(), o.cls);
  if (found == names.end())
    throw usage_error(fmt::format("dataset browse: --class: expected one of {}, found '{}'{}",
                                  text::join(names, ", "), o.cls,
                                  text::did_you_mean(o.cls, names)));
  return static_cast<int>(found - names.begin());
}

/// All that the options let through, images that cannot be decoded excepted.
std::vector<Chosen> choose(const BrowseOptions& o, const doctor::Diagnosis& diagnosis) {
  const FindingNames findings = findings_of(diagnosis);
  const int wanted = class_number(o, diagnosis.subject.description.names);
  std::vector<Chosen> chosen;
  for (const doctor::Split& split : diagnosis.subject.splits) {
    if (!o.split.empty() && o.split != split.name) continue;
    std::map<fs::path, const dataset::Entry*> entries;
    for (const dataset::Entry& entry : split.index.entries) entries[entry.picture] = &entry;
    for (const doctor::Picture& picture : split.pictures) {
      const auto entry = entries.find(picture.file);
      const auto names = findings.find({split.name, picture.file});
      Chosen one{&split, &picture, entry == entries.end() ? nullptr : entry->second,
                 names == findings.end() ? std::set<std::string>{} : names->second};
      if (!picture.usable() || (wanted >= 0 && !has_class(one.entry, wanted))) continue;
      if (!o.finding.empty() &&
          !(o.finding == "any" ? !one.findings.empty() : one.findings.contains(o.finding)))
        continue;
      chosen.push_back(std::move(one));
    }
  }
  return chosen;
}

std::vector<Chosen> evenly(std::vector<Chosen> chosen, std::size_t most) {
  if (chosen.size() <= most) return chosen;
  std::vector<Chosen> some;
  for (std::size_t i = 0; i < most; ++i)
    some.push_back(std::move(chosen[i * chosen.size() / most]));
  return some;
}

cv::Mat reduced(const fs::path& file, int side) {
  const cv::Mat whole = read_reduced_picture(file, side).bgr;
  const double scale = std::min(1.0, static_cast<double>(side) / std::max(whole.cols, whole.rows));
  cv::Mat small;
  cv::resize(whole, small,
             cv::Size(std::max(1, static_cast<int>(whole.cols * scale)),
                      std::max(1, static_cast<int>(whole.rows * scale))),
             0, 0, cv::INTER_AREA);
  return small;
}

int size_of(const dataset::Entry& entry, const dataset::Label& label) {
  constexpr double small = 32, medium = 96;
  const double side = std::sqrt(label.box.w * entry.width * label.box.h * entry.height);
  return side < small ? 0 : side < medium ? 1 : 2;
}

monitoring::BrowseCard card_of(const Chosen& one, int side) {
  constexpr int quality = 80;
  const cv::Mat small = reduced(one.picture->file, side);
  monitoring::BrowseCard card{one.picture->file.filename().string(),
                              one.split->name,
                              encode_jpeg(small, quality),
                              small.cols,
                              small.rows,
                              {},
                              one.findings};
  if (one.entry == nullptr) return card;
  for (const dataset::Label& label : one.entry->labels)
    card.boxes.push_back({label.box.cx - label.box.w / 2, label.box.cy - label.box.h / 2,
                          label.box.w, label.box.h, label.class_index, size_of(*one.entry, label)});
  return card;
}

/// Sheets of images with their boxes drawn, in the order of the page.
std::size_t write_sheets(const std::vector<Chosen>& chosen, const std::vector<std::string>& names,
                         const fs::path& folder) {
  constexpr int side = 640;
  const auto picture = [&](std::size_t i) {
    SheetPicture one;
    one.picture = reduced(chosen[i].picture->file, side);
    one.caption = chosen[i].picture->file.filename().string();
    if (chosen[i].entry == nullptr) return one;
    for (const dataset::Label& label : chosen[i].entry->labels)
      one.detections.push_back(
          {to_pixels(label.box, one.picture.cols, one.picture.rows), 1, label.class_index});
    return one;
  };
  DrawOptions drawing;
  drawing.hide_conf = true;
  return write_contact_sheets(folder, chosen.size(), picture, names, drawing, interrupt::token());
}

doctor::Diagnosis diagnosis_of(const BrowseOptions& o) {
  doctor::SubjectOptions reading;
  reading.stop = interrupt::token();
  doctor::Subject subject = doctor::read_subject(o.data, reading);
  dataset::require_outside(o.out, subject.description);
  return doctor::diagnose(std::move(subject), {}, interrupt::token());
}

void require_options(const BrowseOptions& o) {
  if (o.data.empty())
    throw usage_error(
        "dataset browse: expected --data with a data.yaml or annotations, found none");
  if (o.out.empty())
    throw usage_error("dataset browse: expected --out with the folder to write, found none");
  if (!o.finding.empty() && o.finding != "any") doctor::check_named(o.finding);
  dataset::require_empty(o.out);
}

}  // namespace

nlohmann::json run_dataset_browse(const std::vector<std::string>& arguments, Output& output) {
  BrowseOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  require_options(options);
  keep_freed_memory();
  const doctor::Diagnosis diagnosis = diagnosis_of(options);
  std::vector<Chosen> all = choose(options, diagnosis);
  if (all.empty()) throw Error(options.data + ": no image is left by --split, --class, --finding");
  const std::size_t found = all.size();
  const std::vector<Chosen> chosen =
      evenly(std::move(all), static_cast<std::size_t>(options.limit));
  monitoring::BrowsePage page;
  page.title = options.data;
  page.classes = diagnosis.subject.splits.front().index.names;
  page.sizes = {"below 32 x 32 px", "below 96 x 96 px", "larger"};
  if (chosen.size() < found)
    page.note = fmt::format("{} of {} images, evenly chosen (--limit).", chosen.size(), found);
  page.cards.resize(chosen.size());
  Progress progress("drawing", chosen.size(), "images");
  parallel_for(chosen.size(), usable_cores(), [&](std::size_t i) {
    check_stop(interrupt::token());
    page.cards[i] = card_of(chosen[i], options.thumbnail);
    progress.advance();
  });
  progress.finish();
  std::size_t sheets = 0;
  dataset::build_folder(options.out, [&](const fs::path& folder) {
    file::write_atomically(folder / "index.html", monitoring::browse_page(page));
    sheets = write_sheets(chosen, page.classes, folder / "sheets");
  });
  output.line(fmt::format("written: {} with {} of {} images, and {} sheets",
                          (fs::path(options.out) / "index.html").string(), chosen.size(), found,
                          sheets));
  return {{"data", options.data},
          {"images", found},
          {"shown", chosen.size()},
          {"sheets", sheets},
          {"out", options.out}};
}

}  // namespace yolov7::cli
