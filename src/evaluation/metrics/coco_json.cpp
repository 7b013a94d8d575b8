#include "evaluation/metrics/coco_json.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <unordered_set>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace yolov7::evaluation {
namespace {

namespace dom = simdjson::dom;

constexpr std::uint64_t most_bytes = std::uint64_t{4} << 30;
constexpr int depth_limit = 100;

/// A file's tree, which lives as long as this.
class Document {
 public:
  explicit Document(const std::filesystem::path& path) {
    std::error_code error;
    const bool loads = std::filesystem::is_regular_file(path, error) &&
                       std::filesystem::file_size(path, error) <= most_bytes &&
                       !simdjson::padded_string::load(path.string()).get(text_);
    if (!loads)
      text_ = simdjson::padded_string(file::read(path, most_bytes));  // says what is wrong
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    if (std::string_view(text_).starts_with(mark))
      text_ = simdjson::padded_string(std::string_view(text_).substr(mark.size()));
    const auto allocated = parser_.allocate(text_.size(), depth_limit + 1);
    const auto code = allocated ? allocated : parser_.parse(text_).get(root_);
    if (!code) return;
    parse_json(std::string_view(text_), path.string(),
               depth_limit);  // says what is wrong and where
    throw Error(fmt::format("{}: expected JSON, found what simdjson refuses: {}", path.string(),
                            simdjson::error_message(code)));
  }
  dom::element root() const { return root_; }

 private:
  simdjson::padded_string text_;
  dom::parser parser_;
  dom::element root_;
};

std::string excerpt(dom::element value) {
  return std::string(simdjson::minify(value)).substr(0, 40);
}

/// What other programs write in another way and is taken all the same; told once a file.
struct Notes {
  std::size_t digits = 0, without_area = 0;
  bool wrapped = false;

  void say(const std::string& source) const {
    if (wrapped) log::warning(source + ": the detections are taken from its key 'annotations'");
    if (digits > 0)
      log::warning(
          fmt::format("{}: {} ids differ from those of the ground truth in being texts or "
                      "numbers; they are taken by their digits",
                      source, digits));
    if (without_area > 0)
      log::warning(fmt::format(
          "{}: {} annotations have no area; width times height of the box is taken, which decides "
          "between small, medium and large",
          source, without_area));
  }
};

/// The number that all of a text's characters are, as in "000000000139".
std::optional<std::int64_t> digits(std::string_view words) {
  const bool all =
      !words.empty() && words.find_first_not_of("0123456789") == std::string_view::npos;
  return all ? text::parse_int(words) : std::nullopt;
}

/// A whole number, also as another program writes it: 1.0.
std::optional<std::int64_t> whole(dom::element value) {
  constexpr double exact = 9007199254740992.0;  // 2^53: above, not every whole number is a double
  std::int64_t number = 0;
  if (!value.get(number)) return number;
  double real = 0;
  if (!value.is_double() || value.get(real) || std::abs(real) > exact || real != std::floor(real))
    return std::nullopt;
  return static_cast<std::int64_t>(real);
}

/// One element of a list; its place is put into words only for messages.
struct Element {
  dom::element value;
  const std::string& list;
  std::size_t index;
  Notes& notes;

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(fmt::format("{}[{}]: {}", list, index, what));
  }
  std::optional<dom::element> find(const char* key) const {
    dom::object object;
    if (value.get(object)) fail("expected an object, found " + excerpt(value));
    dom::element found;
    if (object[key].get(found)) return std::nullopt;
    return found;
  }
  dom::element at(const char* key) const {
    const auto found = find(key);
    if (!found) fail(fmt::format("expected a key '{}', found none", key));
    return *found;
  }
  std::int64_t integer(const char* key) const {
    const dom::element v = at(key);
    if (const auto number = whole(v)) return *number;
    if (std::string_view words; !v.get(words))
      if (const auto number = digits(words)) {
        ++notes.digits;
        return *number;
      }
    fail(fmt::format("{}: expected a whole number, found {}", key, excerpt(v)));
  }
  double finite(dom::element v, const char* key) const {
    double number = 0;
    if (v.get(number) || !std::isfinite(number))
      fail(fmt::format("{}: expected a finite number, found {}", key, excerpt(v)));
    return number;
  }
  double number(const char* key) const { return finite(at(key), key); }
  Ltwh box() const {
    const dom::element v = at("bbox");
    dom::array list_of_four;
    const bool is_list = !v.get(list_of_four);
    if (!is_list || list_of_four.size() != 4)
      fail(fmt::format("bbox: expected 4 numbers (left, top, width, height), found {}",
                       is_list ? std::to_string(list_of_four.size()) : excerpt(v)));
    std::array<double, 4> b{};
    std::size_t k = 0;
    for (const dom::element one : list_of_four) b[k++] = finite(one, "bbox");
    if (b[2] < 0 || b[3] < 0)
      fail(fmt::format("bbox: expected a width and height of at least 0, found {} and {}", b[2],
                       b[3]));
    return {b[0], b[1], b[2], b[3]};
  }
  double area(const Ltwh& box) const {
    const auto v = find("area");
    if (v && !v->is_null()) return finite(*v, "area");
    ++notes.without_area;
    return box.width * box.height;
  }
  bool crowd() const {
    const auto v = find("iscrowd");
    if (!v || v->is_null()) return false;
    return v->is_bool() ? bool(*v) : integer("iscrowd") != 0;
  }
  std::string text(const char* key) const {
    const auto found = find(key);
    std::string_view words;
    return found && !found->get(words) ? std::string(words) : "";
  }
};

template <class Function>
void each(dom::element list, const std::string& place, Notes& notes, Function function) {
  dom::array elements;
  if (list.get(elements))
    throw Error(fmt::format("{}: expected a list, found {}", place, excerpt(list)));
  std::size_t i = 0;
  for (const dom::element one : elements) function(Element{one, place, i++, notes});
}

/// Whole numbers keep their value. Texts are numbered behind the largest number, in the order of
/// their characters, which is the order in which pycocotools visits them.
class PictureIds {
 public:
  explicit PictureIds(const CocoGroundTruth& truth)
      : texts_(truth.text_ids), numbers_(truth.images.begin(), truth.images.end()) {
    for (const auto& [words, number] : texts_) numbers_.erase(number);
  }

  std::int64_t find(const Element& element, const char* key) const {
    const dom::element v = element.at(key);
    if (std::string_view words; !v.get(words)) {
      const auto found = texts_.find(std::string(words));
      if (found != texts_.end()) return found->second;
      const auto number = digits(words);
      if (number && numbers_.contains(*number)) return noted(element, *number);
    } else {
      const std::int64_t id = element.integer(key);
      if (id == last_ || numbers_.contains(id)) return *(last_ = id);
      const auto found = texts_.find(std::to_string(id));
      if (found != texts_.end()) return noted(element, found->second);
    }
    element.fail(fmt::format("{}: image {} is not in the ground truth", key, excerpt(v)));
  }

 private:
  static std::int64_t noted(const Element& element, std::int64_t id) {
    ++element.notes.digits;
    return id;
  }

  const std::map<std::string, std::int64_t>& texts_;
  std::unordered_set<std::int64_t> numbers_;  ///< of pictures whose id in the file is a number
  mutable std::optional<std::int64_t> last_;  ///< a picture's detections mostly follow each other
};

void read_images(dom::element list, const std::string& place, Notes& notes,
                 CocoGroundTruth& truth) {
  std::unordered_set<std::int64_t> numbers;
  std::map<std::string, std::string> stems_of_texts;
  each(list, place, notes, [&](const Element& e) {
    const dom::element id = e.at("id");
    const std::string stem = std::filesystem::path(e.text("file_name")).stem().string();
    std::string_view words;
    bool fresh = false;
    if (!id.get(words)) {
      fresh = truth.text_ids.emplace(words, 0).second;
      if (!stem.empty()) stems_of_texts[std::string(words)] = stem;
    } else {
      const std::int64_t number = e.integer("id");
      fresh = numbers.insert(number).second;
      if (!stem.empty()) truth.file_stems[number] = stem;
    }
    if (!fresh) e.fail(fmt::format("the id {} stands twice", excerpt(id)));
  });
  truth.images.assign(numbers.begin(), numbers.end());
  std::sort(truth.images.begin(), truth.images.end());
  std::int64_t next = truth.images.empty() ? 0 : truth.images.back();
  if (next > INT64_MAX - static_cast<std::int64_t>(truth.text_ids.size()))
    throw Error(fmt::format("{}: the id {} is too large beside ids that are texts", place, next));
  for (auto& text : truth.text_ids) {
    truth.images.push_back(text.second = ++next);
    const auto stem = stems_of_texts.find(text.first);
    if (stem != stems_of_texts.end()) truth.file_stems[next] = stem->second;
  }
}

void read_annotations(dom::element list, const std::string& place, Notes& notes,
                      CocoGroundTruth& truth) {
  const PictureIds pictures(truth);
  std::set<std::int64_t> categories;
  for (const CocoCategory& category : truth.categories) categories.insert(category.id);
  std::unordered_set<std::int64_t> ids;
  each(list, place, notes, [&](const Element& e) {
    CocoAnnotation a;
    a.id = e.integer("id");
    if (!ids.insert(a.id).second) e.fail(fmt::format("the id {} stands twice", a.id));
    if (a.id == 0)
      log::warning(
          fmt::format("{}[{}]: annotation id 0: pycocotools takes a match with it for none, so its "
                      "figures are lower than these",
                      place, e.index));
    a.image = pictures.find(e, "image_id");
    a.category = e.integer("category_id");
    if (!categories.contains(a.category))
      e.fail(fmt::format("category_id: {} is not among the categories", a.category));
    a.box = e.box();
    a.area = e.area(a.box);
    a.crowd = e.crowd();
    truth.annotations.push_back(a);
  });
}

}  // namespace

CocoGroundTruth read_ground_truth(const std::filesystem::path& path) {
  const Document document(path);
  const dom::element root = document.root();
  const std::string source = path.string();
  const auto list = [&](const char* key) {
    dom::object object;
    dom::element found;
    const bool is_object = !root.get(object);
    if (!is_object || object[key].get(found))
      throw Error(
          fmt::format("{}: expected an object with images, categories and annotations, found {}",
                      source, is_object ? fmt::format("no '{}'", key) : excerpt(root)));
    return found;
  };
  CocoGroundTruth truth;
  Notes notes;
  read_images(list("images"), source + ": images", notes, truth);
  std::set<std::int64_t> seen;
  each(list("categories"), source + ": categories", notes, [&](const Element& e) {
    truth.categories.push_back({e.integer("id"), e.text("name")});
    if (!seen.insert(truth.categories.back().id).second)
      e.fail(fmt::format("the id {} stands twice", truth.categories.back().id));
  });
  read_annotations(list("annotations"), source + ": annotations", notes, truth);
  notes.say(source);
  return truth;
}

std::vector<CocoDetection> read_detections(const std::filesystem::path& path,
                                           const CocoGroundTruth& ground_truth) {
  const Document document(path);
  const PictureIds pictures(ground_truth);
  std::vector<CocoDetection> detections;
  Notes notes;
  dom::element all = document.root();
  dom::object wrapper;
  if (!all.get(wrapper)) notes.wrapped = !wrapper["annotations"].get(all);
  if (dom::array list; !all.get(list)) detections.reserve(list.size());
  each(all, path.string() + ": detections", notes, [&](const Element& e) {
    detections.push_back(
        {pictures.find(e, "image_id"), e.integer("category_id"), e.box(), e.number("score")});
  });
  notes.say(path.string());
  return detections;
}

}  // namespace yolov7::evaluation
