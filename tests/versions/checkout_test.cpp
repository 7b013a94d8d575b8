// Versions written as files again.
#include "versions/checkout.hpp"

#include "tests/versions/version_fixture.hpp"

namespace yolov7::versions {
namespace {

class Checkout : public VersionFixture {
 protected:
  CheckedOut take(const Digest& id, const std::string& folder, const std::string& format = {},
                  bool copy = false) {
    Store from = store();
    return checkout(from, id, {scratch / folder, format, copy, false, 2, {}});
  }
};

TEST_F(Checkout, GivesTheSameVersionAgain) {
  write_set();
  fs::remove(scratch / "data/labels/val/7.txt");
  scratch.write("data/labels/val/6.txt", "");
  scratch.write("data/labels/train/0.txt",
                "0 0,5 0.5 0.1 0.1\n1 0.1 0.2 0.1 0.30000000000000004\n");
  const Created made = commit();
  const CheckedOut out = take(made.entry.id, "out");
  EXPECT_EQ(out.images, 8u);
  EXPECT_EQ(out.labels, 7u);
  EXPECT_EQ(out.odd_rows, 1u);
  EXPECT_EQ(scratch.read("out/images/train/3.bmp"), bitmap(3));
  EXPECT_EQ(scratch.read("out/labels/train/0.txt"),
            "0 0,5 0.5 0.1 0.1\n1 0.1 0.2 0.1 0.30000000000000004\n");
  EXPECT_EQ(scratch.read("out/val.txt"), "./images/val/6.bmp\n./images/val/7.bmp\n");
  CreateOptions again = options("out");
  again.name = "again";
  EXPECT_EQ(create(again).entry.id, made.entry.id);
}

// Versions that `create` does not make: what they hold is at one path, or at that of a label file.
TEST_F(Checkout, TwoThingsAtOnePathAreRefused) {
  write_set();
  commit();
  const auto made = [&](const Item& one, const Item& other) {
    Store to = store();
    NewVersion version;
    version.name = "odd";
    version.content.items = {one, other};
    version.content.classes.classes.push_back({"cat", {}, {}, {}});
    bool already_there = false;
    return to.add(version, already_there).id;
  };
  const Digest image = sha256_digest(bitmap(0)), second = sha256_digest(bitmap(1)),
               rows = sha256_digest("yolo\n0 0.5 0.5 0.25 0.25\n");
  const Digest twice = made({"a.bmp", "train", image, {}}, {"a.bmp", "val", second, {}});
  EXPECT_NE(test::error_of([&] { take(twice, "out"); })
                .find("expected one image with one set of annotations at a.bmp, found two, of the "
                      "splits train and val"),
            std::string::npos);
  const Digest label =
      made({"images/a.bmp", "train", image, rows}, {"labels/a.txt", "train", second, {}});
  EXPECT_NE(test::error_of([&] { take(label, "out"); }).find("found the image labels/a.txt"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(scratch / "out"));
  Store from = store();
  EXPECT_EQ(test::read_text(from.objects().path_of(second)), bitmap(1));
}

TEST_F(Checkout, LabelsAreNoLinksAndCopiesNeither) {
  write_set();
  const Created made = commit();
  take(made.entry.id, "out");
  take(made.entry.id, "copies", {}, true);
  EXPECT_EQ(fs::hard_link_count(scratch / "out/labels/train/0.txt"), 1u);
  EXPECT_EQ(fs::hard_link_count(scratch / "copies/images/train/0.bmp"), 1u);
  scratch.write("copies/images/train/0.bmp", "changed");
  EXPECT_EQ(scratch.read("data/images/train/0.bmp"), bitmap(0));
}

TEST_F(Checkout, WritesOtherFormats) {
  write_set();
  const Created made = commit();
  const CheckedOut out = take(made.entry.id, "coco", "coco");
  ASSERT_TRUE(out.account.has_value());
  EXPECT_FALSE(fs::exists(scratch / "coco/.stage"));
  std::string json;
  for (const auto& entry : fs::recursive_directory_iterator(scratch / "coco"))
    if (entry.path().filename().string().find("train") != std::string::npos &&
        entry.path().extension() == ".json")
      json = test::read_text(entry.path());
  // Centre 0.5, side 0.25 of 16 pixels: from 6 to 10.
  EXPECT_NE(json.find("\"0.bmp\""), std::string::npos) << json;
  EXPECT_NE(json.find("\"dog\""), std::string::npos) << json;
  std::string flat;
  for (const char c : json)
    if (c != ' ' && c != '\n') flat += c;
  EXPECT_TRUE(flat.find("\"bbox\":[6.0,6.0,4.0,4.0]") != std::string::npos ||
              flat.find("\"bbox\":[6,6,4,4]") != std::string::npos)
      << json;
}

TEST_F(Checkout, NothingIsOverwrittenOrHalfWritten) {
  write_set();
  const Created made = commit();
  scratch.write("out/file", "");
  EXPECT_NE(test::error_of([&] { take(made.entry.id, "out"); }).find("nothing is overwritten"),
            std::string::npos);
  const fs::path object = store().objects().path_of(sha256_digest(bitmap(5)));
  fs::remove(object);
  EXPECT_NE(test::error_of([&] { take(made.entry.id, "new"); }).find("images/train/5.bmp"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(scratch / "new"));
  EXPECT_EQ(scratch.files(), 3u);  // data, store, out
}

// An object that was written into in place has other bytes under its name.
TEST_F(Checkout, ChangedObjectIsNeverHandedOut) {
  write_set();
  const Created made = commit();
  const fs::path image = scratch / "data/images/train/0.bmp";
  fs::permissions(image, fs::perms::owner_write, fs::perm_options::add);
  test::write_text(image, bitmap(99));  // the same inode as the object
  EXPECT_NE(test::error_of([&] { take(made.entry.id, "new"); }).find("is damaged or gone"),
            std::string::npos);
}

// The rule images → labels would lead out of the folder.
TEST_F(Checkout, LabelsOutsideOfTheFolderAreRefused) {
  scratch.write("flat/a.bmp", bitmap(1));
  scratch.write("flat/a.txt", row(0, 0.5));
  scratch.write("flat/data.yaml", "train: .\nval: .\nnames: [cat]\n");
  CreateOptions o = options("flat");
  const Created made = create(o);
  EXPECT_NE(test::error_of([&] { take(made.entry.id, "images/out"); }).find("outside"),
            std::string::npos);
  take(made.entry.id, "plain");
  EXPECT_EQ(scratch.read("plain/a.txt"), "0 0.5 0.5 0.25 0.25\n");
}

// a.bmp and a.png have one label file in this layout; here their annotations differ.
TEST_F(Checkout, SharedLabelFilesAreRefused) {
  write_set(2, 1);
  const Created made = commit();
  Store from = store();
  NewVersion version;
  version.name = "twins", version.author = "somebody";
  version.content = from.content(made.entry.id);
  Item twin = version.content.items[0];
  twin.path = "images/train/0.png";
  twin.annotations = version.content.items[1].annotations;
  version.content.items.insert(version.content.items.begin() + 1, twin);
  bool there = false;
  const Digest id = from.add(version, there).id;
  EXPECT_NE(test::error_of([&] { take(id, "out"); }).find("would share a label file"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(scratch / "out"));
}

TEST_F(Checkout, ObjectsOfOtherFormatsNeedOne) {
  scratch.write("coco/0.bmp", bitmap(0));
  scratch.write("coco/annotations.json",
                R"({"images":[{"id":7,"file_name":"0.bmp","width":16,"height":16}],)"
                R"("categories":[{"id":3,"name":"cat"}],"annotations":[{"id":1,"image_id":7,)"
                R"("category_id":3,"bbox":[2,4,8,4],"area":32,"iscrowd":0,"segmentation":[]}]})");
  CreateOptions o = options();
  o.source = scratch / "coco", o.from = "coco";
  const Created made = create(o);
  EXPECT_NE(test::error_of([&] { take(made.entry.id, "out"); }).find("another format"),
            std::string::npos);
  take(made.entry.id, "out", "yolo");
  EXPECT_TRUE(fs::exists(scratch / "out/data.yaml"));
}

}  // namespace
}  // namespace yolov7::versions
