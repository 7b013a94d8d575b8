// yolov7 dataset augment, as a user calls it.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class DatasetAugment : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch = new test::ScratchFolder;
    const Outcome drawn =
        run({"dataset", "synth", "--out", (*scratch / "data").string(), "--level", "easy",
             "--train", "6", "--val", "2", "--test", "0", "--img-size", "96", "--seed", "5"});
    ASSERT_EQ(drawn.code, 0) << drawn.err;
  }
  static void TearDownTestSuite() { delete scratch; }
  static Outcome augment(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"dataset", "augment", "--data",
                                       (*scratch / "data/data.yaml").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  static inline test::ScratchFolder* scratch = nullptr;
};

TEST_F(DatasetAugment, CopyIsADataSetWithAManifest) {
  const fs::path out = *scratch / "copy";
  const Outcome made =
      augment({"--augment", "[{name: HorizontalFlip, p: 1}, {name: GaussNoise, p: 0.5}]", "--out",
               out.string(), "--times", "2", "--seed", "3", "--json"});
  ASSERT_EQ(made.code, 0) << made.err;
  const json said = json::parse(made.out);
  EXPECT_EQ(said["originals"], 6);
  EXPECT_EQ(said["versions"], 12);
  EXPECT_EQ(said["objects"], said["objects_before"]);  // a flip loses nothing
  const Outcome checked =
      run({"dataset", "check", "--data", (out / "data.yaml").string(), "--strict", "--json",
           "--skip", "class-not-in-split,untrained-class,absent-class,image-twice,copied-label"});
  ASSERT_EQ(checked.code, 0) << checked.err;
  EXPECT_EQ(json::parse(checked.out)["splits"]["train"]["pictures"], 18);
  EXPECT_EQ(json::parse(checked.out)["splits"]["val"]["pictures"], 2);
  const json manifest = json::parse(read_text(out / "augment.json"));
  EXPECT_EQ(manifest["seed"], 3);
  ASSERT_EQ(manifest["pictures"].size(), 12u);
  std::set<std::string> kinds;
  for (const json& picture : manifest["pictures"]) {
    EXPECT_TRUE(fs::exists(out / "images/train" / picture["picture"].get<std::string>()))
        << picture;
    EXPECT_EQ(picture["applied"][0], "HorizontalFlip");
    kinds.insert(picture["applied"].dump());
  }
  EXPECT_EQ(kinds.size(), 2u);  // with and without noise: 12 draws of 0.5
  // A label of a flip is the mirrored one.
  std::istringstream before(read_text(*scratch / "data/labels/train/000000.txt")),
      after(read_text(out / "labels/train/000000_aug1.txt"));
  for (std::string a, b; std::getline(before, a);) {
    ASSERT_TRUE(std::getline(after, b));
    int class_a = 0, class_b = 0;
    double xa = 0, ya = 0, xb = 0, yb = 0;
    std::istringstream(a) >> class_a >> xa >> ya;
    std::istringstream(b) >> class_b >> xb >> yb;
    EXPECT_EQ(class_a, class_b);
    EXPECT_NEAR(xb, 1 - xa, 2e-6);  // both are written with six digits
    EXPECT_NEAR(yb, ya, 2e-6);
  }
}

TEST_F(DatasetAugment, TheSameSeedGivesTheSameFilesWhateverTheThreads) {
  const std::string list =
      "[{name: Rotate, p: 1, limit: 20}, {name: SomeOf, n: 2, transforms: [{name: CLAHE}, {name: "
      "MotionBlur}, {name: RandomGamma}]}, {name: CutMix, p: 0.5}]";
  for (const auto& [name, threads, seed] :
       {std::tuple{"one", "1", "1"}, {"four", "4", "1"}, {"other", "4", "2"}})
    ASSERT_EQ(augment({"--augment", list, "--out", (*scratch / name).string(), "--workers", threads,
                       "--seed", seed})
                  .code,
              0);
  const auto files = [&](const std::string& name) {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(*scratch / name))
      if (entry.is_regular_file() && entry.path().extension() != ".yolov7-index")
        found[fs::relative(entry.path(), *scratch / name).string()] = read_text(entry.path());
    return found;
  };
  EXPECT_TRUE(files("one") == files("four"));
  EXPECT_FALSE(files("one") == files("other"));
}

TEST_F(DatasetAugment, PreviewFromAHyperParameterFile) {
  const fs::path hyp = *scratch / "hyp.yaml", sheet = *scratch / "sheet.png";
  write_text(hyp,
             "lr0: 0.01\naugment:\n  - {name: Rotate, p: 1}\n  - name: GridMask\n    ratio: 0.6\n");
  const Outcome made = augment({"--hyp", hyp.string(), "--preview", sheet.string(), "--rows", "3",
                                "--columns", "4", "--img-size", "64"});
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string bytes = read_text(sheet);
  ASSERT_GT(bytes.size(), 24u);
  const auto number = [&](std::size_t at) {
    return static_cast<unsigned char>(bytes[at + 2]) * 256 +
           static_cast<unsigned char>(bytes[at + 3]);
  };
  EXPECT_EQ(number(16), 4 + 5 * 68);  // PNG header: width, height; five columns and three rows of
                                      // 64 px with gaps of 4
  EXPECT_EQ(number(20), 4 + 3 * 68);
}

TEST_F(DatasetAugment, WrongCallsSayWhatWasExpected) {
  const auto refused = [&](const std::vector<std::string>& more, const std::string& part) {
    const Outcome outcome = augment(more);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_TRUE(has(outcome.err, part)) << outcome.err;
    EXPECT_EQ(line_count(outcome.err), 1u) << outcome.err;
  };
  const std::string out = (*scratch / "never").string();
  refused({"--out", out}, "--augment or --hyp");
  refused({"--augment", "[{name: Rotate}]"}, "--preview or --out");
  refused({"--augment", "[{name: Rotat}]", "--out", out}, "Rotate");
  refused({"--augment", "[{name: Rotate, limits: 3}]", "--out", out}, "limit");
  refused({"--augment", "[{name: Rotate, p: 3}]", "--out", out}, "-1..1");
  EXPECT_FALSE(fs::exists(out));
  fs::create_directories(*scratch / "full");
  write_text(*scratch / "full/file", "x");
  EXPECT_NE(augment({"--augment", "[{name: Rotate}]", "--out", (*scratch / "full").string()}).code,
            0);
  EXPECT_EQ(read_text(*scratch / "full/file"), "x");
}

TEST_F(DatasetAugment, NothingOfTheDataSetIsReplacedOrAddedTo) {
  const fs::path image = *scratch / "data/images/train/000000.jpg";
  const std::string before = read_text(image);
  const Outcome sheet = augment({"--augment", "[{name: Rotate}]", "--preview", image.string()});
  EXPECT_EQ(sheet.code, 2);
  EXPECT_TRUE(has(sheet.err, "an input is never replaced")) << sheet.err;
  EXPECT_TRUE(read_text(image) == before);
  const fs::path inside = *scratch / "data/images/train/more";
  const Outcome copy = augment({"--augment", "[{name: Rotate}]", "--out", inside.string()});
  EXPECT_EQ(copy.code, 1);
  EXPECT_TRUE(has(copy.err, "outside the data that is read")) << copy.err;
  EXPECT_FALSE(fs::exists(inside));
  fs::create_directories(*scratch / "empty");
  fs::create_directory_symlink("empty", *scratch / "link");
  const Outcome link =
      augment({"--augment", "[{name: Rotate}]", "--out", (*scratch / "link").string()});
  EXPECT_EQ(link.code, 1);
  EXPECT_TRUE(has(link.err, "found a link")) << link.err;
}

TEST_F(DatasetAugment, TheManifestHasTheNamesOfTheCopy) {
  // Two folders with an image of one name.
  const fs::path data = *scratch / "twins";
  for (const char* folder : {"a", "b"}) {
    const std::string number = folder[0] == 'a' ? "000000" : "000001";
    write_text(data / "images" / folder / "x.jpg",
               read_text(*scratch / ("data/images/train/" + number + ".jpg")));
    write_text(data / "labels" / folder / "x.txt",
               read_text(*scratch / ("data/labels/train/" + number + ".txt")));
  }
  std::string names = read_text(*scratch / "data/data.yaml");
  names = names.substr(names.find("nc:"));
  write_text(data / "data.yaml", "path: .\ntrain: images\nval: images\n" + names);
  const fs::path out = *scratch / "twins-copy";
  const Outcome made = run({"dataset", "augment", "--data", (data / "data.yaml").string(),
                            "--augment", "[{name: Rotate, p: 1}]", "--out", out.string()});
  ASSERT_EQ(made.code, 0) << made.err;
  std::set<std::string> versions, sources;
  const json manifest = json::parse(read_text(out / "augment.json"));
  for (const json& one : manifest["pictures"]) {
    versions.insert(one["picture"]);
    sources.insert(one["source"]);
    for (const char* which : {"picture", "source"})
      EXPECT_TRUE(fs::exists(out / "images/train" / one[which].get<std::string>())) << one;
  }
  EXPECT_EQ(versions.size(), 2u);
  EXPECT_EQ(sources.size(), 2u);
}

// The reference part of the page is what the program says.
TEST_F(DatasetAugment, TheReferencePageIsThePrograms) {
  const Outcome listed = run({"dataset", "augment", "--list"});
  ASSERT_EQ(listed.code, 0) << listed.err;
  const std::string page = read_text(fs::path(YOLOV7_SOURCE_DIR) / "docs/augmentations.md");
  const auto begin = page.find("### ");
  ASSERT_NE(begin, std::string::npos);
  const auto trimmed = [](std::string text) {
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  };
  EXPECT_TRUE(trimmed(page.substr(begin)) == trimmed(listed.out))
      << "write it anew: docs/augmentations.md from its first '### ' on is `yolov7 dataset augment "
         "--list`";
}

}  // namespace
}  // namespace yolov7::test
