#include "evaluation/metrics/coco_split.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/output_names.hpp"
#include "core/text.hpp"
#include "evaluation/metrics/coco_json.hpp"
#include "runtime/results/coco_results.hpp"

namespace yolov7::evaluation {
namespace {

std::optional<std::int64_t> digits(const std::string& stem) {
  if (stem.empty() || stem.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return text::parse_int(stem);
}

Ltwh box_of(const dataset::Label& label, const dataset::Entry& entry) {
  return to_ltwh(clip(to_pixels(label.box, entry.width, entry.height), entry.width, entry.height));
}

/// The 91-style ids belong to COCO's 80 classes; a description of other classes may have its name.
bool has_coco_ids(const dataset::Index& index, bool coco_ids) {
  return coco_ids && index.names.size() == 80;
}

/// Pictures of an annotation file by the stem of a picture's file: the id as it stands in the file,
/// or a number and a text of the same digits.
class FilePictures {
 public:
  FilePictures(const CocoGroundTruth& file, std::string source)
      : file_(file),
        source_(std::move(source)),
        numbers_(file.images.begin(),
                 file.images.end() - static_cast<std::ptrdiff_t>(file.text_ids.size())) {
    for (const auto& [text, id] : file.text_ids)
      if (const auto number = digits(text)) by_digits_.emplace(*number, id);
    for (const auto& [id, stem] : file.file_stems) by_stem_.emplace(stem, id);
  }

  /// Error: the file says that this id is another picture, and which one has this name.
  std::optional<std::int64_t> find(const std::string& stem) const {
    const std::optional<std::int64_t> id = by_id(stem);
    const auto named = by_stem_.find(stem);
    if (!id || named == by_stem_.end() || named->second == *id) return id;
    const auto own = file_.file_stems.find(*id);
    if (own == file_.file_stems.end() || own->second == stem) return id;
    throw Error(
        fmt::format("{}: expected image ids that are the names of the images, found that the image "
                    "with the id {} has the file name '{}', and '{}' another id",
                    source_, stem, own->second, stem));
  }

 private:
  std::optional<std::int64_t> by_id(const std::string& stem) const {
    const auto text = file_.text_ids.find(stem);
    if (text != file_.text_ids.end()) return text->second;
    const auto number = digits(stem);
    if (!number) return std::nullopt;
    if (std::binary_search(numbers_.begin(), numbers_.end(), *number)) return number;
    const auto same = by_digits_.find(*number);
    if (same != by_digits_.end()) return same->second;
    return std::nullopt;
  }

  const CocoGroundTruth& file_;
  const std::string source_;
  const std::vector<std::int64_t> numbers_;  ///< ids that are numbers in the file, ascending
  std::map<std::int64_t, std::int64_t> by_digits_;
  std::map<std::string, std::int64_t> by_stem_;
};

/// Id in the annotation file → entry + 1; the file must know every picture.
std::map<std::int64_t, std::int64_t> match_pictures(const dataset::Index& index,
                                                    const CocoGroundTruth& file,
                                                    const std::string& source) {
  const std::vector<std::string> ids = picture_ids(index);
  const FilePictures pictures(file, source);
  std::map<std::int64_t, std::int64_t> result;
  std::size_t missing = 0, first = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto id = pictures.find(index.entries[i].picture.stem().string());
    if (!id && missing++ == 0) first = i;
    if (id) result[*id] = static_cast<std::int64_t>(i) + 1;
  }
  if (missing > 0)
    throw Error(
        fmt::format("{}: expected every image of split '{}', found {} of {} missing, the first: "
                    "{} (image id {})",
                    source, index.split, missing, ids.size(), index.entries[first].picture.string(),
                    ids[first]));
  if (result.size() != ids.size())
    throw Error(
        fmt::format("{}: two images of split '{}' have the same image id", source, index.split));
  return result;
}

std::map<std::int64_t, std::int64_t> match_categories(const dataset::Index& index,
                                                      const CocoGroundTruth& file, bool coco_ids,
                                                      const std::string& source) {
  std::map<std::int64_t, std::int64_t> result;
  for (std::size_t c = 0; c < index.names.size(); ++c) {
    const auto wanted = [&](const CocoCategory& category) {
      return coco_ids ? category.id == category_id(static_cast<int>(c), true)
                      : category.name == index.names[c];
    };
    const auto found = std::find_if(file.categories.begin(), file.categories.end(), wanted);
    if (found == file.categories.end())
      throw Error(fmt::format("{}: expected a category for class {} '{}', found none", source, c,
                              index.names[c]));
    result[found->id] = static_cast<std::int64_t>(c) + 1;
  }
  return result;
}

}  // namespace

Ltwh to_ltwh(const Xyxy& box) { return {box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1}; }

std::int64_t category_id(int class_index, bool coco_ids) {
  if (!coco_ids) return class_index;
  static constexpr int gaps[] = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83};
  int id = class_index + 1;
  for (const int gap : gaps)
    if (id >= gap) ++id;
  return id;
}

std::vector<std::string> picture_ids(const dataset::Index& index) {
  std::vector<IdSource> sources;
  for (const dataset::Entry& entry : index.entries) sources.push_back({entry.picture});
  const ImageIds ids = image_ids(sources);
  if (ids.shared)
    log::warning(fmt::format(
        "{} and {} would share an image id, so the image ids of the COCO files are 1 to "
        "{} in the order of the paths",
        index.entries[ids.shared->first].picture.string(),
        index.entries[ids.shared->second].picture.string(), index.entries.size()));
  return ids.ids;
}

CocoGroundTruth ground_truth_of(const dataset::Index& index) {
  CocoGroundTruth truth;
  for (std::size_t c = 0; c < index.names.size(); ++c)
    truth.categories.push_back({static_cast<std::int64_t>(c) + 1, index.names[c]});
  for (std::size_t i = 0; i < index.entries.size(); ++i) {
    const auto image = static_cast<std::int64_t>(i) + 1;
    truth.images.push_back(image);
    for (const dataset::Label& label : index.entries[i].labels) {
      const Ltwh box = box_of(label, index.entries[i]);
      truth.annotations.push_back({static_cast<std::int64_t>(truth.annotations.size()) + 1, image,
                                   label.class_index + 1, box, box.width * box.height, false});
    }
  }
  return truth;
}

CocoGroundTruth ground_truth_of(const dataset::Index& index,
                                const std::filesystem::path& annotations, bool coco_ids) {
  const CocoGroundTruth file = read_ground_truth(annotations);
  const auto pictures = match_pictures(index, file, annotations.string());
  const auto categories =
      match_categories(index, file, has_coco_ids(index, coco_ids), annotations.string());
  CocoGroundTruth truth;
  for (std::size_t c = 0; c < index.names.size(); ++c)
    truth.categories.push_back({static_cast<std::int64_t>(c) + 1, index.names[c]});
  for (std::size_t i = 0; i < index.entries.size(); ++i)
    truth.images.push_back(static_cast<std::int64_t>(i) + 1);
  for (CocoAnnotation a : file.annotations) {
    const auto picture = pictures.find(a.image);
    const auto category = categories.find(a.category);
    if (picture == pictures.end() || category == categories.end()) continue;
    a.image = picture->second;
    a.category = category->second;
    truth.annotations.push_back(a);
  }
  return truth;
}

// Written piece by piece: a tree of a million and more detections would take gigabytes.
void write_detections(const std::filesystem::path& path,
                      const std::vector<PictureDetections>& pictures, const dataset::Index& index,
                      bool coco_ids) {
  const std::vector<std::string> ids = picture_ids(index);
  const bool style_91 = has_coco_ids(index, coco_ids);
  std::string out = "[";
  for (const PictureDetections& picture : pictures)
    for (const Detection& d : picture.detections) {
      out += out.size() > 1 ? ",\n" : "\n";
      out += runtime::coco_result(ids[picture.entry], category_id(d.class_index, style_91), d);
    }
  file::write_atomically(path, out + "\n]\n");
}

void write_ground_truth(const std::filesystem::path& path, const dataset::Index& index,
                        bool coco_ids) {
  const std::vector<std::string> ids = picture_ids(index);
  const bool style_91 = has_coco_ids(index, coco_ids);
  std::string images, annotations, categories;
  std::size_t next = 0;
  for (std::size_t i = 0; i < index.entries.size(); ++i) {
    const dataset::Entry& entry = index.entries[i];
    fmt::format_to(std::back_inserter(images),
                   "{}\n{{\"id\":{},\"file_name\":{},\"width\":{},\"height\":{}}}",
                   i > 0 ? "," : "", ids[i], json_text(entry.picture.filename().string()),
                   entry.width, entry.height);
    for (const dataset::Label& label : entry.labels) {
      const Ltwh box = box_of(label, entry);
      fmt::format_to(std::back_inserter(annotations),
                     "{}\n{{\"id\":{},\"image_id\":{},\"category_id\":{},\"bbox\":[{},{},{},{}],"
                     "\"area\":{},\"iscrowd\":0}}",
                     next > 0 ? "," : "", next + 1, ids[i],
                     category_id(label.class_index, style_91), box.left, box.top, box.width,
                     box.height, box.width * box.height);
      ++next;
    }
  }
  for (std::size_t c = 0; c < index.names.size(); ++c)
    fmt::format_to(std::back_inserter(categories), "{}\n{{\"id\":{},\"name\":{}}}",
                   c > 0 ? "," : "", category_id(static_cast<int>(c), style_91),
                   json_text(index.names[c]));
  file::write_atomically(path, "{\"images\":[" + images + "\n],\"categories\":[" + categories +
                                   "\n],\"annotations\":[" + annotations + "\n]}\n");
}

}  // namespace yolov7::evaluation
