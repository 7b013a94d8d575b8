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
  void SetUp() override {
    folder_ = corpus() / GetParam().format / GetParam().name;
    if (!fs::exists(folder_ / "answer.json")) return;
    answer_ = read_json(folder_ / "answer.json");
    const std::string& format = GetParam().format;
    if (format == "scalabel-bdd" || format == "crowdhuman-odgt" || format == "cvat-rest")
      make_images();
  }
  /// For files that have neither images nor their sizes: a copy with images that hold every box,
  /// and with labels where they have none.
  void make_images() {
    fs::copy(folder_, temporary_ / "case", fs::copy_options::recursive);
    folder_ = temporary_ / "case";
    double width = 10, height = 10;
    for (const json& box : answer_["boxes"]) {
      width = std::max(width, box["box"][2].get<double>() + 20);
      height = std::max(height, box["box"][3].get<double>() + 20);
    }
    for (json& picture : answer_["pictures"]) {
      std::string place = picture["picture"];
      if (GetParam().format == "cvat-rest") place += ".png";
      test::write_gray(folder_ / place, static_cast<int>(width), static_cast<int>(height), 1);
      picture = {{"picture", place},
                 {"width", static_cast<int>(width)},
                 {"height", static_cast<int>(height)},
                 {"split", picture["split"]}};
    }
    if (GetParam().format != "cvat-rest") return;
    for (json& box : answer_["boxes"]) {
      box["picture"] = box["picture"].get<std::string>() + ".png";
      box["cls"] = "x";
    }
    test::write_text(folder_ / "labels.json",
                     R"({"count": 1, "results": [{"id": 7, "name": "x"}]})");
    for (const char* name : {"images.json", "video.json"}) {
      std::string text = test::read_text(folder_ / name);
      const std::string null = R"("label_id": null)";
      for (auto at = text.find(null); at != std::string::npos; at = text.find(null))
        text.replace(at, null.size(), R"("label_id": 7)");
      fs::permissions(folder_, fs::perms::owner_all);
      fs::remove(folder_ / name);
      test::write_text(folder_ / name, text);
    }
  }
  /// "" if the file does not define the box's class.
  std::string class_of(const json& box) const {
    if (!box["cls"].is_string()) return "";
    const std::string name = box["cls"], &format = GetParam().format;
    if ((format == "via" || format == "segment-anything") && name.empty())
      return "object";  // no class in the whole file
    return format == "datumaro-json" && name == "5" ? "" : name;
  }
  /// Where a folder holds one task in several formats: the file of the one that is meant.
  fs::path source() const {
    if (GetParam().name == "polygons-with-coco-twin") return folder_ / "terrain2.json";
    return folder_;
  }
  /// The reason to skip the case, or "".
  std::string why_skipped() const {
    if (GetParam().format == "none") return corpus().string() + " is missing";
    if (GetParam().name == "server-1.23.2-exports")
      return GetParam().name + " has no answer.json: its files are in several formats";
    if (!fs::exists(folder_ / "answer.json"))
      ADD_FAILURE() << folder_ << ": expected answer.json, found none";
    return "";
  }
  ConvertOptions options(const std::string& from) const {
    ConvertOptions result;
    result.source = source();
    result.from = from;
    result.read.crowdhuman_box = "all";
    result.read.unpack_folder = temporary_ / "unpacked";
    result.prepare.decode = false;
    result.prepare.keep_degenerate = true;
    result.prepare.require_images = false;
    result.prepare.least_side_px = 1;
    return result;
  }
  /// As the answer names it: relative to the case, or by the name inside a record.
  std::string place_of(const AnnotatedImage& image) const {
    if (image.file.empty() || GetParam().format == "tfrecord") return image.written;
    return image.file.lexically_relative(folder_).generic_string();
  }
  void compare_pictures(const std::map<std::string, const AnnotatedImage*>& images,
                        const Conversion& account) const;
  std::vector<BoxAt> expected_boxes(std::size_t& dropped) const;

  test::TemporaryFolder temporary_;
  fs::path folder_;
  json answer_;
};

void Corpus::compare_pictures(const std::map<std::string, const AnnotatedImage*>& images,
                              const Conversion& account) const {
  for (const json& picture : answer_["pictures"]) {
    const std::string place = picture["picture"];
    const auto dropped =
        std::any_of(account.drops.begin(), account.drops.end(), [&](const ConversionDrop& drop) {
          return drop.kind == "image" && drop.file.generic_string() == place;
        });
    if (!images.contains(place)) {
      if (GetParam().name == "diverse" && !fs::exists(folder_ / place))
        continue;  // one of its six items that have neither a file nor a box
      EXPECT_TRUE(dropped) << place << " is neither read nor named";
      continue;
    }
    const AnnotatedImage& image = *images.at(place);
    EXPECT_EQ(image.width, picture["width"]) << place;
    EXPECT_EQ(image.height, picture["height"]) << place;
    const std::string split = split_name(picture["split"].get<std::string>());
    if (!split.empty()) {
      EXPECT_EQ(image.split, split) << place;
    }
  }
}

/// Boxes that SOURCE.txt tells of and answer.json leaves out; each is dropped by name.
std::size_t dropped_beyond_answer(const std::string& name) {
  if (name == "polygons-val") return 327;           // of 14 records whose images are not there
  if (name == "kaggle-three-spellings") return 12;  // each of 6 boxes stands in three files
  if (name == "faulty-rows") return 2;              // a width of 0, a category that is not defined
  return 0;
}

/// Boxes without a class, and boxes outside their image, are expected to be dropped.
std::vector<BoxAt> Corpus::expected_boxes(std::size_t& dropped) const {
  std::vector<BoxAt> expected;
  std::map<std::string, std::pair<double, double>> sizes;
  for (const json& picture : answer_["pictures"])
    sizes[picture["picture"]] = {picture["width"], picture["height"]};
  for (const json& box : answer_["boxes"]) {
    const std::string place = box["picture"];
    const auto [width, height] = sizes[place];
    const auto corner = [&](int i) {
      return box["box"][static_cast<std::size_t>(i)].get<double>();
    };
    const Xyxy clipped = clip(Xyxy{corner(0), corner(1), corner(2), corner(3)}, width, height);
    const std::string name = class_of(box);
    if (name.empty() || !(clipped.width() > 0) || !(clipped.height() > 0))
      ++dropped;
    else
      expected.push_back({place, name, clipped});
  }
  std::sort(expected.begin(), expected.end(), comes_before);
  if (GetParam().format != "crowdhuman-odgt") return expected;
  // If the visible box of a person equals the full box, the second is dropped as a duplicate.
  const auto repeated = std::unique(expected.begin(), expected.end(), [](auto& a, auto& b) {
    return a.picture == b.picture && a.name == b.name && a.box == b.box;
  });
  dropped += static_cast<std::size_t>(expected.end() - repeated);
  expected.erase(repeated, expected.end());
  return expected;
}

TEST_P(Corpus, BoxesClassesAndImages) {
  if (const std::string why = why_skipped(); !why.empty()) GTEST_SKIP() << why;
  const Format* format = format_of(GetParam().format);
  ASSERT_NE(format, nullptr) << GetParam().format;
  Conversion account;
  if (format->name == "imagenet") {
    const std::string said =
        test::error_of([&] { read_annotations_of(options(format->name), account); });
    EXPECT_NE(said.find("found 4 images in folders named after classes"), std::string::npos)
        << said;
    return;
  }
  const AnnotatedSet set = read_annotations_of(options(format->name), account);
  std::map<std::string, const AnnotatedImage*> images;
  std::size_t with_file = 0, dropped_boxes = 0;
  std::vector<BoxAt> found;
  for (const AnnotatedImage& image : set.images) {
    images[place_of(image)] = &image;
    with_file += image.file.empty() ? 0 : 1;
    for (const AnnotatedObject& object : image.objects)
      found.push_back({place_of(image),
                       set.classes[static_cast<std::size_t>(object.class_index)].name, object.box});
  }
  compare_pictures(images, account);
  // What has no file here has at least its objects; no file is taken that the answer does not name.
  EXPECT_LE(with_file, answer_["pictures"].size());
  const std::vector<BoxAt> expected = expected_boxes(dropped_boxes);
  EXPECT_EQ(account.boxes.dropped, dropped_boxes + dropped_beyond_answer(GetParam().name));
  std::sort(found.begin(), found.end(), comes_before);
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
  if (answer_["classes"].is_array()) {
    EXPECT_EQ(names_of(set), answer_["classes"].get<std::vector<std::string>>());
  }
}

TEST_P(Corpus, IsRecognised) {
  if (const std::string why = why_skipped(); !why.empty()) GTEST_SKIP() << why;
  const Format* format = format_of(GetParam().format);
  ASSERT_NE(format, nullptr) << GetParam().format;
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
