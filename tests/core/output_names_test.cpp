#include "core/output_names.hpp"

#include <gtest/gtest.h>

namespace yolov7 {
namespace {

namespace fs = std::filesystem;
using Paths = std::vector<fs::path>;
using Ids = std::vector<std::string>;

TEST(OutputNames, TheFirstKeepsItsName) {
  OutputNames names;
  EXPECT_EQ(names.take("a"), "a");
  EXPECT_EQ(names.take("a"), "a_2");
  EXPECT_EQ(names.take("a_2"), "a_2_2") << "taken by the second a";
  EXPECT_EQ(names.take("a"), "a_3");
  EXPECT_EQ(names.take("sub/a"), "sub/a");
  EXPECT_EQ(names.take("A"), "A");
}

TEST(OutputNames, ASuffixStaysAtTheEnd) {
  OutputNames names;
  EXPECT_EQ(names.take("x/film", Results::one, ".mp4"), "x/film.mp4");
  EXPECT_EQ(names.take("x/film", Results::one, ".mp4"), "x/film_2.mp4");
  EXPECT_EQ(names.take("x/film", Results::one, ".jpg"), "x/film.jpg");
}

TEST(OutputNames, FramesAndImagesAreToldApart) {
  OutputNames names;
  EXPECT_EQ(names.take("clip_1"), "clip_1");
  EXPECT_EQ(names.take("clip", Results::numbered), "clip_2") << "clip_1 would be its first frame";
  EXPECT_EQ(names.take("clip_2_7"), "clip_2_7_2") << "a frame of clip_2";
  EXPECT_EQ(names.take("clip"), "clip") << "frames have a number behind it";
  EXPECT_EQ(names.take("clip_007"), "clip_007") << "no frame is called so";
  EXPECT_EQ(names.take("clip_x"), "clip_x");
  EXPECT_EQ(names.take("other", Results::numbered), "other");
  EXPECT_EQ(names.take("other", Results::numbered), "other_2");
}

TEST(OutputNames, CommonFolder) {
  EXPECT_EQ(common_folder({}), "");
  EXPECT_EQ(common_folder(Paths{"/a/b/"}), "/a/b");
  EXPECT_EQ(common_folder(Paths{"/a/b/c", "/a/bd", "/a/b/../b"}), "/a");
  EXPECT_EQ(common_folder(Paths{"/a", "/b"}), "/");
  EXPECT_EQ(below("/a", "/a/b/c"), "b/c");
  EXPECT_EQ(below("/a", "/a/"), "");
  EXPECT_EQ(below(common_folder(Paths{"x", "x/y"}), "x/y"), "y");
}

TEST(OutputNames, StemsKeepFoldersWhereTheyAreNeeded) {
  EXPECT_EQ(result_stems(Paths{"/d/a/1.jpg", "/d/b/2.jpg"}), (Paths{"1", "2"}));
  EXPECT_EQ(result_stems(Paths{"/d/a/1.jpg", "/d/b/1.png", "/d/b/2.jpg"}),
            (Paths{"a/1", "b/1", "b/2"}));
  EXPECT_EQ(result_stems(Paths{"/d/1.jpg", "/d/1.png"}), (Paths{"1", "1_2"}));
  EXPECT_EQ(result_stems(Paths{"/d/1.jpg", "/d/s/1.jpg", "/d/s/1.png"}),
            (Paths{"1", "s/1", "s/1_2"}));
}

ImageIds ids_of(const Paths& images, const Paths& videos = {}) {
  std::vector<IdSource> sources;
  for (const fs::path& one : images) sources.push_back({one, Results::one});
  for (const fs::path& one : videos) sources.push_back({one, Results::numbered});
  return image_ids(sources);
}

TEST(ImageIds, StemsWhereTheyDiffer) {
  const ImageIds ids = ids_of({"a/000042.jpg", "a/b7.png", "a/\"x\".jpg"}, {"a/7.mp4"});
  EXPECT_EQ(ids.ids, (Ids{"42", "\"b7\"", "\"\\\"x\\\"\"", "7"}));
  EXPECT_FALSE(ids.shared);
  EXPECT_EQ(frame_image_id(ids.ids[3], 12), "\"7_12\"");
}

TEST(ImageIds, NumbersWhereTwoAreEqual) {
  const auto shared = [](const ImageIds& ids) {
    return ids.shared.value_or(std::pair<std::size_t, std::size_t>(99, 99));
  };
  const ImageIds folders = ids_of({"d/a/1.jpg", "d/b/2.jpg", "d/b/001.jpg"});
  EXPECT_EQ(folders.ids, (Ids{"1", "2", "3"}));
  EXPECT_EQ(shared(folders), std::pair(std::size_t{0}, std::size_t{2}))
      << "1 and 001 are one number";
  EXPECT_EQ(ids_of({"a/x.jpg", "b/x.jpg"}).ids, (Ids{"1", "2"}));
  EXPECT_EQ(ids_of({}, {"a/x.mp4", "b/x.mp4"}).ids, (Ids{"1", "2"}));
  const ImageIds frames = ids_of({"a/y.jpg", "a/x_3.jpg"}, {"b/x.mp4"});
  EXPECT_EQ(frames.ids, (Ids{"1", "2", "3"}));
  EXPECT_EQ(shared(frames), std::pair(std::size_t{1}, std::size_t{2}));
}

}  // namespace
}  // namespace yolov7
