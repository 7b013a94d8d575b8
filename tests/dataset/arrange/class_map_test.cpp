// Classes of several sets under one list of names.
#include "dataset/arrange/class_map.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::dataset {
namespace {

using Names = std::vector<std::string>;
using Numbers = std::vector<std::vector<int>>;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ClassMap, OtherOrdersAreJoinedByName) {
  const ClassMap map = join_classes({{"a", {"cat", "dog"}}, {"b", {"dog", "bird", "cat"}}}, {});
  EXPECT_EQ(map.names, (Names{"cat", "dog", "bird"}));
  EXPECT_EQ(map.of, (Numbers{{0, 1}, {1, 2, 0}}));
}

TEST(ClassMap, ChangesRenameJoinAndDrop) {
  const ClassMap map = join_classes({{"a", {"cat", "kitten", "dog"}}, {"b", {"hound", "tree"}}},
                                    parse_class_changes({"kitten=cat", "hound = dog", "tree="}));
  EXPECT_EQ(map.names, (Names{"cat", "dog"}));
  EXPECT_EQ(map.of, (Numbers{{0, 0, 1}, {1, -1}}));
}

TEST(ClassMap, TheOrderMayBeSaid) {
  const ClassMap map = join_classes({{"a", {"cat", "dog"}}}, {}, {"dog", "cat"});
  EXPECT_EQ(map.names, (Names{"dog", "cat"}));
  EXPECT_EQ(map.of, (Numbers{{1, 0}}));
}

TEST(ClassMap, ConflictsNameBothSides) {
  const std::string spelling = test::error_of([] {
    join_classes({{"a", {"Traffic light"}}, {"b", {"traffic_light"}}}, {});
  });
  EXPECT_TRUE(has(spelling, "a has the class 'Traffic light' and b has 'traffic_light'"))
      << spelling;
  const auto kept = join_classes({{"a", {"Car"}}, {"b", {"car"}}}, {{"car", "car"}});
  EXPECT_EQ(kept.names.size(), 2u);
  const auto joined = join_classes({{"a", {"Car"}}, {"b", {"car"}}}, {{"car", "Car"}});
  EXPECT_EQ(joined.names, (Names{"Car"}));
  EXPECT_TRUE(has(test::error_of([] {
                    join_classes({{"a", {"cat"}}, {"b", {"0", "1"}}}, {});
                  }),
                  "b: expected names of classes to join them with those of a, found numbers"));
  EXPECT_TRUE(has(test::error_of([] {
                    join_classes({{"a", {"x", "y", "x"}}}, {});
                  }),
                  "found 'x' as class 0 and as class 2"));
}

TEST(ClassMap, UnknownNamesAreRefused) {
  const std::string unknown = test::error_of([] {
    join_classes({{"a", {"person"}}}, {{"persn", "man"}});
  });
  EXPECT_TRUE(has(unknown, "expected a class of a, found 'persn', did you mean 'person'?"))
      << unknown;
  EXPECT_TRUE(has(test::error_of([] {
                    join_classes({{"a", {"x", "y"}}}, {}, {"x"});
                  }),
                  "expected all classes, 'y' is missing"));
  EXPECT_TRUE(has(test::error_of([] {
                    join_classes({{"a", {"x"}}}, {{"x", ""}});
                  }),
                  "expected at least one class that stays"));
  EXPECT_TRUE(has(test::error_of([] { join_classes({{"a", {"x"}}}, {}, {"x", "x"}); }), "twice"));
}

TEST(ClassMap, ChangesAreParsed) {
  const auto changes = parse_class_changes({"a==b = c", " old one=", "x=y"});
  ASSERT_EQ(changes.size(), 3u);
  EXPECT_EQ(changes[0].from, "a=b");
  EXPECT_EQ(changes[0].to, "c");
  EXPECT_EQ(changes[1].from, "old one");
  EXPECT_EQ(changes[1].to, "");
  EXPECT_TRUE(has(test::error_of([] { parse_class_changes({"ab"}); }), "expected OLD=NEW"));
  EXPECT_TRUE(has(test::error_of([] { parse_class_changes({"=b"}); }), "expected OLD=NEW"));
  EXPECT_TRUE(has(test::error_of([] { parse_class_changes({"a=b", "a=c"}); }), "two of 'a'"));
}

TEST(ClassMap, ChangesMayStandInAFile) {
  const test::ScratchFolder scratch;
  const auto changes = parse_class_changes(
      {scratch.write("map.yaml", "old one: new\n\"a=b\": c\ngone:\n").string(), "x=y"});
  ASSERT_EQ(changes.size(), 4u);
  EXPECT_EQ(changes[0].from, "old one");
  EXPECT_EQ(changes[0].to, "new");
  EXPECT_EQ(changes[1].from, "a=b");
  EXPECT_EQ(changes[2].to, "");
  EXPECT_EQ(changes[3].to, "y");
  const std::string list = scratch.write("list.yaml", "- a\n").string();
  EXPECT_TRUE(has(test::error_of([&] { parse_class_changes({list}); }), "expected a mapping"));
}

}  // namespace
}  // namespace yolov7::dataset
