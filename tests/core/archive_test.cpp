// The zip container: every byte that a file can lie with.
#include "core/archive.hpp"

#include <gtest/gtest.h>

#include "core/file.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/network/pickle_fixture.hpp"

namespace yolov7::network {
namespace {

using namespace hostile;

std::string replaced(std::string s, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = s.find(from, at)) != std::string::npos; at += to.size())
    s.replace(at, from.size(), to);
  return s;
}

class Archive : public testing::Test {
 protected:
  test::ScratchFolder folder;
  std::filesystem::path path = folder / "a.pt";
  std::string opened(const std::filesystem::path& file) {
    return error_of([&] { ArchiveReader{file}; });
  }
  std::string written(const std::string& content) {
    file::write_atomically(path, content);
    return opened(path);
  }
  void expect(const std::string& said, const std::string& part) {
    EXPECT_NE(said.find(part), std::string::npos) << '"' << said << "\" lacks \"" << part << '"';
    EXPECT_NE(said.find(folder.operator/("").string().substr(0, 10)), std::string::npos) << said;
  }
};

TEST_F(Archive, RoundTrip) {
  write_zip(path,
            {{"x/data.pkl", "abc"}, {"x/data/0", std::string(100'000, '\0')}, {"x/empty", ""}});
  const ArchiveReader reader(path);
  EXPECT_EQ(reader.root(), "x");
  EXPECT_TRUE(reader.has("x/empty"));
  EXPECT_FALSE(reader.has("x/none"));
  EXPECT_EQ(reader.size("x/data/0"), 100'000u);
  EXPECT_EQ(reader.read("x/data/0", 100'000), std::vector<std::byte>(100'000));
  EXPECT_TRUE(reader.read("x/empty", 10).empty());
  expect(error_of([&] { reader.read("x/data/0", 99'999); }), "at most 99999 bytes, found 100000");
  expect(error_of([&] { reader.read("x/none", 10); }), "expected an entry x/none");
}

TEST_F(Archive, EqualContentGivesEqualBytes) {
  write_zip(path, {{"x/data.pkl", "abc"}, {"x/version", "3\n"}});
  const std::string first = file::read(path);
  write_zip(folder / "b.pt", {{"x/data.pkl", "abc"}, {"x/version", "3\n"}});
  EXPECT_EQ(file::read(folder / "b.pt"), first);
}

TEST_F(Archive, OtherFiles) {
  expect(opened(folder / "none.pt"), "no file");
  expect(opened(folder / ""), "no regular file");
  expect(written(""), "empty file");
  expect(written("hello, this is text"), "expected a checkpoint");
  expect(written(std::string(5000, 'P')), "expected a checkpoint");
  write_zip(path, {{"a.txt", "x"}});
  expect(error_of([&] { ArchiveReader(path).root(); }), "without data.pkl");
  write_zip(path, {{"a/data.pkl", "x"}, {"b/data.pkl", "x"}});
  expect(error_of([&] { ArchiveReader(path).root(); }), "expected one data.pkl");
}

TEST_F(Archive, DuplicatedEncryptedAndCompressedEntries) {
  write_zip(path, {{"x/data.pkl", "abc"}, {"x/data.pkk", "abd"}});
  const std::string whole = file::read(path);
  EXPECT_NE(written(replaced(whole, "data.pkk", "data.pkl")), "no error");
  // Central directory records begin PK\1\2; method at 10, flags at 8; local headers PK\3\4 at 8
  // and 6.
  const auto patched = [&](std::size_t central, std::size_t local, char value) {
    std::string s = whole;
    for (std::size_t at = 0; (at = s.find("PK\1\2", at)) != std::string::npos; ++at)
      s[at + central] = value;
    for (std::size_t at = 0; (at = s.find("PK\3\4", at)) != std::string::npos; ++at)
      s[at + local] = value;
    return s;
  };
  EXPECT_NE(written(patched(10, 8, 8)), "no error");  // deflate
  EXPECT_NE(written(patched(8, 6, 1)), "no error");   // encrypted
}

TEST_F(Archive, ClaimedSizesAreNotBelieved) {
  write_zip(path, {{"x/data.pkl", "abcdefgh"}});
  std::string s = file::read(path);
  const std::size_t central = s.find("PK\1\2"), local = s.find("PK\3\4");
  for (const auto& [base, offset] :
       {std::pair{central, 20}, {central, 24}, {local, 18}, {local, 22}})
    s.replace(base + static_cast<std::size_t>(offset), 4, number(0x70000000, 4));
  file::write_atomically(path, s);
  const std::string said =
      error_of([&] { ArchiveReader(path).read("x/data.pkl", std::uint64_t{1} << 36); });
  EXPECT_NE(said, "no error");
}

TEST_F(Archive, AFlippedBitInAnEntryIsFound) {
  const std::string content(1000, 'q');
  write_zip(path, {{"x/data.pkl", content}});
  const std::string whole = file::read(path);
  const std::size_t start = whole.find(content);
  for (std::size_t at = 0; at < content.size(); at += 37) {
    std::string s = whole;
    s[start + at] = static_cast<char>(s[start + at] ^ (1 << (at % 8)));
    file::write_atomically(path, s);
    const std::string said = error_of([&] { ArchiveReader(path).read("x/data.pkl", 10'000); });
    EXPECT_NE(said.find("damaged"), std::string::npos) << at << ": " << said;
  }
}

TEST_F(Archive, WhatCannotBeWrittenIsSaid) {
  const std::string said = error_of([&] {
    write_zip(folder / "no/such/folder/a.pt", {{"x", "y"}});
  });
  EXPECT_NE(said.find("no/such/folder/a.pt"), std::string::npos) << said;
}

}  // namespace
}  // namespace yolov7::network
