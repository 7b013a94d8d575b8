#include "dataset/index/description.hpp"

#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;
using test::error_of;
using test::messages_of;
using test::TemporaryFolder;
using test::write_text;

class Descriptions : public testing::Test {
 protected:
  Description read(const std::string& text, const std::string& place = "set/data.yaml") {
    write_text(folder / place, text);
    return read_description(folder / place);
  }
  std::string error(const std::string& text) {
    std::string message = error_of([&] { read(text); });
    const std::string prefix = (folder / "set/data.yaml").string();
    return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
  }
  void make(const std::string& place) { fs::create_directories(folder / place); }
  TemporaryFolder folder;
};

TEST_F(Descriptions, NamesAsListOrAsMapping) {
  make("set/v");
  EXPECT_EQ(read("val: v\nnames: [cat, 'a dog', 7, 'null']\n").names,
            (std::vector<std::string>{"cat", "a dog", "7", "null"}));
  const Description mapped = read("val: v\nnc: 3\nnames: {2: c, 0: a, 1: b}\n");
  EXPECT_EQ(mapped.names, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(mapped.class_count, 3);
  EXPECT_TRUE(mapped.train.empty());
  ASSERT_EQ(mapped.val.size(), 1u);
  EXPECT_EQ(mapped.val[0], folder / "set/v");
}

TEST_F(Descriptions, NcAloneGivesNumbersAsNamesAndSaysSo) {
  make("set/v");
  std::vector<std::string> names;
  const std::string said = messages_of([&] { names = read("val: v\nnc: 2\n").names; });
  EXPECT_EQ(names, (std::vector<std::string>{"0", "1"}));
  EXPECT_NE(said.find("no 'names'"), std::string::npos);
  EXPECT_NE(
      messages_of([&] { read("val: v\nnames: [a, b, a]\n"); }).find("'a' stands for two classes"),
      std::string::npos);
}

TEST_F(Descriptions, KeyPointsAreCountedInColumns) {
  make("set/v");
  const std::string rest = "val: v\nnames: [a]\n";
  EXPECT_EQ(read(rest).key_point_columns, 0);
  EXPECT_EQ(read(rest + "kpt_shape: [17, 3]\n").key_point_columns, 51);
  EXPECT_EQ(read(rest + "kpt_shape: [2, 2]\n").key_point_columns, 4);
  EXPECT_EQ(read(rest + "kpt_shape: [0, 0]\n").key_point_columns, 0);
  EXPECT_TRUE(read(rest + "kpt_shape: [0, 0]\n").no_key_points);
  EXPECT_FALSE(read(rest).no_key_points);
  EXPECT_EQ(error(rest + "kpt_shape: [2, 4]\n"),
            ":3:12: expected kpt_shape as [number of points, 2 or 3]");
}

TEST_F(Descriptions, ErrorsNamePlaceExpectedAndFound) {
  make("set/v");
  EXPECT_EQ(error("train: v\nnames: [a]\n"),
            ": expected a key 'val' with the validation images, found none among: train, names");
  EXPECT_EQ(error("val: v\nnc: 4\nnames: [a, b, c]\n"),
            ":2:5: expected nc = 3, the number of names, found nc = 4");
  EXPECT_EQ(error("val: v\n"), ": expected the keys 'names' or 'nc', found neither");
  EXPECT_EQ(error("val: v\nnc: 0\n"), ":2:5: expected nc in 1..100000, found 0");
  EXPECT_EQ(error("val: v\nnc: 10000000000\n"),
            ":2:5: expected nc in 1..100000, found 10000000000");
  EXPECT_EQ(error("val: v\nnc: many\n"), ":2:5: expected a whole number, found 'many'");
  EXPECT_EQ(error("val: v\nnames: cat\n"),
            ":2:8: expected names as a list or as a mapping from class number to name");
  EXPECT_EQ(error("val: v\nnames: {0: a, 2: b}\n"),
            ":2:18: expected class numbers 0..1 as keys of names, found '2'");
  EXPECT_EQ(error("val: v\nnames: [a, [b]]\n"),
            ":2:12: expected a name for class 1, found a list or mapping");
  EXPECT_EQ(error("val: v\nnames: [a, ~]\n"),
            ":2:12: expected a name for class 1, found nothing (a class called null or ~ is "
            "written in quotes)");
  EXPECT_EQ(error("val: {a: b}\nnames: [a]\n"), ":1:6: expected text, found a mapping");
  EXPECT_EQ(error("- a\n- b\n"),
            ": expected a mapping with train, val, nc and names, found something else");
  EXPECT_NE(error("val: [\n"), "no error");
  EXPECT_NE(error_of([&] { read_description(folder / "none.yaml"); }).find("none.yaml"),
            std::string::npos);
}

TEST_F(Descriptions, MissingEntriesListAllPlacesAndNeverDownload) {
  const std::string message = error("path: root\nval: ../nowhere/v\nnames: [a]\ndownload: touch " +
                                    (folder / "ran").string() + "\n");
  for (const std::string& place :
       {(folder / "set/nowhere/v").string(), (folder / "nowhere/v").string(),
        std::string("root/../nowhere/v"), std::string("never run")}) {
    const std::string normal = fs::path(place).lexically_normal().string();
    EXPECT_NE(message.find(place == "never run" ? place : normal), std::string::npos)
        << place << " in " << message;
  }
  EXPECT_FALSE(fs::exists(folder / "ran"));
  make("set/v");
  EXPECT_NE(error("val: v\ntrain: t\nnames: [a]\n").find("'train'"), std::string::npos);
  EXPECT_NE(error("val: v\ntest: [v, t]\nnames: [a]\n").find("'test'"), std::string::npos);
}

TEST_F(Descriptions, EntriesResolveInTheOrderOfD01) {
  // (4) "../" removed, then (2) beside the file, then (1) below path: each better place wins over
  // the later one.
  make("set/deep/valid/images");
  const std::string text = "path: root\nval: ../valid/images\nnames: [a]\n";
  EXPECT_EQ(read(text, "set/deep/data.yaml").val[0], folder / "set/deep/valid/images");
  make("set/valid/images");
  EXPECT_EQ(read(text, "set/deep/data.yaml").val[0], folder / "set/valid/images");
  make("set/deep/root");
  make("set/deep/valid/images");
  EXPECT_EQ(read(text, "set/deep/data.yaml").val[0],
            folder / "set/deep/valid/images");  // root/../valid/images
}

TEST_F(Descriptions, TheWorkingDirectoryComesAfterTheFilesFolder) {
  const fs::path before = fs::current_path();
  make("here/v");
  fs::current_path(folder / "here");
  const auto found = read("val: v\nnames: [a]\n").val[0];
  make("set/v");
  const auto better = read("val: v\nnames: [a]\n").val[0];
  fs::current_path(before);
  EXPECT_EQ(found, "v");
  EXPECT_EQ(better, folder / "set/v");
}

TEST_F(Descriptions, AnAbsolutePathWithBlanksAndUnicodeIsTakenAsItIs) {
  make("Bilder für alle/v");
  const std::string place = (folder / "Bilder für alle/v").string();
  EXPECT_EQ(read("val: \"" + place + "\"\nnames: [a]\n").val[0], place);
  EXPECT_EQ(
      read("val: v\npath: \"" + (folder / "Bilder für alle").string() + "\"\nnames: [a]\n").val[0],
      place);
}

TEST_F(Descriptions, SplitsHaveNames) {
  make("set/v");
  const Description d = read("val: v\ntrain: [v, v]\nnames: [a]\n");
  EXPECT_EQ(d.split("train").size(), 2u);
  EXPECT_EQ(d.split("val").size(), 1u);
  EXPECT_TRUE(d.split("test").empty());
  EXPECT_EQ(error_of([&] { d.split("valid"); }),
            "expected the split train, val or test, found 'valid'");
}

TEST_F(Descriptions, AliasBombsAreRefused) {
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i)
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
            ", *a" + std::to_string(i - 1) + "]\n";
  EXPECT_NE(error(bomb + "val: v\nnames: [a]\n").find("values"), std::string::npos);
}

class Collecting : public Descriptions {
 protected:
  void touch(const std::string& place) { write_text(folder / place, "x"); }
  std::vector<std::string> collect(const std::vector<fs::path>& entries) {
    std::vector<std::string> names;
    for (const fs::path& path : collect_pictures(entries))
      names.push_back(path.lexically_relative(folder.path()).string());
    return names;
  }
};

TEST_F(Collecting, FoldersAtAnyDepthWithoutHiddenAndForeignFiles) {
  for (const char* name :
       {"p/b.JPG", "p/a.jpeg", "p/deep/er/c d.png", "p/._a.jpeg", "p/.hidden/x.png", "p/a.txt",
        "p/noext", "p/z.webp", "p/y.gif", "p/ö.tif"})
    touch(name);
  fs::create_directory_symlink(folder / "p", folder / "p/deep/circle");
  EXPECT_EQ(collect({folder / "p"}),
            (std::vector<std::string>{"p/a.jpeg", "p/b.JPG", "p/deep/er/c d.png", "p/y.gif",
                                      "p/z.webp", "p/ö.tif"}));
}

TEST_F(Collecting, ListsWithByteOrderMarkLineEndsBlankLinesAndPrefix) {
  for (const char* name : {"l/x/a ./b.jpg", "l/c.png", "l/d.png"}) touch(name);
  const std::string absolute = (folder / "l/d.png").string();
  write_text(folder / "l/list.txt", "\xEF\xBB\xBF./x/a ./b.jpg\r\n\r\n  c.png  \r\n" + absolute +
                                        "\r\nnotes.pdf\r\n./gone.jpg\n./c.png");
  std::vector<std::string> found;
  const std::string said = messages_of([&] { found = collect({folder / "l/list.txt"}); });
  // Only the prefix "./" is replaced; a missing picture stays and is named when it is read.
  EXPECT_EQ(found, (std::vector<std::string>{"l/c.png", "l/d.png", "l/gone.jpg", "l/x/a ./b.jpg"}));
  EXPECT_NE(said.find("1 lines are not names of images and are left out, the first is 'notes.pdf'"),
            std::string::npos)
      << said;
  EXPECT_NE(said.find("1 images are named more than once"), std::string::npos) << said;
}

TEST_F(Collecting, LinesWithoutAnImageAreCountedByThemselves) {
  touch("l/a.png");
  write_text(folder / "l/list.txt", "./gone.jpg\n\n./a.png\nnotes.pdf\n./b.png\n");
  std::vector<AbsentPicture> absent;
  const auto found = collect_pictures({folder / "l/list.txt"}, &absent);
  EXPECT_EQ(found, std::vector<fs::path>{folder / "l/a.png"});
  ASSERT_EQ(absent.size(), 2u);
  EXPECT_EQ(absent[0].list, folder / "l/list.txt");
  EXPECT_EQ(absent[0].line, 1);
  EXPECT_EQ(absent[0].name, "./gone.jpg");
  EXPECT_EQ(absent[1].line, 5);
  write_text(folder / "l/list.txt", "./gone.jpg\n");
  absent.clear();
  EXPECT_EQ(error_of([&] { collect_pictures({folder / "l/list.txt"}, &absent); }),
            "no images found in " + (folder / "l/list.txt").string() +
                ": 1 lines name images that do not exist, the first is " +
                (folder / "l/list.txt").string() + ":1: './gone.jpg'");
}

// What PowerShell writes: UTF-16 with a byte order mark.
TEST_F(Collecting, ListsInUtf16) {
  touch("l/ä.png");
  write_text(folder / "l/list.txt", std::string("\xFF\xFE.\0/\0\xE4\0.\0p\0n\0g\0\r\0\n\0", 20));
  EXPECT_EQ(collect({folder / "l/list.txt"}), (std::vector<std::string>{"l/ä.png"}));
}

TEST_F(Collecting, AnEntryMayBeOneImage) {
  touch("p/a.JPG");
  touch("p/b.png");
  EXPECT_EQ(collect({folder / "p/a.JPG"}), (std::vector<std::string>{"p/a.JPG"}));
}

TEST_F(Collecting, ABinaryListIsRefusedInOneLine) {
  write_text(folder / "list.txt", std::string("\xff\xd8\xff\xe0\0\x10JFIF\0\na.jpg\n", 18));
  EXPECT_EQ(error_of([&] { collect({folder / "list.txt"}); }),
            (folder / "list.txt").string() +
                ": expected a text file with the path of one image in each line, found a binary "
                "file");
}

TEST_F(Collecting, NothingFoundIsAnErrorWithTheSource) {
  make("empty");
  touch("p/a.txt");
  EXPECT_EQ(error_of([&] {
              collect({folder / "empty", folder / "p"});
            }),
            "no images found in " + (folder / "empty").string() + ", " + (folder / "p").string());
  EXPECT_EQ(error_of([&] { collect({folder / "gone"}); }),
            (folder / "gone").string() +
                ": expected a folder of images or a list of them, but it does not exist");
}

}  // namespace
}  // namespace yolov7::dataset
