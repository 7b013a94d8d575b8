#include "dataset/formats/image_finder.hpp"

#include <gtest/gtest.h>

namespace yolov7::dataset {
namespace {

SourceTree tree_of(const std::vector<std::string>& images) {
  SourceTree tree;
  for (const std::string& image : images) tree.images.push_back({image, image});
  return tree;
}

struct Wanted {
  std::string written, image;
  FoundBy by;
};

TEST(ImageFinder, EachStepInItsOrder) {
  const SourceTree tree = tree_of(
      {"images/train/a.jpg", "images/val/a.jpg", "images/val/b.png", "x/C.JPG", "x/d e.f.jpg"});
  const ImageFinder finder(tree);
  const Wanted cases[] = {
      {"a.jpg", "images/train/a.jpg", FoundBy::path},  // below the folder that is given
      {"./a.jpg", "images/train/a.jpg", FoundBy::path},
      {"../val/a.jpg", "images/val/a.jpg", FoundBy::path},
      {"/Users/x/set/images/val/a.jpg", "images/val/a.jpg", FoundBy::end_of_path},
      {"data/images/val/b.png", "images/val/b.png", FoundBy::end_of_path},
      {"D:\\set\\val\\b.png", "images/val/b.png", FoundBy::name},
      {"https://host/bucket/images/val/b.png?sign=1", "images/val/b.png", FoundBy::end_of_path},
      {"b.jpg", "images/val/b.png", FoundBy::stem},
      {"b", "images/val/b.png", FoundBy::stem},
      {"d e.f.png", "x/d e.f.jpg", FoundBy::stem},
      {"c.jpg", "x/C.JPG", FoundBy::stem_ignoring_case}};
  for (const Wanted& one : cases) {
    const FoundImage found = finder.find(one.written, "ann/a.json", {"images/train"});
    ASSERT_TRUE(found.image) << one.written << ": " << found.fault;
    EXPECT_EQ(tree.images[*found.image].relative, one.image) << one.written;
    EXPECT_EQ(found.by, one.by) << one.written;
    EXPECT_EQ(found.note.empty(), one.by == FoundBy::path) << one.written;
  }
}

TEST(ImageFinder, NothingOutsideAndNoGuessBetweenTwo) {
  const SourceTree tree = tree_of({"p/a.jpg", "q/a.jpg"});
  const ImageFinder finder(tree);
  EXPECT_EQ(finder.find("a.jpg", "a.json").fault, "ambiguous image: p/a.jpg or q/a.jpg");
  // The one nearest to the annotation, and the one that is nearest to what is written.
  EXPECT_EQ(finder.find("a.jpg", "q/a.json").image, 1u);
  EXPECT_EQ(finder.find("/other/p/a.jpg", "q/a.json").image, 0u);
  for (const char* outside :
       {"../../etc/passwd", "/etc/passwd", "..", "", "/", "\\\\server\\share"})
    EXPECT_FALSE(finder.find(outside, "a.json").image) << outside;
}

TEST(ImageFinder, PathsOfUrlsAndOtherSystems) {
  EXPECT_EQ(plain_path("C:\\a\\b.jpg"), "/a/b.jpg");
  EXPECT_EQ(plain_path("s3://bucket/a/b.jpg"), "a/b.jpg");
  EXPECT_EQ(plain_path("a?b.jpg"), "a?b.jpg");
  EXPECT_EQ(percent_decoded("a%20b%2Fc%"), "a b/c%");
}

// The first folder that holds an image of the stem, whatever its ending.
TEST(ImageFinder, StemsInTheOrderOfTheFolders) {
  const SourceTree tree = tree_of({"far/a.jpg", "near/a.png"});
  const ImageFinder finder(tree);
  AnnotatedImage image;
  std::vector<Problem> notes;
  finder.assign_by_stem(image, "a", {"near", "far"}, notes);
  EXPECT_EQ(image.picture, 1u);
  EXPECT_TRUE(image.fault.empty()) << image.fault;
}

TEST(ImageFinder, TwoRecordsOfOneImage) {
  const SourceTree tree = tree_of({"a.jpg"});
  AnnotatedSet set;
  const auto add = [&](const std::string& file, bool guess, std::size_t objects) {
    AnnotatedImage image;
    image.written = "a.jpg";
    image.annotation = file;
    image.picture = 0;
    image.found_by_guess = guess;
    image.objects.resize(objects);
    set.images.push_back(image);
  };
  add("guess.json", true, 1);
  add("one.json", false, 2);
  add("two.json", false, 3);
  std::vector<Problem> notes;
  EXPECT_EQ(settle_claims(set, tree, notes), 1u);
  ASSERT_EQ(set.images.size(), 2u);
  EXPECT_EQ(set.images[0].fault, "its image a.jpg already belongs to one.json");
  EXPECT_EQ(set.images[1].objects.size(), 5u);
  EXPECT_EQ(notes.size(), 1u);
}

}  // namespace
}  // namespace yolov7::dataset
