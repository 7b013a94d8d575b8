// The parts of the store: database, objects, the cache of files, a folder as it lies there.
#include <fstream>

#include "core/database.hpp"
#include "tests/versions/version_fixture.hpp"
#include "versions/file_cache.hpp"
#include "versions/object_files.hpp"
#include "versions/snapshot.hpp"
#include "versions/working_set.hpp"

namespace yolov7::versions {
namespace {

TEST(VersionDatabase, TransactionsAreAllOrNothing) {
  const test::ScratchFolder scratch;
  Database database(scratch / "x.sqlite", {"a database", {}});
  database.run("CREATE TABLE t (a BLOB)");
  const auto count = [&] {
    Statement rows(database, "SELECT COUNT(*) FROM t");
    rows.step();
    return rows.whole(0);
  };
  {
    Transaction transaction(database);
    database.run("INSERT INTO t VALUES (x'00')");
  }
  EXPECT_EQ(count(), 0);
  {
    Transaction transaction(database);
    Statement insert(database, "INSERT INTO t VALUES (?)");
    insert.bind_bytes(0, std::string_view("a\0b", 3)).run();
    insert.bind_bytes(0, {}).run();
    insert.bind_null(0).run();
    transaction.commit();
  }
  EXPECT_EQ(count(), 3);
  Statement rows(database, "SELECT a FROM t ORDER BY rowid");
  ASSERT_TRUE(rows.step());
  EXPECT_EQ(rows.text(0), std::string("a\0b", 3));
  EXPECT_NE(test::error_of([&] { rows.digest(0); }).find("expected a SHA-256 of 32 bytes"),
            std::string::npos);
  ASSERT_TRUE(rows.step());
  EXPECT_FALSE(rows.is_null(0));
  ASSERT_TRUE(rows.step());
  EXPECT_TRUE(rows.is_null(0));
  EXPECT_NE(test::error_of([&] { database.run("NONSENSE"); }).find("x.sqlite"), std::string::npos);
}

TEST(ObjectFilesOfAStore, BytesUnderTheirName) {
  const test::ScratchFolder scratch;
  ObjectFiles objects(scratch / "objects");
  objects.make_folders();
  const Digest digest = sha256_digest("content");
  EXPECT_EQ(objects.add("content", digest, nullptr), Transfer::copy);
  EXPECT_EQ(objects.add("content", digest, nullptr), Transfer::there);
  EXPECT_EQ(test::read_text(objects.path_of(digest)), "content");
  EXPECT_EQ(objects.path_of(digest).parent_path().filename(), hex(digest).substr(0, 2));
  const ObjectFacts facts = objects.facts_of(digest);
  EXPECT_EQ(facts.bytes, 7u);
  EXPECT_TRUE(objects.whole(digest, facts));
  objects.take_out(digest, scratch / "out", true);
  EXPECT_EQ(scratch.read("out"), "content");
  EXPECT_NE(test::error_of([&] { objects.facts_of(sha256_digest("none")); }).find("found none"),
            std::string::npos);
}

// What stands there may be a second name of an object.
TEST(ObjectFilesOfAStore, TakingOutReplacesNothing) {
  const test::ScratchFolder scratch;
  ObjectFiles objects(scratch / "objects");
  objects.make_folders();
  const Digest one = sha256_digest("one"), two = sha256_digest("two");
  objects.add("one", one, nullptr);
  objects.add("two", two, nullptr);
  for (const bool copy : {false, true}) {
    const std::string name = copy ? "copy" : "link";
    objects.take_out(one, scratch / name, copy);
    EXPECT_NE(test::error_of([&] { objects.take_out(two, scratch / name, copy); }).find(name),
              std::string::npos);
    EXPECT_EQ(scratch.read(name), "one");
  }
  EXPECT_EQ(test::read_text(objects.path_of(one)), "one");
}

TEST(ObjectFilesOfAStore, AFileThatChangesBehindTheHashDoesNotComeIn) {
  const test::ScratchFolder scratch;
  ObjectFiles objects(scratch / "objects");
  objects.make_folders();
  scratch.write("file", "before");
  std::vector<char> buffer;
  const HashedFile hashed(scratch / "file", buffer);
  std::ofstream(scratch / "file", std::ios::app) << ", and more";
  EXPECT_NE(test::error_of([&] {
              objects.add(hashed, nullptr);
            }).find("expected a file that stays as it is, but it changed"),
            std::string::npos);
  EXPECT_FALSE(fs::exists(objects.path_of(sha256_digest("before"))));
  EXPECT_EQ(scratch.read("file"), "before, and more");
}

TEST(ObjectFilesOfAStore, FileOfAnotherFileSystemIsCopied) {
  const fs::path other = "/dev/shm";  // memory, where there is such a folder
  if (!fs::is_directory(other)) GTEST_SKIP() << "no /dev/shm on this machine";
  const test::ScratchFolder scratch;
  const fs::path file = other / ("yolov7-test-" + scratch.path().filename().string());
  test::write_text(file, "far away");
  {
    ObjectFiles objects(scratch / "objects");
    objects.make_folders();
    std::vector<char> buffer;
    const HashedFile hashed(file, buffer);
    EXPECT_EQ(hashed.digest(), sha256_digest("far away"));
    const Transfer how = objects.add(hashed, nullptr);
    EXPECT_EQ(test::read_text(objects.path_of(hashed.digest())), "far away");
    EXPECT_EQ(how, Transfer::copy);
  }
  fs::remove(file);
}

TEST(ObjectFilesOfAStore, OnlyRegularFilesAreHashed) {
  const test::ScratchFolder scratch;
  std::vector<char> buffer;
  EXPECT_NE(test::error_of([&] { HashedFile(scratch.path(), buffer); }), "no error");
  EXPECT_NE(test::error_of([&] { HashedFile(scratch / "none", buffer); }).find("cannot open"),
            std::string::npos);
}

FileRecord record(const std::string& path, std::int64_t modified) {
  FileRecord one;
  one.path = path;
  one.image_stamp = {10, 20, modified, modified};
  one.image = sha256_digest(path);
  one.rows = 3;
  return one;
}

TEST(FileCacheOfAFolder, ComesBackForTheSameGeneration) {
  const test::ScratchFolder scratch;
  const std::int64_t now = now_ns(), old = now - 3'000'000'000;
  FileCache(scratch / "c/files", 7)
      .save({record("a", old), record("b", now), record("c", old)}, now);
  const FileCache cache(scratch / "c/files", 7);
  ASSERT_NE(cache.find("a"), nullptr);
  EXPECT_EQ(cache.find("a")->image, sha256_digest("a"));
  EXPECT_EQ(cache.find("a")->rows, 3u);
  EXPECT_EQ(cache.find("b"), nullptr);  // changed too short a time ago
  EXPECT_NE(cache.find("c"), nullptr);
  EXPECT_EQ(FileCache(scratch / "c/files", 8).find("a"), nullptr);
}

TEST(FileCacheOfAFolder, CutOrChangedIsNone) {
  const test::ScratchFolder scratch;
  const std::int64_t now = now_ns();
  FileCache(scratch / "files", 1).save({record("a", 0)}, now);
  const std::string whole = scratch.read("files");
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    scratch.write("files", whole.substr(0, length));
    EXPECT_EQ(FileCache(scratch / "files", 1).find("a"), nullptr) << length;
  }
  std::string other = whole;
  other.back() ^= 1;
  scratch.write("files", other);
  EXPECT_EQ(FileCache(scratch / "files", 1).find("a"), nullptr);
}

using WorkingFolder = VersionFixture;

TEST_F(WorkingFolder, PathsAreThoseBelowTheDescription) {
  write_set(2, 1);
  scratch.write("far/images/x.bmp", bitmap(9));
  scratch.write("data/data.yaml",
                "train: [images/train, ../far/images]\nval: images/train\nnames: [cat, dog]\n"
                "kpt_shape: [3, 2]\n");
  const WorkingSet set = read_working_set(scratch / "data/data.yaml", "auto", 1, {});
  std::vector<std::string> found;
  for (const WorkingImage& one : set.images) found.push_back(one.path + " " + one.split);
  EXPECT_EQ(found, (std::vector<std::string>{"far/images/x.bmp train", "images/train/0.bmp train",
                                             "images/train/0.bmp val", "images/train/1.bmp train",
                                             "images/train/1.bmp val"}));
  EXPECT_EQ(set.classes.key_points, 3);
  EXPECT_EQ(set.classes.key_point_values, 2);
}

TEST_F(WorkingFolder, LookingWritesNothing) {
  write_set();
  commit();
  scratch.write("data/images/train/new.bmp", bitmap(42));
  Store from = store();
  const Snapshot snapshot = take_snapshot(
      read_working_set(scratch / "data/data.yaml", "auto", 1, {}), from, {false, false, 1, {}});
  EXPECT_EQ(snapshot.content.items.size(), 9u);
  EXPECT_EQ(snapshot.images_read, 1u);  // the others are those that the store has
  std::vector<fs::path> others;
  EXPECT_EQ(from.objects().list(others).size(), 8u);
}

}  // namespace
}  // namespace yolov7::versions
