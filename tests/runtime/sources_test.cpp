#include "runtime/frames/sources.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/error.hpp"
#include "runtime/frames/frames.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::runtime;
namespace fs = std::filesystem;

namespace {

class Sources : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name :
         {"b.JPG", "a.png", "c.txt", ".hidden.jpg", "._a.png", "film.MP4", "no suffix",
          "sub/d.jpeg", "sub/a.png", "sub/deep/e.bmp", "sub/.git/f.jpg", "x[1]*.png", "ä.png"})
      touch(name);
  }

  void touch(const std::string& name) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << "x";
  }
  std::vector<std::string> list(const std::string& source) {
    std::vector<std::string> out;
    for (const SourcePicture& picture : list_sources((root_ / source).string()).pictures) {
      EXPECT_TRUE(fs::exists(picture.path)) << picture.path;
      out.push_back(picture.relative.string());
    }
    return out;
  }
  std::string error(const std::string& source) {
    try {
      list_sources(source);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  test::ScratchFolder folder_;
  const fs::path& root_ = folder_.path();
};

using Names = std::vector<std::string>;

}  // namespace

TEST_F(Sources, AFolderIsNotRecursiveAndSorted) {
  EXPECT_EQ(list(""), (Names{"a.png", "b.JPG", "x[1]*.png", "ä.png"}));
  const auto videos = list_sources(root_.string()).videos;
  ASSERT_EQ(videos.size(), 1u);
  EXPECT_EQ(videos[0].source, (root_ / "film.MP4").string());
  EXPECT_EQ(videos[0].relative, "film.mp4");
}

TEST_F(Sources, OtherKindsAreTakenAndNotLeftOutSilently) {
  for (const char* name : {"p.heic", "q.CR2", "r.svg", "s.gif", "t.webm", "u.txt.bak"}) touch(name);
  EXPECT_EQ(list(""), (Names{"a.png", "b.JPG", "p.heic", "q.CR2", "r.svg", "x[1]*.png", "ä.png"}));
  const auto videos = list_sources(root_.string()).videos;
  ASSERT_EQ(videos.size(), 3u) << "an animation is a video";
  EXPECT_EQ(videos[1].relative, "s.mp4");
  EXPECT_EQ(videos[2].relative, "t.mp4");
}

TEST_F(Sources, PipesAndDevicesDoNotHang) {
  ASSERT_EQ(mkfifo((root_ / "pipe.jpg").c_str(), 0600), 0);
  EXPECT_NE(error((root_ / "pipe.jpg").string()).find("found a named pipe"), std::string::npos);
  EXPECT_NE(error("/dev/null").find("found a device"), std::string::npos) << error("/dev/null");
  // In a folder it is taken by its name, and reading it is that one's error.
  EXPECT_EQ(list("pipe*"), Names{"pipe.jpg"});
  const auto frames = picture_frames(list_sources((root_ / "pipe*").string()).pictures, {});
  Frame frame;
  ASSERT_TRUE(frames->next(frame));
  frames->load(frame);
  EXPECT_NE(frame.error.find("pipe.jpg: expected a file, found a named pipe"), std::string::npos)
      << frame.error;
}

TEST_F(Sources, OneFile) {
  EXPECT_EQ(list("b.JPG"), (Names{"b.JPG"}));
  EXPECT_EQ(list(".hidden.jpg"), (Names{".hidden.jpg"})) << "named by the user";
}

TEST_F(Sources, Patterns) {
  EXPECT_EQ(list("*.png"), (Names{"a.png", "x[1]*.png", "ä.png"}));
  EXPECT_EQ(list("?.png"), (Names{"a.png", "ä.png"})) << "? is one character, also of two bytes";
  EXPECT_EQ(list("*/a*"), (Names{"sub/a.png"}));
  EXPECT_EQ(list("**/*.png"), (Names{"a.png", "sub/a.png", "x[1]*.png", "ä.png"}));
  EXPECT_EQ(list("sub/**/*"), (Names{"a.png", "d.jpeg", "deep/e.bmp"}))
      << "relative to the fixed part; hidden folders left out";
  EXPECT_EQ(list("**"), (Names{"a.png", "b.JPG", "sub/a.png", "sub/d.jpeg", "sub/deep/e.bmp",
                               "x[1]*.png", "ä.png"}));
  EXPECT_EQ(list("**/**/e.*"), (Names{"sub/deep/e.bmp"})) << "once, although two ways lead there";
}

TEST_F(Sources, AnExistingNameIsTakenLiterally) {
  EXPECT_EQ(list("x[1]*.png"), (Names{"x[1]*.png"}));
}

TEST_F(Sources, LinksToFoldersEndNoWhere) {
  fs::create_directory_symlink(root_, root_ / "sub" / "loop");
  EXPECT_EQ(list("**/e.bmp"), (Names{"sub/deep/e.bmp"}));
}

TEST_F(Sources, ALinkToItselfIsTheErrorOfThatOne) {
  fs::create_symlink("loop.png", root_ / "loop.png");
  for (const char* pattern : {"l*.png", "**/l*.png"}) {
    const auto pictures = list_sources((root_ / pattern).string()).pictures;
    ASSERT_EQ(pictures.size(), 1u) << pattern;
    const auto frames = picture_frames(pictures, {});
    Frame frame;
    ASSERT_TRUE(frames->next(frame));
    frames->load(frame);
    EXPECT_NE(frame.error.find("loop.png: cannot open"), std::string::npos) << frame.error;
  }
}

TEST_F(Sources, NothingFoundListsTheSuffixes) {
  for (const std::string& source : {(root_ / "c.txt").string() + "x*",
                                    (root_ / "no suffix").string(), (root_ / "*.xyz").string()}) {
    const std::string text = error(source);
    EXPECT_NE(text.find("bmp, jpg, jpeg, png, tif, tiff, dng, webp, mpo"), std::string::npos)
        << text;
    EXPECT_NE(text.find(source), std::string::npos) << text;
  }
  try {
    list_pictures((root_ / "film.MP4").string());
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("no image found"), std::string::npos) << e.what();
  }
}

TEST_F(Sources, CamerasStreamsAndAddresses) {
  const auto stream = [](const char* source) { return list_sources(source).streams.at(0); };
  EXPECT_EQ(stream("0").source, "/dev/video0");
  EXPECT_EQ(stream("12").origin, VideoOrigin::camera);
  EXPECT_EQ(stream("12").relative, "camera12.mp4");
  EXPECT_EQ(stream("RTSP://host/1").origin, VideoOrigin::address);
  // The specification's characters, and both slashes.
  EXPECT_EQ(stream("rtsp://user:secret@10.0.0.5:554/cam|a#b").relative,
            "rtsp___10.0.0.5_554_cam_a.mp4");
  EXPECT_EQ(stream("http://host/video?token=secret").relative, "http___host_video.mp4");
  const SourceVideo file = list_sources("https://host/a.MP4?token=1").videos.at(0);
  EXPECT_EQ(file.source, "https://host/a.MP4?token=1");
  EXPECT_EQ(file.origin, VideoOrigin::address);
  EXPECT_EQ(list_sources("http://host/a.jpg").videos.size(), 1u);
  EXPECT_EQ(list_sources("-").videos.at(0).origin, VideoOrigin::input);
}

TEST_F(Sources, CredentialsStayOut) {
  EXPECT_EQ(without_credentials("rtsp://user:p@ss@host:554/x"), "rtsp://host:554/x");
  EXPECT_EQ(without_credentials("http://host/x@y"), "http://host/x@y");
  EXPECT_EQ(without_credentials("http://host/x?password=1#f"), "http://host/x?...");
  EXPECT_EQ(without_credentials("a@b/c?.png"), "a@b/c?.png");
}

TEST_F(Sources, ListsHaveOneSourceALine) {
  const fs::path path = root_ / "list.txt";
  std::ofstream(path) << "rtsp://a/1\n\n  1\r\nhttp://b/x\n";
  SourceList streams = list_sources(path.string());
  ASSERT_EQ(streams.streams.size(), 3u);
  EXPECT_EQ(streams.streams[1].source, "/dev/video1");
  // Two files of one name do not write to one result.
  std::ofstream(path) << (root_ / "sub/a.png").string() << "\n"
                      << (root_ / "a.png").string() << "\n";
  const auto pictures = list_sources(path.string()).pictures;
  ASSERT_EQ(pictures.size(), 2u);
  EXPECT_EQ(pictures[0].relative, "sub/a.png") << "below the common folder of all lines";
  EXPECT_EQ(pictures[1].relative, "a.png");
  touch("film.avi");
  std::ofstream(path) << (root_ / "film.MP4").string() << "\n"
                      << (root_ / "film.avi").string() << "\n"
                      << (root_ / "sub/*.png").string() << "\n";
  const SourceList mixed = list_sources(path.string());
  ASSERT_EQ(mixed.videos.size(), 2u);
  EXPECT_EQ(mixed.videos[0].relative, "film.mp4");
  EXPECT_EQ(mixed.videos[1].relative, "film_2.mp4") << "both are written as mp4";
  EXPECT_EQ(mixed.pictures.at(0).relative, "sub/a.png");
  std::ofstream(path) << "rtsp://a/1\n" << (root_ / "a.png").string() << "\n";
  EXPECT_NE(error(path.string()).find("either files or streams"), std::string::npos)
      << error(path.string());
  std::ofstream(path) << (root_ / "a.png").string() << "\nnone.jpg\n";
  EXPECT_NE(error(path.string()).find("list.txt:2: source none.jpg: no such file"),
            std::string::npos)
      << error(path.string());
  std::ofstream(path) << "other.txt\n";
  EXPECT_NE(error(path.string()).find("no list inside a list"), std::string::npos);
  std::ofstream(path) << "\n";
  EXPECT_NE(error(path.string()).find("expected a source in each line"), std::string::npos);
}

TEST_F(Sources, MissingPathsAreNamed) {
  EXPECT_NE(error((root_ / "none").string()).find("no such file or folder"), std::string::npos);
  EXPECT_NE(error((root_ / "none" / "*.png").string()).find("no such folder"), std::string::npos);
  EXPECT_NE(error("").find("empty"), std::string::npos);
}

TEST(SourcePatterns, Match) {
  EXPECT_TRUE(matches("abc", "a*c"));
  EXPECT_TRUE(matches("abcbc", "a*bc")) << "the star gives way";
  EXPECT_TRUE(matches("", "*"));
  EXPECT_TRUE(matches("a.b", "*.*"));
  EXPECT_FALSE(matches("ab", "a*c"));
  EXPECT_FALSE(matches("ab", "a"));
  EXPECT_FALSE(matches("a", "a?"));
  EXPECT_TRUE(matches("[x]", "[x]")) << "brackets mean themselves";
  EXPECT_FALSE(matches("A", "a"));
  // A backtracking matcher would need exponential time here.
  EXPECT_FALSE(matches(std::string(5000, 'a'), "a*a*a*a*a*a*a*a*a*a*b"));
}
