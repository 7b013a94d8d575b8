// Three-way merges, worked by hand.
#include "versions/merge.hpp"

#include "tests/versions/version_fixture.hpp"
#include "versions/diff.hpp"

namespace yolov7::versions {
namespace {

std::vector<Shape> shapes(const std::string& rows) {
  return parse_annotations("yolo\n" + rows, 0, "test").shapes;
}

std::string rows_of(const MergedShapes& merged) {
  std::string rows;
  for (const Shape& shape : merged.shapes) rows += shape.row + "\n";
  return rows;
}

const std::string a = "0 0.2 0.2 0.2 0.2\n", b = "0 0.5 0.5 0.2 0.2\n", c = "1 0.8 0.8 0.2 0.2\n";
const std::string b_moved = "0 0.52 0.5 0.2 0.2\n", c_other = "0 0.8 0.8 0.2 0.2\n";

TEST(MergeShapes, ChangesOfOneSideAreTaken) {
  const MergedShapes merged = merge_shapes(shapes(a + b + c), shapes(a + b_moved + c),
                                           shapes(b + c_other), OnConflict::fail);
  EXPECT_TRUE(merged.conflicts.empty());
  EXPECT_EQ(rows_of(merged), b_moved + c_other);  // a is removed by theirs
  EXPECT_EQ(merged.from_ours, 1u);
  EXPECT_EQ(merged.from_theirs, 2u);
}

TEST(MergeShapes, TheSameChangeOfBothIsOne) {
  const MergedShapes merged =
      merge_shapes(shapes(a + b), shapes(b_moved + c), shapes(b_moved + c), OnConflict::fail);
  EXPECT_TRUE(merged.conflicts.empty());
  EXPECT_EQ(rows_of(merged), b_moved + c);
  EXPECT_EQ(merged.alike, 3u);  // removed, moved, added
}

// IoU of (0.2, 0.2) by 0.2 and the same moved by 0.004: 0.196 of 0.204, 0.96; by 0.05: 0.15 of
// 0.25.
TEST(MergeShapes, AdditionsOfOneObject) {
  const MergedShapes near =
      merge_shapes({}, shapes(a), shapes("0 0.204 0.2 0.2 0.2\n"), OnConflict::fail);
  EXPECT_TRUE(near.conflicts.empty());
  EXPECT_EQ(rows_of(near), a);
  EXPECT_EQ(near.alike, 1u);
  const std::string far = "0 0.25 0.2 0.2 0.2\n";
  const MergedShapes apart = merge_shapes({}, shapes(a), shapes(far), OnConflict::fail);
  ASSERT_EQ(apart.conflicts.size(), 1u);
  EXPECT_EQ(apart.conflicts[0].base, "");
  EXPECT_EQ(apart.conflicts[0].ours + "\n", a);
  EXPECT_EQ(apart.conflicts[0].theirs + "\n", far);
  EXPECT_EQ(rows_of(merge_shapes({}, shapes(a), shapes(far), OnConflict::theirs)), far);
  const MergedShapes others = merge_shapes({}, shapes(a), shapes(c), OnConflict::fail);
  EXPECT_EQ(rows_of(others), a + c);
}

// The first box of ours overlaps that of theirs by 0.15 of 0.25; the second one equals it.
TEST(MergeShapes, AnAdditionTakesTheBestPartner) {
  const std::string other = "0 0.25 0.2 0.2 0.2\n";
  const MergedShapes merged = merge_shapes({}, shapes(other + a), shapes(a), OnConflict::theirs);
  EXPECT_TRUE(merged.conflicts.empty());
  EXPECT_EQ(rows_of(merged), other + a);
  EXPECT_EQ(merged.from_ours, 1u);
  EXPECT_EQ(merged.alike, 1u);
  EXPECT_EQ(merged.from_theirs, 0u);
}

TEST(MergeShapes, DifferentChangesOfOneBoxAreAConflict) {
  const auto base = shapes(b), ours = shapes(b_moved), theirs = shapes("1 0.5 0.5 0.2 0.2\n");
  const MergedShapes merged = merge_shapes(base, ours, theirs, OnConflict::fail);
  ASSERT_EQ(merged.conflicts.size(), 1u);
  EXPECT_EQ(merged.conflicts[0].base + "\n", b);
  EXPECT_EQ(rows_of(merge_shapes(base, ours, theirs, OnConflict::ours)), b_moved);
  EXPECT_EQ(rows_of(merge_shapes(base, ours, theirs, OnConflict::theirs)), "1 0.5 0.5 0.2 0.2\n");
  const MergedShapes gone = merge_shapes(base, {}, theirs, OnConflict::ours);
  ASSERT_EQ(gone.conflicts.size(), 1u);
  EXPECT_EQ(gone.conflicts[0].ours, "");
  EXPECT_TRUE(gone.shapes.empty());
}

ClassList classes(const std::vector<std::string>& names) {
  ClassList list;
  for (const std::string& name : names) list.classes.push_back({name, {}, {}, {}});
  return list;
}
// Rows of one shape cannot be read as rows of another.
TEST(MergeClasses, AnotherShapeOfKeyPointsIsRefused) {
  ClassList with = classes({"cat"}), without = classes({"cat"});
  with.key_points = 17, with.key_point_values = 3;
  EXPECT_EQ(
      test::error_of([&] { merge_classes(without, without, with, OnConflict::ours); }),
      "merge: expected the same kpt_shape in all versions, found none (base), none (ours), 17 "
      "× 3 (theirs): change it in one version after the merge");
}

// Only the colour tells them apart, so the texts of the conflict have it.
TEST(MergeClasses, AConflictNamesThePropertyThatDiffers) {
  ClassList base = classes({"cat"}), ours = base, theirs = base;
  ours.classes[0].colour = "red", theirs.classes[0].colour = "blue";
  const MergedClasses merged = merge_classes(base, ours, theirs, OnConflict::theirs);
  ASSERT_EQ(merged.conflicts.size(), 1u);
  EXPECT_EQ(merged.conflicts[0].base, "cat");
  EXPECT_EQ(merged.conflicts[0].ours, "cat (colour red)");
  EXPECT_EQ(merged.conflicts[0].theirs, "cat (colour blue)");
  EXPECT_EQ(merged.classes.classes[0].colour, "blue");
}

std::vector<std::string> names(const ClassList& list) {
  std::vector<std::string> result;
  for (const auto& one : list.classes) result.push_back(one.name);
  return result;
}

TEST(MergeClasses, BothAddAndOneRenames) {
  const MergedClasses merged =
      merge_classes(classes({"cat", "dog"}), classes({"cat", "dog", "cow"}),
                    classes({"cat", "hound", "pig", "cow"}), OnConflict::fail);
  EXPECT_EQ(names(merged.classes), (std::vector<std::string>{"cat", "hound", "cow", "pig"}));
  EXPECT_EQ(merged.of_ours, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(merged.of_theirs, (std::vector<int>{0, 1, 3, 2}));
  EXPECT_TRUE(merged.conflicts.empty());
}

TEST(MergeClasses, TwoNewNamesForOneClassAreAConflict) {
  const MergedClasses merged =
      merge_classes(classes({"dog"}), classes({"hound"}), classes({"canine"}), OnConflict::theirs);
  ASSERT_EQ(merged.conflicts.size(), 1u);
  EXPECT_EQ(names(merged.classes), std::vector<std::string>{"canine"});
}

// Version 3 takes back what version 2 changed, so it has the content of version 1.
TEST(MergeAncestor, OfAContentThatCameBack) {
  Entry first, second, third;
  first.key = 1, second.key = 2, third.key = 3;
  first.id = third.id = sha256_digest("first");
  second.id = sha256_digest("second");
  second.parent = first.id, third.parent = second.id;
  const std::vector<Entry> history{first, second, third};
  EXPECT_EQ(common_ancestor(history, third, second), second.id);
  EXPECT_EQ(common_ancestor(history, second, third), second.id);
  EXPECT_EQ(common_ancestor(history, second, first), first.id);
}

// A bundle may bring a version before the one that it came from.
TEST(MergeAncestor, OfAParentThatCameLater) {
  Entry parent, ours, theirs;
  ours.key = 1, parent.key = 2, theirs.key = 3;
  parent.id = sha256_digest("parent");
  ours.id = sha256_digest("ours"), theirs.id = sha256_digest("theirs");
  ours.parent = theirs.parent = parent.id;
  EXPECT_EQ(common_ancestor({ours, parent, theirs}, ours, theirs), parent.id);
}

class MergeVersions : public VersionFixture {
 protected:
  /// Two copies of the data set that go on from version 1, each under a name of its own.
  void SetUp() override {
    write_set();
    write_set(6, 2, "theirs");
    commit();
    CreateOptions o = options("theirs");
    o.name = "theirs";
    create(o);  // the same id, so the same version
  }
  void commit_theirs() {
    CreateOptions o = options("theirs");
    o.name = "theirs";
    create(o);
  }
  Merged merged(OnConflict how = OnConflict::fail) {
    Store from = store();
    MergeOptions o;
    o.ours = "pets", o.theirs = "theirs", o.on_conflict = how, o.author = "somebody";
    return merge(from, o);
  }
  std::string labels(const Merged& done, const std::string& path) {
    Store from = store();
    for (const Item& item : from.content(done.entry->id).items)
      if (item.path == path) return item.annotations ? from.text(*item.annotations) : "none";
    return "no such image";
  }
};

TEST_F(MergeVersions, WorkOfTwoPeople) {
  scratch.write("data/labels/train/0.txt", row(0, 0.5) + row(1, 0.125));  // ours: one more
  scratch.write("theirs/labels/train/0.txt", row(1, 0.5));                // theirs: other class
  scratch.write("theirs/labels/train/1.txt", row(1, 0.25));               // theirs: elsewhere
  scratch.write("theirs/images/train/new.bmp", bitmap(80));               // theirs: new
  scratch.write("theirs/labels/train/new.txt", row(0, 0.5));
  fs::remove(scratch / "data/images/train/5.bmp");  // ours: removed
  fs::rename(scratch / "theirs/images/train/4.bmp", scratch / "theirs/images/val/4.bmp");
  fs::rename(scratch / "theirs/labels/train/4.txt", scratch / "theirs/labels/val/4.txt");
  commit();
  commit_theirs();
  const Merged done = merged();
  ASSERT_TRUE(done.entry.has_value());
  EXPECT_TRUE(done.conflicts.empty());
  EXPECT_EQ(labels(done, "images/train/0.bmp"),
            "yolo\n1 0.5 0.5 0.25 0.25\n1 0.125 0.5 0.25 0.25\n");
  EXPECT_EQ(labels(done, "images/train/1.bmp"), "yolo\n1 0.25 0.5 0.25 0.25\n");
  EXPECT_EQ(labels(done, "images/train/new.bmp"), "yolo\n0 0.5 0.5 0.25 0.25\n");
  EXPECT_EQ(labels(done, "images/train/5.bmp"), "no such image");
  EXPECT_EQ(labels(done, "images/train/4.bmp"), "no such image");
  EXPECT_NE(labels(done, "images/val/4.bmp"), "no such image");
  EXPECT_EQ(done.entry->boxes, 9u);  // 8 − 1 with image 5 + 1 in image 0 + 1 in the new one
  EXPECT_EQ(done.entry->parent, done.ours.id);
  EXPECT_EQ(done.entry->second_parent, done.theirs.id);
}

TEST_F(MergeVersions, ConflictsWriteNothingUnlessDecided) {
  scratch.write("data/labels/train/0.txt", row(1, 0.5));
  scratch.write("theirs/labels/train/0.txt", row(0, 0.55));
  commit();
  commit_theirs();
  const std::size_t before = store().history().size();
  const Merged failed = merged();
  EXPECT_FALSE(failed.entry.has_value());
  ASSERT_EQ(failed.conflicts.size(), 1u);
  EXPECT_EQ(failed.conflicts[0].path, "images/train/0.bmp");
  EXPECT_EQ(failed.conflicts[0].theirs, "0 0.55 0.5 0.25 0.25");
  EXPECT_EQ(store().history().size(), before);
  const Merged decided = merged(OnConflict::theirs);
  ASSERT_TRUE(decided.entry.has_value());
  EXPECT_EQ(decided.conflicts.size(), 1u);
  EXPECT_EQ(labels(decided, "images/train/0.bmp"), "yolo\n0 0.55 0.5 0.25 0.25\n");
}

// Rows have the numbers of the merged list.
TEST_F(MergeVersions, ClassesOfBothSides) {
  write_description("cat, dog, cow");
  scratch.write("data/labels/train/0.txt", row(2, 0.5));
  write_description("cat, dog, pig", "theirs");
  scratch.write("theirs/labels/train/1.txt", row(2, 0.5));
  commit();
  commit_theirs();
  const Merged done = merged();
  ASSERT_TRUE(done.entry.has_value());
  Store from = store();
  EXPECT_EQ(names(from.content(done.entry->id).classes),
            (std::vector<std::string>{"cat", "dog", "cow", "pig"}));
  EXPECT_EQ(labels(done, "images/train/0.bmp"), "yolo\n2 0.5 0.5 0.25 0.25\n");
  EXPECT_EQ(labels(done, "images/train/1.bmp"), "yolo\n3 0.5 0.5 0.25 0.25\n");
}

// The label file of the image is as it was, but its 1 means cat now.
TEST_F(MergeVersions, OtherMeaningOfARemovedImageIsAConflict) {
  write_description("dog, cat");
  fs::remove(scratch / "theirs/images/train/5.bmp");
  commit();
  commit_theirs();
  const Merged failed = merged();
  EXPECT_FALSE(failed.entry.has_value());
  ASSERT_EQ(failed.conflicts.size(), 1u);
  EXPECT_EQ(failed.conflicts[0].path, "images/train/5.bmp");
  EXPECT_EQ(failed.conflicts[0].what, "image");
  EXPECT_EQ(failed.conflicts[0].ours, "changed");
}

// Every label file of ours is another one, but means the same.
TEST_F(MergeVersions, OtherNumbersOfARemovedImageAreNoConflict) {
  write_description("cow, cat, dog");
  for (int i = 0; i < 8; ++i)
    scratch.write(
        fs::path("data/labels") / (i < 6 ? "train" : "val") / (std::to_string(i) + ".txt"),
        row(i % 2 + 1, 0.5));
  fs::remove(scratch / "theirs/images/train/5.bmp");
  commit();
  commit_theirs();
  const Merged done = merged();
  ASSERT_TRUE(done.entry.has_value());
  EXPECT_TRUE(done.conflicts.empty());
  EXPECT_EQ(done.entry->images, 7u);
  EXPECT_EQ(labels(done, "images/train/5.bmp"), "no such image");
  EXPECT_EQ(labels(done, "images/train/3.bmp"), "yolo\n2 0.5 0.5 0.25 0.25\n");
}

TEST_F(MergeVersions, StrangersNeedABase) {
  write_set(3, 2, "strange");
  scratch.write("strange/labels/train/0.txt", row(1, 0.75));
  CreateOptions o = options("strange");
  o.name = "strange";
  create(o);
  Store from = store();
  MergeOptions m;
  m.ours = "pets", m.theirs = "strange";
  EXPECT_NE(test::error_of([&] { merge(from, m); }).find("name one as the base"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::versions
