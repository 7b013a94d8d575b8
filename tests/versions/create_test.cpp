// Versions of a folder: what is in them, that nothing is copied, and that equal content has one id.
#include "versions/create.hpp"

#include <sys/stat.h>

#include "core/sha256.hpp"
#include "tests/versions/version_fixture.hpp"

namespace yolov7::versions {
namespace {

using Create = VersionFixture;

TEST_F(Create, FirstVersionHoldsEverything) {
  write_set();
  fs::remove(scratch / "data/labels/val/7.txt");
  scratch.write("data/labels/val/6.txt", "");
  const Created made = commit();
  EXPECT_FALSE(made.already_there);
  EXPECT_EQ(made.entry.name, "pets");
  EXPECT_EQ(made.entry.number, 1);
  EXPECT_EQ(made.entry.images, 8u);
  EXPECT_EQ(made.entry.boxes, 6u);
  EXPECT_EQ(made.entry.not_annotated, 1u);
  EXPECT_FALSE(made.entry.parent.has_value());
  Store store = this->store();
  const Content content = store.content(made.entry.id);
  ASSERT_EQ(content.items.size(), 8u);
  EXPECT_EQ(content.items[0].path, "images/train/0.bmp");
  EXPECT_EQ(content.items[0].split, "train");
  EXPECT_EQ(hex(content.items[0].image), sha256(bitmap(0)));
  EXPECT_EQ(store.text(*content.items[0].annotations), "yolo\n0 0.5 0.5 0.25 0.25\n");
  EXPECT_EQ(store.text(*content.items[6].annotations), "yolo\n");
  EXPECT_FALSE(content.items[7].annotations.has_value());
  EXPECT_EQ(store.content(made.entry.id).classes.classes[1].name, "dog");
}

// Links, no copies: the object and the image are one file, which nobody writes into.
TEST_F(Create, NothingIsCopied) {
  write_set();
  const Created made = commit();
  EXPECT_EQ(made.snapshot.bytes_copied, 0u);
  EXPECT_EQ(made.snapshot.bytes_shared, 8 * bitmap(0).size());
  struct stat image {
  }, object{};
  ASSERT_EQ(::stat((scratch / "data/images/train/0.bmp").c_str(), &image), 0);
  ASSERT_EQ(::stat(store().objects().path_of(sha256_digest(bitmap(0))).c_str(), &object), 0);
  const auto links = made.snapshot.by_transfer[static_cast<std::size_t>(Transfer::hard_link)];
  const auto reflinks = made.snapshot.by_transfer[static_cast<std::size_t>(Transfer::reflink)];
  EXPECT_EQ(links + reflinks, 8u);
  EXPECT_EQ(links == 8, image.st_ino == object.st_ino);
  EXPECT_EQ(object.st_mode & 0222, 0u);
}

TEST_F(Create, SameContentHasTheSameIdElsewhere) {
  write_set();
  write_set(6, 2, "elsewhere/copy");
  const std::string text = scratch.read("elsewhere/copy/labels/train/0.txt");
  scratch.write("elsewhere/copy/labels/train/0.txt", "\r\n0  5e-1 0.50 .25 2.5e-1\r\n");
  const Created one = commit();
  CreateOptions other = options("elsewhere/copy");
  other.store = scratch / "second store";
  other.name = "other-name";
  other.message = "another message", other.author = "another one";
  EXPECT_EQ(hex(create(other).entry.id), hex(one.entry.id));
}

TEST_F(Create, SecondTimeNothingIsReadAndNothingIsNew) {
  write_set();
  const Created first = commit();
  make_old();
  const Created again = commit();  // the times of hard links have changed by now
  EXPECT_TRUE(again.already_there);
  const Created third = commit();
  EXPECT_TRUE(third.already_there);
  EXPECT_EQ(third.snapshot.images_read, 0u);
  EXPECT_EQ(third.snapshot.labels_read, 0u);
  EXPECT_EQ(third.entry.key, first.entry.key);
  EXPECT_EQ(store().history().size(), 1u);
}

TEST_F(Create, ChangedLabelIsTheOneThatIsRead) {
  write_set();
  const Created first = commit();
  commit();
  scratch.write("data/labels/train/3.txt", row(1, 0.25));
  const Created second = commit();
  EXPECT_FALSE(second.already_there);
  EXPECT_EQ(second.entry.number, 2);
  EXPECT_EQ(second.entry.parent, first.entry.id);
  EXPECT_EQ(second.snapshot.images_read, 0u);
  EXPECT_EQ(second.snapshot.labels_read, 1u);
}

// Each part of the content counts.
TEST_F(Create, AnyChangeGivesAnotherId) {
  write_set();
  const Digest first = commit().entry.id;
  write_description("cat, hound");
  const Digest renamed = commit().entry.id;
  EXPECT_NE(renamed, first);
  write_description("cat, dog");
  EXPECT_EQ(commit().entry.id, first);  // back again: a third entry of the history
  EXPECT_EQ(store().history().size(), 3u);
  fs::rename(scratch / "data/images/train/0.bmp", scratch / "data/images/val/0.bmp");
  fs::rename(scratch / "data/labels/train/0.txt", scratch / "data/labels/val/0.txt");
  EXPECT_NE(commit().entry.id, first);
}

TEST_F(Create, EqualImagesAreOneObject) {
  write_set();
  scratch.write("data/images/train/again.bmp", bitmap(0));
  const Created made = commit();
  EXPECT_EQ(made.entry.images, 9u);
  std::vector<fs::path> others;
  EXPECT_EQ(store().objects().list(others).size(), 8u);
  EXPECT_TRUE(others.empty());
}

TEST_F(Create, WhatIsLeftOutIsNamed) {
  write_set();
  scratch.write("data/list.txt", "./images/train/0.bmp\n./images/train/none.bmp\n");
  scratch.write("data/data.yaml", "train: list.txt\nval: images/val\nnames: [cat, dog]\n");
  scratch.write("data/labels/train/0.txt", "0 0,5 0.5 0.1 0.1\n");
  const Created made = commit();
  EXPECT_EQ(made.entry.images, 3u);
  ASSERT_EQ(made.snapshot.left_out.size(), 1u);
  EXPECT_NE(made.snapshot.left_out[0].find("none.bmp: no such file"), std::string::npos);
  EXPECT_EQ(made.snapshot.odd_rows, 1u);
  EXPECT_NE(made.snapshot.odd_files.at(0).find("labels/train/0.txt"), std::string::npos);
}

// Two folders with an image of one name that a version could not tell apart.
TEST_F(Create, TwoImagesForOnePathAreAnError) {
  write_set();
  scratch.write("images/train/0.bmp", bitmap(77));
  scratch.write("data/data.yaml",
                "train: [images/train, ../images/train]\nval: images/val\nnames: [cat, dog]\n");
  EXPECT_NE(test::error_of([&] { commit(); }).find("expected a path of its own for each image"),
            std::string::npos);
}

TEST_F(Create, OtherFormatsComeInWithAllTheyHave) {
  scratch.write("coco/0.bmp", bitmap(0));
  scratch.write("coco/annotations.json",
                R"({"images":[{"id":7,"file_name":"0.bmp","width":16,"height":16}],)"
                R"("categories":[{"id":3,"name":"cat","supercategory":"animal"}],"annotations":)"
                R"([{"id":1,"image_id":7,"category_id":3,"bbox":[2,4,8,4],"area":32,"iscrowd":1,)"
                R"("segmentation":[]}]})");
  CreateOptions o = options();
  o.source = scratch / "coco";
  o.from = "coco";
  const Created made = create(o);
  EXPECT_EQ(made.entry.boxes, 1u);
  ASSERT_TRUE(made.account.has_value());
  Store store = this->store();
  const Content content = store.content(made.entry.id);
  EXPECT_EQ(content.items.at(0).path, "0.bmp");
  EXPECT_EQ(content.classes.classes.at(0).supercategory, "animal");
  const std::string text = store.text(*content.items[0].annotations);
  EXPECT_NE(text.find("\"box\":[2.0,4.0,10.0,8.0]"), std::string::npos) << text;
  EXPECT_NE(text.find("\"crowd\":true"), std::string::npos) << text;
}

TEST_F(Create, NamesOfVersions) {
  write_set();
  const Created first = commit();
  scratch.write("data/labels/train/3.txt", row(1, 0.25));
  const Created second = commit();
  Store store = this->store();
  EXPECT_EQ(store.find("pets").id, second.entry.id);
  EXPECT_EQ(store.find("pets@v1").id, first.entry.id);
  EXPECT_EQ(store.find("pets@" + hex(first.entry.id)).id, first.entry.id);
  EXPECT_EQ(store.find("pets@" + hex(first.entry.id).substr(0, 12)).id, first.entry.id);
  EXPECT_EQ(store.find(hex(second.entry.id).substr(0, 12)).id, second.entry.id);
  EXPECT_NE(test::error_of([&] { store.find("pet@v1"); }).find("did you mean 'pets'"),
            std::string::npos);
  EXPECT_NE(test::error_of([&] { store.find("pets@v9"); }).find("which is none"),
            std::string::npos);
  EXPECT_NE(test::error_of([&] { store.find("pets@abc"); }).find("which is none"),
            std::string::npos);
  CreateOptions bad = options();
  bad.name = "a@b";
  EXPECT_NE(test::error_of([&] { create(bad); }).find("expected a name of a data set"),
            std::string::npos);
}

// A store whose object was damaged gets the good bytes again from an image that has them.
TEST_F(Create, DamagedObjectIsReplacedByTheNextImageOfItsContent) {
  write_set();
  commit();
  const fs::path object = store().objects().path_of(sha256_digest(bitmap(0)));
  fs::remove(object);
  test::write_text(object, "something else");
  fs::remove(scratch / "data/images/train/0.bmp");
  scratch.write("data/images/train/0.bmp", bitmap(0));
  commit();
  EXPECT_EQ(test::read_text(object), bitmap(0));
}

}  // namespace
}  // namespace yolov7::versions
