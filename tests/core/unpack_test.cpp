// Zip archives of strangers: all that they can claim.
#include "core/unpack.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zip.h>

#include <map>
#include <stop_token>

#include "core/file.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

struct Item {
  std::string name, content;
  mode_t mode = 0;  ///< of Unix, 0 = none
  bool stored = false;
};

class Unpack : public testing::Test {
 protected:
  void write(const std::vector<Item>& items) {
    int code = 0;
    zip_t* zip = zip_open(archive.c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
    for (const Item& item : items) {
      zip_source_t* source = zip_source_buffer(zip, item.content.data(), item.content.size(), 0);
      const zip_int64_t at = zip_file_add(zip, item.name.c_str(), source, ZIP_FL_ENC_UTF_8);
      ASSERT_GE(at, 0) << item.name << ": " << zip_strerror(zip);
      const auto index = static_cast<zip_uint64_t>(at);
      if (item.stored) zip_set_file_compression(zip, index, ZIP_CM_STORE, 0);
      if (item.mode != 0)
        zip_file_set_external_attributes(zip, index, 0, ZIP_OPSYS_UNIX,
                                         static_cast<zip_uint32_t>(item.mode) << 16);
    }
    ASSERT_EQ(zip_close(zip), 0) << zip_strerror(zip);
  }
  /// The archive's bytes with `from` replaced by `to`, of equal length.
  void patch(const std::string& from, const std::string& to) {
    std::string bytes = file::read(archive);
    ASSERT_EQ(from.size(), to.size());
    std::size_t found = 0;
    for (std::size_t at = 0; (at = bytes.find(from, at)) != std::string::npos; ++found)
      bytes.replace(at, from.size(), to);
    ASSERT_GT(found, 0u);
    test::write_text(archive, bytes);
  }
  Unpacked unpack() {
    std::filesystem::remove_all(out);
    std::filesystem::create_directory(out);
    return unpack_zip(archive, out, limits);
  }
  void expect_fault(const std::string& part) {
    const std::string said = test::error_of([&] { unpack(); });
    EXPECT_NE(said.find(part), std::string::npos) << said;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
    EXPECT_NE(said.find("a.zip"), std::string::npos) << said;
    EXPECT_EQ(outside(), 2u) << "something outside of the folder";  // the archive and the folder
  }
  std::size_t outside() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path()))
      ++count;
    return count;
  }
  test::ScratchFolder folder;
  std::filesystem::path archive = folder / "a.zip", out = folder / "out";
  UnpackLimits limits;
};

TEST_F(Unpack, FilesAndFolders) {
  write({{"train/", ""},
         {"train/images/ä b.txt", std::string(100'000, 'x')},
         {"data.yaml", "nc: 1\n", S_IFREG | 0644},
         {"stored", std::string("\0\xff", 2), 0, true},
         {"empty", ""}});
  const Unpacked result = unpack();
  EXPECT_EQ(result.files, 4u);
  EXPECT_EQ(result.bytes, 100'008u);
  EXPECT_EQ(test::read_text(out / "train/images/ä b.txt"), std::string(100'000, 'x'));
  EXPECT_EQ(test::read_text(out / "stored"), std::string("\0\xff", 2));
  EXPECT_TRUE(std::filesystem::is_directory(out / "train"));
  EXPECT_EQ(std::filesystem::file_size(out / "empty"), 0u);
}

TEST_F(Unpack, NamesThatLeadElsewhere) {
  for (const auto& [name, why] :
       std::vector<std::pair<std::string, std::string>>{{"../evil", "found '..'"},
                                                        {"a/../../evil", "found '..'"},
                                                        {"a/..", "found '..'"},
                                                        {"/evil", "an absolute one"},
                                                        {"//host/evil", "an absolute one"},
                                                        {"C:/evil", "found a drive"},
                                                        {"..\\evil", "found a backslash"},
                                                        {"\\\\host\\evil", "found a backslash"},
                                                        {"a//b", "an empty part"},
                                                        {"./a", "or '.'"},
                                                        {"a\nb", "control characters"},
                                                        {std::string(300, 'x'), "at most 255"}}) {
    write({{"good.txt", "x"}, {name, "evil"}});
    expect_fault(why);
    EXPECT_TRUE(std::filesystem::is_empty(out)) << "written before all names were looked at";
  }
  std::string deep;
  for (int i = 0; i < 31; ++i) deep += "d/";
  write({{deep + "f", "x"}});
  EXPECT_EQ(unpack().files, 1u);
  write({{deep + "d/f", "x"}});
  expect_fault("a path of at most 32 parts, found 33");
}

TEST_F(Unpack, LinksAndDevices) {
  write({{"link", "/etc/passwd", S_IFLNK | 0777}});
  expect_fault("link: expected a file, found a symbolic link");
  write({{"dir", "..", S_IFLNK | 0777}, {"dir/evil", "x"}});
  expect_fault("found a symbolic link");
  for (const mode_t kind : {S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK}) {
    write({{"thing", "", kind | 0666}});
    expect_fault("found a device or a pipe");
  }
}

TEST_F(Unpack, NamesTwice) {
  write({{"a.txt", "1"}, {"b.txt", "2"}});
  patch("b.txt", "a.txt");
  expect_fault(":");  // libzip refuses it, or we do
  write({{"a", "1"}, {"a/b", "2"}});
  expect_fault("a: it is a file and a folder");
  write({{"a/b", "2"}, {"a", "1"}});
  expect_fault("a: it stands there twice");
}

TEST_F(Unpack, Bombs) {
  // 200 MB of zeros are some 200 kB.
  write({{"zeros", std::string(200'000'000, '\0')}});
  ASSERT_LT(std::filesystem::file_size(archive), 2'000'000u);
  expect_fault("at most 100 times as large as the archive");
  limits.unchecked_bytes = 300'000'000;
  EXPECT_EQ(unpack().bytes, 200'000'000u);
  limits.entry_bytes = 199'999'999;
  expect_fault("zeros: expected at most 199999999 bytes, found 200000000");
  write({{"a", "12345"}, {"b", "12345"}, {"c", "1"}});
  limits.total_bytes = 10;
  expect_fault("expected at most 10 bytes in it, found more");
  limits.total_bytes = 11;
  EXPECT_EQ(unpack().files, 3u);
  limits.entries = 2;
  expect_fault("expected at most 2 entries, found 3");
}

TEST_F(Unpack, AnEntryThatIsLargerThanItClaims) {
  write({{"a", std::string(1000, 'a')}});
  // The uncompressed size stands as 32 bits in the local header and in the directory: 1000 → 900.
  patch(std::string("\xe8\x03\x00\x00", 4), std::string("\x84\x03\x00\x00", 4));
  expect_fault("a");
  EXPECT_FALSE(std::filesystem::exists(out / "a") && std::filesystem::file_size(out / "a") > 900);
}

TEST_F(Unpack, DamagedAndOtherFiles) {
  write({{"a", "the quick brown fox jumps over", 0, true}});
  patch("brown", "green");
  expect_fault("a is damaged");
  write({{"a", std::string(5000, 'q'), 0, true}});
  const std::string whole = file::read(archive);
  for (const std::size_t length : {whole.size() - 1, whole.size() - 30, std::size_t{100}}) {
    test::write_text(archive, whole.substr(0, length));
    expect_fault("expected a zip archive");
  }
  for (const char* text : {"", "hello", "<html>no such file</html>"}) {
    test::write_text(archive, text);
    expect_fault("expected a zip archive");
  }
}

TEST_F(Unpack, StopsAndNeverWritesOverSomething) {
  write({{"a", "1"}});
  std::filesystem::create_directory(out);
  test::write_text(out / "a", "before");
  EXPECT_NE(test::error_of([&] { unpack_zip(archive, out); }).find("cannot write"),
            std::string::npos);
  EXPECT_EQ(test::read_text(out / "a"), "before");
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(test::error_of([&] { unpack_zip(archive, out, {}, source.get_token()); }),
            "interrupted");
}

}  // namespace
}  // namespace yolov7
