#include "dataset/index/picture_cache.hpp"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "dataset/index/index.hpp"
#include "dataset/index/read_index.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;
using test::messages_of;
using test::write_gray;
using test::write_text;

class Caches : public testing::Test {
 protected:
  void SetUp() override { test::write_small_set(folder / "set", 4); }
  Index read(bool recheck = false) {
    IndexOptions options;
    options.recheck = recheck;
    options.threads = 1;
    return read_index(read_description(folder / "set/data.yaml"), "train", options);
  }
  test::TemporaryFolder folder;
  fs::path cache = folder / "set/labels/train.yolov7-index";
};

TEST_F(Caches, SecondStartDecodesNothingAndRecheckAll) {
  const Index first = read();
  EXPECT_EQ(first.pictures_read, 4u);
  EXPECT_EQ(first.cache_file, cache);
  EXPECT_TRUE(fs::exists(cache));
  const Index second = read();
  EXPECT_EQ(second.pictures_read, 0u);
  EXPECT_EQ(second.identity, first.identity);
  EXPECT_EQ(second.entries[2].width, 64);
  EXPECT_EQ(second.entries[2].content_hash, first.entries[2].content_hash);
  EXPECT_EQ(read(true).pictures_read, 4u);
}

TEST_F(Caches, AChangedLabelIsSeenEvenWithTheOldTimeAndSize) {
  read();
  const fs::path label = folder / "set/labels/train/1.txt";
  const auto time = fs::last_write_time(label);
  write_text(label, "1 0.5 0.5 0.75 0.5\n");  // as long as before
  fs::last_write_time(label, time);
  const Index index = read();
  EXPECT_EQ(index.pictures_read, 0u);
  EXPECT_EQ(index.entries[1].labels[0].box.w, 0.75);
}

TEST_F(Caches, AChangedAddedOrRemovedPictureIsSeen) {
  const std::string before = read().entries[1].content_hash;
  write_gray(folder / "set/images/train/1.png", 32, 48, 77);
  Index index = read();
  EXPECT_EQ(index.pictures_read, 1u);
  EXPECT_EQ(index.entries[1].width, 32);
  EXPECT_NE(index.entries[1].content_hash, before);
  write_gray(folder / "set/images/train/9.png", 20, 20, 7);
  fs::remove(folder / "set/images/train/0.png");
  test::age(folder / "set/images");
  index = read();
  EXPECT_EQ(index.entries.size(), 4u);
  EXPECT_EQ(index.entries[3].width, 20);
}

TEST_F(Caches, APictureOfTheLastTwoSecondsIsNotTrusted) {
  const fs::path picture = folder / "set/images/train/2.png";
  write_gray(picture, 64, 48, 8);
  EXPECT_EQ(read().pictures_read, 4u);
  EXPECT_EQ(read().pictures_read, 1u);
  fs::last_write_time(picture, fs::file_time_type::clock::now() - std::chrono::seconds(10));
  EXPECT_EQ(read().pictures_read, 1u);
  EXPECT_EQ(read().pictures_read, 0u);
}

TEST_F(Caches, SameSizeAndTimeIsOnlySeenByRecheck) {
  // The stated limit of size and time, and what --recheck is for.
  const fs::path picture = folder / "set/images/train/2.png";
  read();
  const auto time = fs::last_write_time(picture);
  std::string bytes = test::read_text(picture);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_text(picture, bytes);
  fs::last_write_time(picture, time);
  EXPECT_EQ(read().corrupt, 0u);
  EXPECT_EQ(read(true).corrupt, 1u);  // the PNG's checksum
}

TEST_F(Caches, CorruptPicturesAreReadAgainEveryTime) {
  write_text(folder / "set/images/train/2.png", "x");
  test::age(folder / "set/images");
  EXPECT_EQ(read().corrupt, 1u);
  const Index again = read();
  EXPECT_EQ(again.pictures_read, 1u);
  EXPECT_EQ(again.corrupt, 1u);
}

TEST_F(Caches, ForeignCacheFilesAreNeitherReadNorWritten) {
  for (const char* name :
       {"set/labels/train.cache", "set/labels/train/labels.cache", "set/images/train.cache"})
    write_text(folder / name, "foreign");
  const auto time = fs::last_write_time(folder / "set/labels/train.cache");
  read();
  read(true);
  for (const char* name :
       {"set/labels/train.cache", "set/labels/train/labels.cache", "set/images/train.cache"})
    EXPECT_EQ(test::read_text(folder / name), "foreign");
  EXPECT_EQ(fs::last_write_time(folder / "set/labels/train.cache"), time);
}

TEST_F(Caches, ACorruptCutOrStrangeCacheIsBuiltAgainAndSaid) {
  const std::string identity = read().identity, good = test::read_text(cache);
  std::string flipped = good;
  flipped[flipped.size() - 20] = static_cast<char>(flipped[flipped.size() - 20] ^ 1);
  for (const std::string& bad :
       {std::string(), std::string("something else\n"), good.substr(0, good.size() - 9), flipped}) {
    write_text(cache, bad);
    Index index;
    const std::string said = messages_of([&] { index = read(); });
    EXPECT_NE(said.find("it is built again"), std::string::npos) << said;
    EXPECT_EQ(index.pictures_read, 4u);
    EXPECT_EQ(index.identity, identity);
    EXPECT_EQ(test::read_text(cache), good);
  }
}

TEST_F(Caches, AMovedDataSetKeepsItsCache) {
  read();
  fs::rename(folder / "set", folder / "moved");
  const Index index = read_index(read_description(folder / "moved/data.yaml"), "train", {});
  EXPECT_EQ(index.pictures_read, 0u);
}

TEST_F(Caches, WithoutAWritableLabelsFolderTheUsersFolderIsTaken) {
  // labels/ does not exist: as unwritable as a read-only one, also for root.
  fs::remove_all(folder / "set/labels");
  const Index first = read();
  EXPECT_TRUE(first.cache_file.string().starts_with((folder / "user cache/yolov7.cpp").string()))
      << first.cache_file;
  EXPECT_FALSE(fs::exists(folder / "set/labels"));
  EXPECT_EQ(read().pictures_read, 0u);
}

TEST_F(Caches, WithNoWritableFolderAtAllTheReadingStillWorks) {
  fs::remove_all(folder / "set/labels");
  write_text(folder / "user cache", "a file where the folder should be");
  Index index;
  const std::string said = messages_of([&] { index = read(); });
  EXPECT_EQ(index.entries.size(), 4u);
  EXPECT_TRUE(index.cache_file.empty());
  EXPECT_NE(said.find("no folder can be written for the image cache"), std::string::npos) << said;
  EXPECT_EQ(read().pictures_read, 4u);
}

TEST_F(Caches, TwoProcessesBuildItOnce) {
  int channel[2];
  ASSERT_EQ(::pipe(channel), 0);
  pid_t children[2];
  for (pid_t& child : children) {
    child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      char count = 99;
      try {
        const Index index = read();
        if (index.entries.size() == 4 && index.corrupt == 0)
          count = static_cast<char>(index.pictures_read);
      } catch (...) {
      }
      ::_exit(::write(channel[1], &count, 1) == 1 ? 0 : 1);
    }
  }
  char counts[2] = {0, 0};
  for (char& count : counts) ASSERT_EQ(::read(channel[0], &count, 1), 1);
  for (const pid_t child : children) ::waitpid(child, nullptr, 0);
  ::close(channel[0]);
  ::close(channel[1]);
  // Whoever came second waited for the lock and decoded nothing.
  EXPECT_EQ(counts[0] + counts[1], 4) << int(counts[0]) << " and " << int(counts[1]);
  EXPECT_EQ(read().pictures_read, 0u);
}

TEST(PictureFactsText, RoundTripWithOddPaths) {
  FactsByKey facts;
  facts["a\tb\n\\c ü.png"] = {{12, -5}, 640, 480, "00ff", "", 1, {}};
  facts["plain.png"] = {{1, 1700000000123456789}, 10, 11, "aa", "", 6, {79, 80}};
  std::string fault;
  const auto back = parse_facts(format_facts(facts), fault);
  ASSERT_TRUE(back.has_value()) << fault;
  ASSERT_EQ(back->size(), 2u);
  EXPECT_EQ(back->at("a\tb\n\\c ü.png").stamp, (FileStamp{12, -5}));
  EXPECT_EQ(back->at("plain.png").stamp.modified_ns, 1700000000123456789);
  EXPECT_EQ(back->at("plain.png").height, 11);
  EXPECT_EQ(back->at("plain.png").orientation, 6);
  EXPECT_EQ(back->at("plain.png").rows.decoded, 79);
  EXPECT_EQ(back->at("plain.png").rows.expected, 80);
  EXPECT_TRUE(back->at("a\tb\n\\c ü.png").rows.whole());
}

TEST(PictureFactsText, AHundredThousandPicturesLoadQuickly) {
  FactsByKey facts;
  for (int i = 0; i < 100'000; ++i)
    facts[fmt::format("images/train2017/{:012}.jpg", i)] = {{static_cast<std::uint64_t>(i), i},
                                                            640,
                                                            480,
                                                            "0123456789abcdef0123456789abcdef",
                                                            "",
                                                            1,
                                                            {}};
  const std::string text = format_facts(facts);
  std::string fault;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(parse_facts(text, fault)->size(), 100'000u);
  // Decoding so many pictures takes minutes. The bound only catches a quadratic blunder, also with
  // sanitizers on a busy machine.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace yolov7::dataset
