#include "dataset/formats/open_data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>
#include <unordered_map>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "dataset/formats/convert.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/set_marks.hpp"
#include "dataset/formats/yolo.hpp"
#include "dataset/index/cached_facts.hpp"
#include "dataset/index/describes_data.hpp"
#include "dataset/index/ready_set.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

constexpr const char* chooser = "FORMAT:PATH as the data";

bool on_disk(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// By its extension; JSON is YAML, too, and has then the same keys.
bool is_description(const fs::path& path) {
  const std::string extension = text::lower(path.extension().string());
  if (extension == ".yaml" || extension == ".yml") return true;
  SourceTree tree;
  tree.root = path.parent_path();
  const auto keys =
      extension == ".json" ? first_members(tree.head(path.filename())) : std::vector<std::string>();
  return text::contains(keys, "val") &&
         (text::contains(keys, "names") || text::contains(keys, "nc"));
}

/// Where the facts of the images are kept: beside the annotations, else in the user's folder.
FactsOptions facts_options(const fs::path& source, const OpenDataOptions& options) {
  const fs::path place = fs::absolute(source).lexically_normal();
  std::error_code error;
  const bool folder = fs::is_directory(place, error);
  const fs::path beside = folder ? place : place.parent_path();
  FactsOptions facts;
  facts.folders = {beside,
                   file::user_cache_folder() / file::content_hash(beside.string()).substr(0, 16)};
  facts.name = folder ? "annotations" : place.stem().string();
  facts.root = beside;
  facts.what = "reading images";
  facts.recheck = options.recheck;
  facts.threads = options.threads;
  facts.stop = options.stop;
  return facts;
}

/// The labels that reading the converted files would give. A row that reading drops is named by its
/// image and place in it.
ReadyImage ready_image(const AnnotatedImage& image, Conversion& account) {
  ReadyImage ready;
  ready.picture = image.file;
  std::error_code error;  // the source is a folder, or that file itself
  ready.annotation =
      fs::is_directory(account.source, error) ? account.source / image.annotation : account.source;
  ready.annotated = image.state != ImageState::not_annotated || !image.objects.empty();
  std::string rows;
  for (const AnnotatedObject& object : image.objects)
    if (!withheld_from_rows(object, image, "", account)) rows += yolo_row(object, image) + "\n";
  ready.labels = try_parse_labels(rows, ready.annotation, static_cast<int>(account.names.size()));
  ready.marks = marks_of(image, ready.labels);
  for (Problem& problem : ready.labels.dropped) {
    problem.reason = fmt::format("image '{}', box {}: {}", text::printable(image.written),
                                 problem.line, problem.reason);
    problem.line = 0;
  }
  return ready;
}

/// What the labels of an image will be, as text, while only its annotations and facts are known.
std::string expected_rows(const AnnotatedImage& image, const fs::path& source) {
  Conversion scratch;
  scratch.source = source;
  return format_labels(ready_image(image, scratch).labels.labels);
}

/// Reads the images, or takes what is known of them, and shows them to who wants to look at them.
CachedFacts look_at(const std::vector<fs::path>& pictures, const ExpectedImage& expected,
                    const fs::path& source, const OpenDataOptions& options) {
  FactsOptions reading = facts_options(source, options);
  if (options.looks == nullptr) return cached_facts(pictures, reading);
  const ImageLooks& looks = *options.looks;
  Examination examination;
  examination.opened = looks.opened;
  examination.known = [&](std::size_t i, const PictureFacts& facts) {
    return looks.known(expected_rows(expected(i, facts), source), facts);
  };
  examination.look = [&](std::size_t i, std::string_view bytes, const PicturePlanes& planes) {
    PictureFacts facts;
    facts.width = planes.width, facts.height = planes.height;
    facts.orientation = planes.orientation;
    looks.look(expected_rows(expected(i, facts), source), bytes, planes);
  };
  reading.examination = &examination;
  return cached_facts(pictures, reading);
}

/// train, val and test as they are used. Where no image is in one of them, all are for training.
void name_splits(AnnotatedSet& set, Conversion& account) {
  const auto usual = [](const std::string& split) {
    return split == "train" || split == "val" || split == "test";
  };
  const std::vector<std::string> splits = splits_of(set);
  const bool none = std::none_of(splits.begin(), splits.end(), usual);
  for (const std::string& split : splits)
    if (!usual(split))
      account.notes.push_back(
          {account.source, 0,
           fmt::format("the split '{}' is neither train, val nor test: its images are {}",
                       text::printable(split), none ? "taken into train" : "not used")});
  if (!none) return;
  SplitCount all{"train", 0, 0, 0, std::vector<std::size_t>(account.names.size())};
  for (const SplitCount& split : account.splits) {
    all.pictures += split.pictures, all.boxes += split.boxes, all.empty += split.empty;
    for (std::size_t c = 0; c < all.boxes_per_class.size(); ++c)
      all.boxes_per_class[c] += split.boxes_per_class[c];
  }
  account.splits = {std::move(all)};
  for (AnnotatedImage& image : set.images) image.split = "train";
}

/// What training has no use for, under the names that dataset convert has for it.
void add_losses(const AnnotatedSet& set, Conversion& account) {
  for (const Loss& loss : losses(set, *find_format("yolo")))
    // The first two are boxes of their own among the drops; of attributes, training uses none.
    if (loss.what != "crowd" && loss.what != "ignore" && loss.what != repeated_attribute)
      account.losses.push_back({loss.what, loss.count, ""});
  std::size_t points = 0;
  for (const AnnotatedImage& image : set.images)
    for (const AnnotatedObject& object : image.objects) points += object.key_points.empty() ? 0 : 1;
  if (points > 0) account.losses.push_back({"key points", points, ""});
}

void say_format(const Conversion& account) {
  log::info(
      fmt::format("{}: read as {}", account.source.string(), find_format(account.from)->title));
}

void say(const Conversion& account) {
  for (const std::string& line : summary_lines(account, "the account (dataset check --json)"))
    log::info(line);
  if (!account.drops.empty())
    log::warning(
        fmt::format("{}: {} annotations, {} images and {} boxes are left out; dataset "
                    "check names each",
                    account.source.string(), account.annotations.dropped, account.pictures.dropped,
                    account.boxes.dropped));
  if (account.val_is_train)
    log::warning(
        fmt::format("{}: there is no val split: the training images stand in for it, so "
                    "results say nothing about unseen images",
                    account.source.string()));
}

/// Annotations and boxes; an image that no annotation names is no fault of any.
std::size_t dropped_of(const Conversion& account) {
  return account.annotations.dropped + account.boxes.dropped;
}

void refuse_drops(const Conversion& account) {
  if (dropped_of(account) == 0) return;
  const auto first = std::find_if(account.drops.begin(), account.drops.end(),
                                  [](const ConversionDrop& one) { return one.kind != "image"; });
  throw Error(
      fmt::format("{}: expected that nothing is dropped, found {} annotations and {} "
                  "boxes; the first is {}",
                  account.source.string(), account.annotations.dropped, account.boxes.dropped,
                  text_of({first->file, first->line, first->reason})));
}

std::shared_ptr<ReadySet> ready_set(const AnnotatedSet& set, Conversion& account,
                                    const CachedFacts& facts, const std::vector<fs::path>& looked) {
  auto ready = std::make_shared<ReadySet>();
  ready->pictures_read = facts.read;
  ready->cache_file = facts.cache_file;
  std::unordered_map<std::string, const PictureFacts*> facts_of;
  for (std::size_t i = 0; i < looked.size(); ++i)
    facts_of.emplace(looked[i].string(), &facts.facts[i]);
  for (const AnnotatedImage& image : set.images) {
    ReadyImage one = ready_image(image, account);
    one.facts = *facts_of.at(image.file.string());
    ready->splits[image.split].push_back(std::move(one));
  }
  for (auto& [split, images] : ready->splits)
    std::sort(images.begin(), images.end(), [](const ReadyImage& a, const ReadyImage& b) {
      return a.picture.native() < b.picture.native();
    });
  account.val_is_train = ready->splits.contains("train") && !ready->splits.contains("val");
  if (account.val_is_train) ready->splits["val"] = ready->splits["train"];
  ready->dropped = dropped_of(account);
  return ready;
}

Description open_annotations(const DataAddress& address, const OpenDataOptions& options) {
  ConvertOptions reading;
  reading.source = address.path;
  reading.from = address.format;
  reading.from_option = chooser;
  reading.stop = options.stop;
  reading.prepare.threads = options.threads;
  reading.read.unpack_folder = unpack_folder(address.path);
  CachedFacts facts;
  std::vector<fs::path> looked;
  reading.prepare.look = [&](const std::vector<fs::path>& pictures, const ExpectedImage& expected) {
    facts = look_at(pictures, expected, address.path, options);
    looked = pictures;
    return facts.facts;
  };
  Conversion account;
  account.to = "training";
  AnnotatedSet set = read_annotations_of(reading, account);
  if (find_format(account.from)->unpack != nullptr)
    account.notes.push_back(
        {address.path, 0, "its images are unpacked in " + reading.read.unpack_folder.string()});
  name_splits(set, account);
  add_losses(set, account);
  const auto ready = ready_set(set, account, facts, looked);
  require_balance(account);
  if (options.strict) refuse_drops(account);
  say_format(account);
  if (options.account == nullptr) say(account);

  Description description;
  description.file = address.path;
  description.names = account.names;
  description.class_count = static_cast<int>(account.names.size());
  const auto take = [&](const char* split, std::vector<fs::path>& entries) {
    if (ready->splits.contains(split)) entries = {address.path};
  };
  take("train", description.train);
  take("val", description.val);
  take("test", description.test);
  ready->account = json_text(to_json(account));
  description.ready = ready;
  if (options.account != nullptr) *options.account = std::move(account);
  return description;
}

}  // namespace

DataAddress data_address(const std::string& data) {
  const auto colon = data.find(':');
  if (colon != std::string::npos && !on_disk(data))
    if (const Format* format = find_format(data.substr(0, colon)))
      return {format->name, data.substr(colon + 1)};
  return {"auto", data};
}

std::optional<Description> find_description(const DataAddress& address) {
  if (address.format != "auto") return std::nullopt;
  std::error_code error;
  if (!on_disk(address.path) || is_description(address.path)) return read_description(address.path);
  const fs::path inside = address.path / "data.yaml";
  if (!fs::is_regular_file(inside, error) || !describes_data(inside)) return std::nullopt;
  try {
    return read_description(inside);
  } catch (const Error& failure) {
    log::warning(fmt::format("{}; the folder is searched for its images instead", failure.what()));
    return std::nullopt;
  }
}

fs::path unpack_folder(const fs::path& source) {
  // Kept, since every epoch reads them.
  const std::string place = fs::absolute(source).lexically_normal().string();
  return file::user_cache_folder() / "unpacked" / file::content_hash(place).substr(0, 16);
}

Description open_data(const std::string& data, const OpenDataOptions& options) {
  const DataAddress address = data_address(data);
  if (std::optional<Description> description = find_description(address))
    return std::move(*description);
  return open_annotations(address, options);
}

std::string absolute_data(const std::string& data) {
  const DataAddress address = data_address(data);
  if (!on_disk(address.path)) return data;
  const std::string path = fs::absolute(address.path).lexically_normal().string();
  return address.format == "auto" ? path : address.format + ":" + path;
}

}  // namespace yolov7::dataset
