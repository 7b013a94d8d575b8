// Real files of every format: the boxes that their definition gives, worked out beforehand.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "core/json.hpp"
#include "core/text.hpp"
#include "dataset/formats/convert.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/splits.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Case {
  std::string format, name;
};

fs::path corpus() { return test::shared_folder() / "datasets/formats"; }

std::vector<Case> cases() {
  std::vector<Case> list;
  std::ifstream index(corpus() / "INDEX.tsv");
  for (std::string line; std::getline(index, line);) {
    const auto columns = text::split(line, '\t');
    if (columns.size() > 1 && columns[0] != "format")
      list.push_back({std::string(columns[0]), std::string(columns[1])});
  }
  if (list.empty()) list.push_back({"none", "none"});
  return list;
}

const Format* format_of(const std::string& folder) {
  for (const Format& format : formats())
    if (format.read != nullptr &&
        (format.name == folder || text::contains(format.spellings, folder)))
      return &format;
  return nullptr;
}

struct BoxAt {
  std::string picture, name;
  Xyxy box;
};

bool comes_before(const BoxAt& a, const BoxAt& b) {
  const auto key = [](const BoxAt& one) {
    const auto grid = [](double x) { return std::llround(x * 4); };  // quarters of a pixel
    return std::tuple(one.picture, one.name, grid(one.box.x1), grid(one.box.y1), grid(one.box.x2),
                      grid(one.box.y2));
  };
  return key(a) < key(b);
}

class Corpus : public testing::TestWithParam<Case> {
 protected:
  fs::path folder() const { return corpus() / GetParam().format / GetParam().name; }
  /// "" where the box has no class that the file defines.
  std::string class_of(const json& box) const {
    if (!box["cls"].is_string()) return "";
    const std::string name = box["cls"];
    if (GetParam().format == "via" && name.empty()) return "object";  // no class in the whole file
    return GetParam().format == "datumaro-json" && name == "5" ? "" : name;
  }
  /// Where a folder holds one task in several formats: the file of the one that is meant.
  fs::path source() const {
    if (GetParam().name == "polygons-with-coco-twin") return folder() / "terrain2.json";
    return folder();
  }
  /// Why there is nothing to compare with, or "".
  std::string why_skipped() const {
    if (GetParam().format == "none") return corpus().string() + " is missing";
    if (format_of(GetParam().format) == nullptr)
      return GetParam().format + "/" + GetParam().name + ": no reader yet";
    if (!fs::exists(folder() / "answer.json"))
      return GetParam().name + " has no answer.json: its files are in several formats";
    return "";
  }
  ConvertOptions options(const std::string& from) const {
    ConvertOptions result;
    result.source = source();
    result.from = from;
    result.prepare.decode = false;
    result.prepare.keep_degenerate = true;
    result.prepare.require_images = false;
    return result;
  }
};

TEST_P(Corpus, BoxesClassesAndImages) {
  if (const std::string why = why_skipped(); !why.empty()) GTEST_SKIP() << why;
  const Format* format = format_of(GetParam().format);
  const json answer = read_json(folder() / "answer.json");
  Conversion account;
  AnnotatedSet set;
  set = read_annotations_of(options(format->name), account);
  std::map<std::string, const AnnotatedImage*> images;
  std::size_t with_file = 0;
  std::vector<BoxAt> found, expected;
  for (const AnnotatedImage& image : set.images) {
    const std::string place = image.file.empty()
                                  ? image.written
                                  : image.file.lexically_relative(folder()).generic_string();
    images[place] = &image;
    with_file += image.file.empty() ? 0 : 1;
    for (const AnnotatedObject& object : image.objects)
      found.push_back(
          {place, set.classes[static_cast<std::size_t>(object.class_index)].name, object.box});
  }
  std::map<std::string, std::pair<double, double>> sizes;
  for (const json& picture : answer["pictures"]) {
    const std::string place = picture["picture"];
    sizes[place] = {picture["width"], picture["height"]};
    const auto dropped =
        std::any_of(account.drops.begin(), account.drops.end(), [&](const ConversionDrop& drop) {
          return drop.kind == "image" && drop.file.generic_string() == place;
        });
    if (!images.contains(place)) {
      if (!fs::exists(folder() / place)) continue;  // no file, and nothing to say about it
      EXPECT_TRUE(dropped) << place << " is neither read nor named";
      continue;
    }
    EXPECT_EQ(images[place]->width, picture["width"]) << place;
    EXPECT_EQ(images[place]->height, picture["height"]) << place;
    const std::string split = split_name(picture["split"].get<std::string>());
    if (!split.empty()) {
      EXPECT_EQ(images[place]->split, split) << place;
    }
  }
  EXPECT_LE(with_file, answer["pictures"].size());
  std::size_t dropped_boxes = 0;
  for (const json& box : answer["boxes"]) {
    const std::string place = box["picture"];
    const auto [width, height] = sizes[place];
    const auto corner = [&](int i) {
      return box["box"][static_cast<std::size_t>(i)].get<double>();
    };
    const Xyxy clipped = clip(Xyxy{corner(0), corner(1), corner(2), corner(3)}, width, height);
    const std::string name = class_of(box);
    if (name.empty() || !(clipped.width() > 0) || !(clipped.height() > 0))
      ++dropped_boxes;  // no class, or outside its image: dropped by name
    else
      expected.push_back({place, name, clipped});
  }
  EXPECT_GE(account.boxes.dropped, dropped_boxes);
  std::sort(found.begin(), found.end(), comes_before);
  std::sort(expected.begin(), expected.end(), comes_before);
  ASSERT_EQ(found.size(), expected.size()) << text::join(summary_lines(account), "\n");
  constexpr double tolerance = 0.01;  // the answers are rounded to 1e-6; files to 1e-2 at most
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].picture, expected[i].picture);
    EXPECT_EQ(found[i].name, expected[i].name) << found[i].picture;
    EXPECT_NEAR(found[i].box.x1, expected[i].box.x1, tolerance) << found[i].picture;
    EXPECT_NEAR(found[i].box.y1, expected[i].box.y1, tolerance) << found[i].picture;
    EXPECT_NEAR(found[i].box.x2, expected[i].box.x2, tolerance) << found[i].picture;
    EXPECT_NEAR(found[i].box.y2, expected[i].box.y2, tolerance) << found[i].picture;
  }
  if (answer["classes"].is_array()) {
    EXPECT_EQ(names_of(set), answer["classes"].get<std::vector<std::string>>());
  }
}

TEST_P(Corpus, IsRecognised) {
  if (const std::string why = why_skipped(); !why.empty()) GTEST_SKIP() << why;
  const Format* format = format_of(GetParam().format);
  EXPECT_EQ(detect_format(walk_source(source())).name, format->name);
}

INSTANTIATE_TEST_SUITE_P(Cases, Corpus, testing::ValuesIn(cases()), [](const auto& one) {
  std::string name = one.param.format + "_" + one.param.name;
  for (char& c : name)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  return name;
});

}  // namespace
}  // namespace yolov7::dataset
