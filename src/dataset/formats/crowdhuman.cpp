// CrowdHuman (Shao et al., "CrowdHuman: a benchmark for detecting human in a crowd", 2018): a JSON
// text per line and image. Each person has a full, a visible and a head box.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/json_files.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

bool detect(const SourceTree& tree) { return !tree.with_extension(".odgt").empty(); }

struct BoxKind {
  const char *key, *name, *words;
};
constexpr BoxKind kinds[] = {{"fbox", "full", "full box of a person"},
                             {"vbox", "visible", "visible box of a person"},
                             {"hbox", "head", "head box of a person"}};

struct Into {
  AnnotatedSet& set;
  std::map<std::string, int>& index;
  Conversion& account;
  std::string wanted;  ///< "full", "visible", "head" or "all"
};

void take_numbers(const json* value, AnnotatedObject& object) {
  const auto n = numbers_of(value);
  if (n && n->size() == 4)
    object.box = {(*n)[0], (*n)[1], (*n)[0] + (*n)[2], (*n)[1] + (*n)[3]};
  else
    object.fault = "expected a box [x, y, width, height], found " + shown(value);
}

void take_person(const json& box, std::size_t number, AnnotatedImage& image, const Into& into) {
  const std::string tag = text_at(box, "tag");
  const json *extra = member(box, "extra"), *head = member(box, "head_attr");
  const bool region = tag == "mask" || (extra != nullptr && flag_at(*extra, "ignore"));
  for (const BoxKind& kind : kinds) {
    const bool is_head = std::string_view(kind.name) == "head";
    const json* found = member(box, kind.key);
    if (found == nullptr) continue;
    if (region && std::string_view(kind.name) != "full") continue;  // thrice the same
    if (!region && into.wanted != "all" && into.wanted != kind.name) {
      ++into.account.not_boxes[kind.words];
      continue;
    }
    AnnotatedObject object;
    take_numbers(found, object);
    object.class_index = class_named(into.set, into.index, is_head ? "head" : "person");
    object.ignore = region || (is_head && head != nullptr && flag_at(*head, "ignore"));
    if (extra != nullptr) {
      object.id = id_at(*extra, "box_id");
      object.occluded = flag_at(*extra, "occ");
    }
    if (is_head && head != nullptr) object.occluded = flag_at(*head, "occ");
    if (into.wanted == "all") object.attributes.push_back({"box", std::string(kind.name)});
    if (tag != "person" && tag != "mask" && object.fault.empty())
      object.fault =
          fmt::format("expected the tag person or mask, found '{}'", text::printable(tag));
    name_fault(object, "gtboxes", number);
    image.objects.push_back(std::move(object));
  }
}

AnnotatedSet read(const Reading& reading) {
  AnnotatedSet set;
  std::map<std::string, int> index;
  const Into into{set, index, reading.account, reading.options.crowdhuman_box};
  for (const fs::path& path : reading.tree.with_extension(".odgt")) {
    const std::size_t first = set.images.size();
    each_json_line(reading, set, path, [&](const json& row, AnnotatedImage& image) {
      image.id = id_at(row, "ID");
      if (image.id.empty()) throw Error("expected an ID, found " + shown(member(row, "ID")));
      image.written = "Images/" + image.id + ".jpg";
      const json* boxes = member(row, "gtboxes");
      if (boxes == nullptr || !boxes->is_array())
        throw Error("expected gtboxes as a list, found " + shown(boxes));
      for (std::size_t i = 0; i < boxes->size(); ++i) take_person((*boxes)[i], i, image, into);
      if (image.objects.empty()) image.state = ImageState::empty_on_purpose;
    });
    const fs::path folder = path.parent_path();
    for (std::size_t i = first; i < set.images.size(); ++i) {
      set.images[i].split = split_of_file(path);
      if (set.images[i].fault.empty())
        reading.finder.assign(set.images[i], {folder, folder / ".."}, reading.account.notes);
    }
  }
  if (!set.images.empty() && into.wanted != "all")
    reading.account.notes.push_back(
        {reading.tree.root, 0,
         fmt::format("of the three boxes of each person the {} one is read", into.wanted)});
  return set;
}

}  // namespace

Format crowdhuman_format() {
  Format format;
  format.name = "crowdhuman";
  format.title = "CrowdHuman odgt";
  format.spellings = {"crowdhuman-odgt", "odgt"};
  format.description = "a JSON text per line with full, visible and head boxes";
  format.detect = detect;
  format.read = read;
  return format;
}

}  // namespace yolov7::dataset
