#include "dataset/formats/yolo_layout.hpp"

#include <fmt/format.h>

#include "core/value.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/index/read_index.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::write_gray;
using test::write_text;

const std::vector<std::string> wild_names = {"yes",
                                             "0x1F",
                                             "1_000",
                                             "12:30",
                                             "~",
                                             "",
                                             " a ",
                                             "a: b",
                                             "# no",
                                             "it's",
                                             "\"quoted\"",
                                             "`ls`",
                                             "<script>alert(1)</script>",
                                             "back\\slash",
                                             "esc \x1b[31m",
                                             "tab\tline\nfeed",
                                             "bell\x07",
                                             "\xC2\x85next",
                                             "Ünïcode 犬",
                                             "- item",
                                             "{a: b}",
                                             "*alias",
                                             "!tag",
                                             "%",
                                             "@"};

TEST(DescriptionText, EveryNameComesBackAsItWas) {
  const Value value =
      parse_yaml(description_text({{"val", "images/val"}}, wild_names), "data.yaml");
  ASSERT_EQ(value.at("names").sequence.size(), wild_names.size());
  for (std::size_t i = 0; i < wild_names.size(); ++i) {
    EXPECT_EQ(value.at("names").sequence[i].text(), wild_names[i]) << i;
    EXPECT_TRUE(value.at("names").sequence[i].quoted) << i;
  }
  EXPECT_EQ(value.at("nc").integer(), static_cast<long long>(wild_names.size()));
  EXPECT_EQ(value.at("path").text(), ".");
  EXPECT_EQ(value.at("val").text(), "images/val");
}

TEST(DescriptionText, HasNoRawControlCharacter) {
  const std::string text = description_text({}, wild_names, "a\nnote: \x1b[0m");
  for (const char c : text) EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
  EXPECT_EQ(text.find("\xC2\x85"), std::string::npos);
  EXPECT_EQ(text.find("\nnote:"), std::string::npos);
  EXPECT_EQ(
      description_text({}, {"a"}, {}, true),
      "path: .\nnc: 1\nnames:\n  - \"a\"\nkpt_shape: [0, 0]  # rows of more than five numbers "
      "are polygons\n");
  EXPECT_EQ(error_of([] { description_text({}, {"bad \xFF"}); }),
            "expected class names in UTF-8, found 'bad \\xff'");
}

class Layouts : public testing::Test {
 protected:
  ExportItem item(const std::string& place, int shade, double width) {
    write_gray(folder / place, 20, 20, shade);
    Label label;
    label.box = {0.5, 0.5, width, 0.5};
    return {folder / place, {label}};
  }
  test::TemporaryFolder folder;
};

TEST_F(Layouts, WrittenSetsReadBackTheSame) {
  std::vector<ExportSplit> splits{{"train", {item("a/1.png", 1, 0.25), item("a/2.jpg", 2, 0.5)}},
                                  {"val", {item("a/3.png", 3, 0.75)}}};
  splits[0].items[1].labels.clear();
  export_yolo(folder / "out", {"x"}, splits);
  const Description description = read_description(folder / "out/data.yaml");
  const Index train = read_index(description, "train", {}),
              val = read_index(description, "val", {});
  ASSERT_EQ(train.entries.size(), 2u);
  EXPECT_EQ(train.entries[0].picture, folder / "out/images/train/1.png");
  EXPECT_EQ(train.entries[0].labels[0].box, (CxcywhNormalized{0.5, 0.5, 0.25, 0.5}));
  EXPECT_EQ(train.empty, 1u);
  EXPECT_EQ(train.missing, 0u);
  ASSERT_EQ(val.label_count(), 1u);
  EXPECT_EQ(val.entries[0].labels[0].box.w, 0.75);
  EXPECT_TRUE(description.test.empty());
  const ExportSplit again = export_split(train);
  EXPECT_EQ(again.name, "train");
  EXPECT_EQ(again.items.size(), 2u);
}

TEST_F(Layouts, CollidingStemsAreMadeUnique) {
  const auto report = export_yolo(folder / "out", {"x"},
                                  {{"train",
                                    {item("a/1.png", 1, 0.25), item("b/1.png", 2, 0.5),
                                     item("b/1.jpg", 3, 0.75), item("b/1_2.png", 4, 1)}}});
  ASSERT_EQ(report.renamed.size(), 3u);
  EXPECT_EQ(report.renamed[0], std::pair(folder / "b/1.png", std::string("1_2.png")));
  EXPECT_EQ(report.renamed[1].second, "1_3.jpg");
  EXPECT_EQ(report.renamed[2].second, "1_2_2.png");
  EXPECT_EQ(test::read_text(folder / "out/labels/train/1_3.txt"), "0 0.5 0.5 0.75 0.5\n");
  EXPECT_EQ(test::read_text(folder / "out/images/train/1_2.png"),
            test::read_text(folder / "b/1.png"));
}

TEST_F(Layouts, WithoutValidationPicturesDataYamlSaysSo) {
  const auto report =
      export_yolo(folder / "out", {"x"}, {{"train", {item("a/1.png", 1, 0.25)}}, {"val", {}}});
  EXPECT_TRUE(report.val_is_train);
  EXPECT_EQ(read_description(folder / "out/data.yaml").val[0], folder / "out/images/train");
  EXPECT_TRUE(
      test::read_text(folder / "out/data.yaml").starts_with("# There are no validation images"));
}

TEST_F(Layouts, HardLinksShareTheFile) {
  export_yolo(folder / "out", {"x"}, {{"val", {item("a/1.png", 1, 0.25)}}}, true);
  EXPECT_TRUE(fs::equivalent(folder / "a/1.png", folder / "out/images/val/1.png"));
  export_yolo(folder / "copy", {"x"}, {{"val", {item("a/1.png", 1, 0.25)}}}, false);
  EXPECT_FALSE(fs::equivalent(folder / "a/1.png", folder / "copy/images/val/1.png"));
}

TEST_F(Layouts, AFolderIsBuiltWholeOrNotAtAll) {
  const fs::path out = folder / "new/out/";
  EXPECT_THROW(build_folder(out,
                            [](const fs::path& temporary) {
                              write_text(temporary / "half.txt", "half");
                              throw Error("the disk is full");
                            }),
               Error);
  EXPECT_TRUE(fs::is_empty(folder / "new"));
  build_folder(out, [](const fs::path& temporary) { write_text(temporary / "a.txt", "a"); });
  EXPECT_EQ(test::read_text(folder / "new/out/a.txt"), "a");
  fs::create_directories(folder / "empty");
  build_folder(folder / "empty",
               [](const fs::path& temporary) { write_text(temporary / "b.txt", "b"); });
  EXPECT_EQ(test::read_text(folder / "empty/b.txt"), "b");
}

TEST_F(Layouts, NothingIsOverwritten) {
  write_text(folder / "full/keep.txt", "keep");
  EXPECT_NE(error_of([&] {
              build_folder(folder / "full", [](const fs::path&) {});
            }).find("nothing is overwritten"),
            std::string::npos);
  EXPECT_NE(error_of([&] { require_empty(folder / "full/keep.txt"); }).find("found a file"),
            std::string::npos);
  // Something that appears while the folder is built is kept, too.
  EXPECT_NE(error_of([&] {
              build_folder(folder / "late",
                           [&](const fs::path&) { write_text(folder / "late/keep.txt", "keep"); });
            }),
            "no error");
  EXPECT_EQ(test::read_text(folder / "late/keep.txt"), "keep");
  EXPECT_EQ(test::read_text(folder / "full/keep.txt"), "keep");
}

}  // namespace
}  // namespace yolov7::dataset
