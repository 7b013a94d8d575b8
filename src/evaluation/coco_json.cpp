#include "evaluation/coco_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_set>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/log.hpp"

namespace yolov7::evaluation {
namespace {

using nlohmann::json;

constexpr std::uint64_t most_bytes = std::uint64_t{4} << 30;

json read(const std::filesystem::path& path) { return parse_json(file::read(path, most_bytes), path.string()); }

std::string excerpt(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace).substr(0, 40); }

/// One element of a list; its place is put into words only for messages.
struct Element {
  const json& value;
  const std::string& list;
  std::size_t index;

  [[noreturn]] void fail(const std::string& what) const { throw Error(fmt::format("{}[{}]: {}", list, index, what)); }
  const json& at(const char* key) const {
    if (!value.is_object()) fail("expected an object, found " + excerpt(value));
    const auto found = value.find(key);
    if (found == value.end()) fail(fmt::format("expected a key '{}', found none", key));
    return *found;
  }
  std::int64_t integer(const char* key) const {
    const json& v = at(key);
    const bool fits = v.is_number_unsigned() ? v.get<std::uint64_t>() <= std::uint64_t{INT64_MAX} : v.is_number_integer();
    if (!fits) fail(fmt::format("{}: expected a whole number, found {}", key, excerpt(v)));
    return v.get<std::int64_t>();
  }
  double finite(const json& v, const char* key) const {
    if (!v.is_number() || !std::isfinite(v.get<double>())) fail(fmt::format("{}: expected a finite number, found {}", key, excerpt(v)));
    return v.get<double>();
  }
  double number(const char* key) const { return finite(at(key), key); }
  Ltwh box() const {
    const json& v = at("bbox");
    if (!v.is_array() || v.size() != 4)
      fail(fmt::format("bbox: expected 4 numbers (left, top, width, height), found {}", v.is_array() ? std::to_string(v.size()) : excerpt(v)));
    const Ltwh box{finite(v[0], "bbox"), finite(v[1], "bbox"), finite(v[2], "bbox"), finite(v[3], "bbox")};
    if (box.width < 0 || box.height < 0) fail(fmt::format("bbox: expected a width and height of at least 0, found {} and {}", box.width, box.height));
    return box;
  }
  bool crowd() const {
    if (!value.contains("iscrowd")) return false;
    const json& v = at("iscrowd");
    return v.is_boolean() ? v.get<bool>() : integer("iscrowd") != 0;
  }
  std::string text(const char* key) const {
    const auto found = value.find(key);
    return found != value.end() && found->is_string() ? found->get<std::string>() : "";
  }
};

template <class Function>
void each(const json& list, const std::string& place, Function function) {
  if (!list.is_array()) throw Error(fmt::format("{}: expected a list, found {}", place, excerpt(list)));
  for (std::size_t i = 0; i < list.size(); ++i) function(Element{list[i], place, i});
}

/// Whole numbers keep their value. Texts are numbered behind the largest number, in the order of their characters, which
/// is the order in which pycocotools visits them.
class PictureIds {
 public:
  explicit PictureIds(const CocoGroundTruth& truth) : texts_(truth.text_ids), known_(truth.images.begin(), truth.images.end()) {}

  std::int64_t find(const Element& element, const char* key) const {
    const json& v = element.at(key);
    if (v.is_string()) {
      const auto found = texts_.find(v.get_ref<const std::string&>());
      if (found != texts_.end()) return found->second;
    } else if (const std::int64_t id = element.integer(key); known_.contains(id)) {
      return id;
    }
    element.fail(fmt::format("{}: picture {} is not in the ground truth", key, excerpt(v)));
  }

 private:
  const std::map<std::string, std::int64_t>& texts_;
  std::unordered_set<std::int64_t> known_;
};

void read_images(const json& list, const std::string& place, CocoGroundTruth& truth) {
  std::unordered_set<std::int64_t> numbers;
  each(list, place, [&](const Element& e) {
    const json& id = e.at("id");
    const bool fresh = id.is_string() ? truth.text_ids.emplace(id.get<std::string>(), 0).second : numbers.insert(e.integer("id")).second;
    if (!fresh) e.fail(fmt::format("the id {} stands twice", excerpt(id)));
  });
  truth.images.assign(numbers.begin(), numbers.end());
  std::sort(truth.images.begin(), truth.images.end());
  std::int64_t next = truth.images.empty() ? 0 : truth.images.back();
  if (next > INT64_MAX - static_cast<std::int64_t>(truth.text_ids.size())) throw Error(fmt::format("{}: the id {} is too large beside ids that are texts", place, next));
  for (auto& text : truth.text_ids) truth.images.push_back(text.second = ++next);
}

void read_annotations(const json& list, const std::string& place, CocoGroundTruth& truth) {
  const PictureIds pictures(truth);
  std::set<std::int64_t> categories;
  for (const CocoCategory& category : truth.categories) categories.insert(category.id);
  std::unordered_set<std::int64_t> ids;
  each(list, place, [&](const Element& e) {
    CocoAnnotation a;
    a.id = e.integer("id");
    if (!ids.insert(a.id).second) e.fail(fmt::format("the id {} stands twice", a.id));
    if (a.id == 0) log::warning(fmt::format("{}[{}]: annotation id 0: pycocotools takes a match with it for none, so its figures are lower than these", place, e.index));
    a.image = pictures.find(e, "image_id");
    a.category = e.integer("category_id");
    if (!categories.contains(a.category)) e.fail(fmt::format("category_id: {} is not among the categories", a.category));
    a.box = e.box();
    a.area = e.number("area");
    a.crowd = e.crowd();
    truth.annotations.push_back(a);
  });
}

}  // namespace

CocoGroundTruth read_ground_truth(const std::filesystem::path& path) {
  const json root = read(path);
  const std::string source = path.string();
  const auto list = [&](const char* key) -> const json& {
    if (!root.is_object() || !root.contains(key))
      throw Error(fmt::format("{}: expected an object with images, categories and annotations, found {}", source,
                              root.is_object() ? fmt::format("no '{}'", key) : excerpt(root)));
    return root.at(key);
  };
  CocoGroundTruth truth;
  read_images(list("images"), source + ": images", truth);
  std::set<std::int64_t> seen;
  each(list("categories"), source + ": categories", [&](const Element& e) {
    truth.categories.push_back({e.integer("id"), e.text("name")});
    if (!seen.insert(truth.categories.back().id).second) e.fail(fmt::format("the id {} stands twice", truth.categories.back().id));
  });
  read_annotations(list("annotations"), source + ": annotations", truth);
  return truth;
}

std::vector<CocoDetection> read_detections(const std::filesystem::path& path, const CocoGroundTruth& ground_truth) {
  const json root = read(path);
  const PictureIds pictures(ground_truth);
  std::vector<CocoDetection> detections;
  each(root, path.string() + ": detections", [&](const Element& e) {
    detections.push_back({pictures.find(e, "image_id"), e.integer("category_id"), e.box(), e.number("score")});
  });
  return detections;
}

}  // namespace yolov7::evaluation
