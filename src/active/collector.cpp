#include "active/collector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "active/coco_predictions.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace yolov7::active {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* lines_name = "collected.jsonl";
constexpr const char* lock_name = ".collect.lock";
constexpr double hour = 3600;
/// A detection takes as much room again in predictions.json, and up to twice that.
constexpr std::uint64_t room_per_byte = 3;

std::string line_of(const CollectedImage& image, const std::string& name, double now,
                    const std::vector<std::string>& names, const std::string& model) {
  json boxes = json::array();
  for (const Detection& one : image.detections)
    boxes.push_back({{"class", names[static_cast<std::size_t>(one.class_index)]},
                     {"score", one.score},
                     {"box", {one.box.x1, one.box.y1, one.box.x2, one.box.y2}}});
  return json_text({{"image", name},
                    {"source", image.source},
                    {"frame", image.frame},
                    {"time", now},
                    {"width", image.bgr.cols},
                    {"height", image.bgr.rows},
                    {"model", model},
                    {"detections", std::move(boxes)}});
}

/// Error: the line is none of ours.
json parsed(std::string_view line, const fs::path& file, std::size_t number) {
  json value = parse_json(std::string(line), fmt::format("{}:{}", file.string(), number));
  for (const char* key : {"image", "time", "width", "height", "detections"})
    if (!value.is_object() || !value.contains(key))
      throw Error(fmt::format("{}:{}: expected a line of collected images with '{}', found none",
                              file.string(), number, key));
  return value;
}

std::vector<json> lines_of(const fs::path& file) {
  std::vector<json> all;
  std::error_code error;
  if (!fs::exists(file, error)) return all;
  const std::string content = file::read(file);
  const std::vector<std::string_view> lines = text::lines(content);
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (!text::trim(lines[i]).empty()) all.push_back(parsed(lines[i], file, i + 1));
  return all;
}

/// A folder of ours, or one that can become one.
void require_own(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error) || fs::exists(folder / lines_name, error)) return;
  if (!fs::is_directory(folder, error))
    throw Error(
        fmt::format("{}: expected a folder for collected images, found a file", folder.string()));
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.path().filename() != lock_name && entry.path().filename() != "images")
      throw Error(
          fmt::format("{}: expected a new or empty folder, or one of collected images with "
                      "{}, found {}",
                      folder.string(), lines_name, entry.path().filename().string()));
}

}  // namespace

Collector::Collector(CollectOptions options, std::vector<std::string> names, std::string model)
    : options_(std::move(options)), names_(std::move(names)), model_(std::move(model)) {
  require_own(options_.folder);
  file::make_folder(options_.folder / "images");
  lock_ = file::Lock::try_acquire(options_.folder / lock_name);
  if (!lock_)
    throw Error(
        fmt::format("{}: expected a folder that no other process collects into, found one "
                    "that is in use",
                    options_.folder.string()));
  read_earlier();
}

void Collector::read_earlier() {
  const fs::path file = options_.folder / lines_name;
  const std::vector<json> lines = lines_of(file);
  number_ = lines.size();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    times_.push_back(lines[i]["time"].get<double>());
    for (const json& one : lines[i]["detections"])
      if (!text::contains(names_, one.value("class", "")))
        throw Error(
            fmt::format("{}:{}: expected a class of the model ({}), found '{}'; collect "
                        "the images of another model into a folder of their own",
                        file.string(), i + 1, text::printable(text::join(names_, ", ")),
                        text::printable(one.value("class", ""))));
    const fs::path image = options_.folder / "images" / lines[i]["image"].get<std::string>();
    std::error_code error;
    if (options_.keep_similar || lines.size() - i > 5000 || !fs::exists(image, error)) continue;
    seen_.add(dataset::similarity::read_sketch(image));
  }
  for (const fs::directory_entry& entry : fs::directory_iterator(options_.folder / "images"))
    if (entry.is_regular_file()) bytes_ += entry.file_size();
  std::error_code error;
  if (fs::exists(file, error)) bytes_ += room_per_byte * fs::file_size(file);
  for (const std::string& name : names_) bytes_ += name.size() + 32;  // in predictions.json
}

bool Collector::limit_reached(double now) {
  while (!times_.empty() && times_.front() <= now - hour) times_.pop_front();
  return options_.per_hour > 0 && times_.size() >= static_cast<std::size_t>(options_.per_hour);
}

fs::path Collector::free_name(const CollectedImage& image, const std::string& suffix) {
  std::string stem = text::file_name(fs::path(image.source).stem().string());
  if (stem.size() > 80) stem.resize(80);
  while (!text::is_utf8(stem)) stem.pop_back();
  std::error_code error;
  for (;;) {
    const fs::path name = fmt::format("{:06}_{}{}", ++number_, stem, suffix);
    if (!fs::exists(options_.folder / "images" / name, error)) return name;
  }
}

Collected Collector::offer(const CollectedImage& image, double now) {
  ++counts_.looked_at;
  const bool doubtful =
      std::any_of(image.detections.begin(), image.detections.end(), [&](const Detection& one) {
        return one.score >= static_cast<float>(options_.least) &&
               one.score < static_cast<float>(options_.below);
      });
  if (!doubtful) return Collected::not_doubtful;
  ++counts_.doubtful;
  if (limit_reached(now)) return ++counts_.over_rate, Collected::over_rate;
  std::optional<dataset::similarity::Sketch> sketch;
  if (!options_.keep_similar) {
    sketch = dataset::similarity::sketch_of(image.bgr);
    if (seen_.same_as(*sketch)) return ++counts_.similar, Collected::similar;
  }
  const std::string content = image.file.empty() ? encode_jpeg(image.bgr) : file::read(image.file);
  const std::string suffix =
      image.file.empty() ? ".jpg" : text::lower(image.file.extension().string());
  const std::size_t before = number_;
  const fs::path name = free_name(image, suffix);
  const std::string line = line_of(image, name.string(), now, names_, model_);
  const std::uint64_t room = content.size() + room_per_byte * (line.size() + 1);
  if (static_cast<double>(bytes_ + room) > options_.megabytes * 1048576) {
    number_ = before;
    if (counts_.over_space++ == 0)
      log::warning(fmt::format("{}: the limit of {} MB is reached; nothing more is collected",
                               options_.folder.string(), text::general(options_.megabytes)));
    return Collected::over_space;
  }
  file::write_atomically(options_.folder / "images" / name, content);
  file::append_line(options_.folder / lines_name, line);
  bytes_ += room;
  times_.push_back(now);
  if (sketch) seen_.add(*sketch);
  ++counts_.kept;
  return Collected::kept;
}

void Collector::finish() const {
  std::vector<PredictedImage> images;
  for (const json& line : lines_of(options_.folder / lines_name)) {
    PredictedImage& image = images.emplace_back();
    image.file = "images/" + line["image"].get<std::string>();
    image.width = line["width"], image.height = line["height"];
    for (const json& one : line["detections"]) {
      const auto place = std::find(names_.begin(), names_.end(), one["class"]);
      const auto box = one["box"].get<std::vector<double>>();
      image.detections.push_back({{box.at(0), box.at(1), box.at(2), box.at(3)},
                                  one["score"],
                                  static_cast<int>(place - names_.begin())});
    }
  }
  file::write_atomically(options_.folder / "predictions.json",
                         json_text(coco_predictions(images, names_)) + "\n");
}

}  // namespace yolov7::active
