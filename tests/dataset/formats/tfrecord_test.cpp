// TFRecord: bytes by hand, there and back, damage. tests/dataset/tfrecord_peer.py has TensorFlow.
#include "dataset/formats/tfrecord.hpp"

#include "core/protobuf.hpp"
#include "core/record_file.hpp"
#include "dataset/formats/format_table.hpp"
#include "tests/dataset/formats/format_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;

class TfRecord : public test::FormatFiles {
 protected:
  void SetUp() override { options.read.unpack_folder = folder / "unpacked"; }
  /// "\n" + length + content: a field 1 with bytes under 128.
  static std::string field(int number, const std::string& content) {
    return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(content.size()) +
           content;
  }
  static std::string entry(const std::string& name, int kind, const std::string& list) {
    return field(1, field(1, name) + field(2, field(kind, list)));
  }
  void write_coco() {
    image("images/train/a.png");
    image("images/val/b.png");
    file("annotations/instances_train.json", R"({"images": [{"id": 5, "file_name": "a.png"}],
"annotations": [{"id": 1, "image_id": 5, "category_id": 2, "bbox": [10, 5, 20, 30], "iscrowd": 1},
{"id": 2, "image_id": 5, "category_id": 1, "bbox": [50.5, 10.25, 20, 20],
 "attributes": {"difficult": true, "truncated": true, "occluded": true}}],
"categories": [{"id": 1, "name": "x"}, {"id": 2, "name": "it's \\ y"}]})");
    file("annotations/instances_val.json", R"({"images": [{"id": 5, "file_name": "b.png"}],
"annotations": [], "categories": []})");
  }
};

// tf.train.Example { features { feature { key, value { bytes_list | float_list | int64_list }}}}.
TEST_F(TfRecord, ExampleByHand) {
  const std::string bytes =
      field(1, entry("a", 1, field(1, "xyz") + field(1, "")) +
                   entry("b", 2, field(1, std::string("\x00\x00\x80\x3f\x00\x00\x00\x40", 8))) +
                   entry("c", 3, field(1, std::string("\x07\x96\x01"))));
  const TfExample example = parse_example(bytes);
  EXPECT_EQ(example.at("a").texts, (std::vector<std::string_view>{"xyz", ""}));
  EXPECT_EQ(example.at("b").reals, (std::vector<float>{1, 2}));
  EXPECT_EQ(example.at("c").integers, (std::vector<std::int64_t>{7, 150}));
  EXPECT_NE(test::error_of([&] { parse_example(bytes.substr(0, bytes.size() - 1)); }), "no error");
}

TEST_F(TfRecord, ThereAndBack) {
  write_coco();
  ConvertOptions convert_options;
  convert_options.source = source;
  convert_options.out = folder / "out";
  convert_options.to = "tfrecord";
  const Conversion out = convert(convert_options);
  EXPECT_TRUE(std::any_of(out.losses.begin(), out.losses.end(),
                          [](const ConversionLoss& loss) { return loss.what == "occluded"; }));
  EXPECT_EQ(test::read_text(folder / "out/label_map.pbtxt"),
            "item {\n  id: 1\n  name: 'x'\n}\nitem {\n  id: 2\n  name: 'it\\'s \\\\ y'\n}\n");
  source = folder / "out";
  const AnnotatedSet set = read("auto");
  EXPECT_EQ(account.from, "tfrecord");
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"x", "it's \\ y"}));
  ASSERT_EQ(set.images.size(), 2u) << said();
  EXPECT_EQ(set.images[0].split, "train");
  EXPECT_EQ(set.images[1].split, "val");
  EXPECT_EQ(set.images[0].file.filename(), "a.png");
  EXPECT_EQ(test::read_text(set.images[0].file),
            test::read_text(folder / "source/images/train/a.png"));
  const auto& objects = set.images[0].objects;
  ASSERT_EQ(objects.size(), 2u) << said();
  // Fractions as float32: 2^-24 of 100 px.
  EXPECT_NEAR(objects[0].box.x2, 30, 6e-6);
  EXPECT_TRUE(objects[0].crowd);
  EXPECT_NEAR(objects[1].box.y1, 10.25, 6e-6);
  EXPECT_TRUE(objects[1].difficult);
  EXPECT_TRUE(objects[1].truncated);
  EXPECT_EQ(set.images[1].state, ImageState::empty_on_purpose);
}

TEST_F(TfRecord, ConvertingFromRecordsLeavesNoImagesBehind) {
  write_coco();
  ConvertOptions there, back;
  there.source = source;
  there.out = folder / "out";
  there.to = "tfrecord";
  convert(there);
  back.source = folder / "out";
  back.out = folder / "yolo";
  EXPECT_EQ(convert(back).pictures.out, 2u);
  EXPECT_TRUE(fs::exists(folder / "yolo/images/train/a.png"));
  for (const auto& entry : fs::directory_iterator(folder.path()))
    EXPECT_EQ(entry.path().filename().string().find("unpacked"), std::string::npos) << entry.path();
}

TEST_F(TfRecord, NamesInRecordsLeadNowhere) {
  TfExample example;
  const std::string image = "\xFF\xD8";
  example["image/encoded"].texts = {image};
  for (const auto& [written, expected] :
       {std::pair("../../a.jpg", "a.jpg"), std::pair("/etc/a", "a.jpg"), std::pair("..", "__.jpg"),
        std::pair("C:\\x\\b.png", "b.png"), std::pair("", "000003.jpg")}) {
    example["image/filename"].texts = {written};
    const fs::path place = unpacked_place("t.tfrecord", 3, example);
    EXPECT_EQ(place.parent_path(), "t.tfrecord/000003") << written;
    EXPECT_EQ(place.lexically_normal(), place) << written;
    EXPECT_EQ(place.filename(), expected) << written;
  }
}

TEST_F(TfRecord, DamageIsNamedWithItsPlace) {
  write_coco();
  ConvertOptions there;
  there.source = source;
  there.out = folder / "out";
  there.to = "tfrecord";
  convert(there);
  source = folder / "out";
  const std::string whole = test::read_text(source / "train.tfrecord");
  test::write_text(source / "train.tfrecord", whole.substr(0, whole.size() - 5));
  EXPECT_NE(fault("tfrecord").find("train.tfrecord: record 0 at byte 0: expected"),
            std::string::npos)
      << fault("tfrecord");
  std::string changed = whole;
  changed[40] = static_cast<char>(changed[40] ^ 4);
  test::write_text(source / "train.tfrecord", changed);
  EXPECT_NE(fault("tfrecord").find("the checksum of its data does not fit"), std::string::npos);
  test::write_text(source / "train.tfrecord", framed_record("\x0a\x7fno message"));
  EXPECT_NE(fault("tfrecord").find("train.tfrecord: field 1 has 127 bytes, but 10 are left"),
            std::string::npos)
      << fault("tfrecord");
}

TEST_F(TfRecord, EdgesThatDoNotBelongTogether) {
  const std::string one(std::string("\x00\x00\x00\x3f", 4));  // 0.5
  const std::string example = field(1, entry("image/object/bbox/xmin", 2, field(1, one)));
  file("a.tfrecord", framed_record(example));
  EXPECT_NE(fault("tfrecord")
                .find("record 0: expected 1 numbers in image/object/bbox/ymin, as in "
                      "the other edges, found 0"),
            std::string::npos)
      << fault("tfrecord");
}

TEST(LabelMap, TextsByHand) {
  const auto names = parse_label_map(
      "# names\nitem {\n  name: \"a b\"\n  id: 2\n}\nitem: { id: 10 display_name: 'c\\'d' }", "m");
  EXPECT_EQ(names, (std::map<std::int64_t, std::string>{{2, "a b"}, {10, "c'd"}}));
  const auto fault = [](const char* text) {
    return test::error_of([&] { parse_label_map(text, "m.pbtxt"); });
  };
  EXPECT_EQ(fault("item {\n id: x name: 'a' }"), "m.pbtxt:2: expected a whole number, found 'x'");
  EXPECT_EQ(fault("item { id: 1 name: 'a' } item { id: 1 name: 'b' }"),
            "m.pbtxt:1: expected each id once, found 'id 1 twice'");
  EXPECT_EQ(fault("item { id: 1 name: 'a"), "m.pbtxt:1: expected a closing quote, found the end");
  EXPECT_EQ(fault("items"), "m.pbtxt:1: expected item, found 'items'");
  EXPECT_EQ(fault("item { id: 1"), "m.pbtxt:1: expected }, found the end");
}

}  // namespace
}  // namespace yolov7::dataset
