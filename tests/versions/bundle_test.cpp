// Exports versions to a bundle file and imports them into another store.
#include "versions/bundle.hpp"

#include <cstdlib>
#include <map>
#include <random>

#include "tests/versions/version_fixture.hpp"
#include "versions/merge.hpp"
#include "versions/tar.hpp"
#include "versions/verify.hpp"

namespace yolov7::versions {
namespace {

class Bundle : public VersionFixture {
 protected:
  void SetUp() override {
    write_set();
    first_ = commit().entry.id;
    scratch.write("data/labels/train/0.txt", row(1, 0.25));
    second_ = commit().entry.id;
  }
  Bundled write(const std::string& name = "x.tar") {
    Store from = store();
    return write_bundle(from, {"pets@v1", "pets@v2"}, scratch / name, {});
  }
  Bundled read(const std::string& name = "x.tar") {
    Store to = Store::open_or_make(scratch / "elsewhere");
    return read_bundle(to, scratch / name, {});
  }
  Digest first_{}, second_{};
};

TEST_F(Bundle, TheSameVersionsOnTheOtherSide) {
  const Bundled out = write();
  EXPECT_EQ(out.objects, 8u);
  const Bundled in = read();
  ASSERT_EQ(in.entries.size(), 2u);
  EXPECT_EQ(in.entries[0].id, first_);
  EXPECT_EQ(in.entries[1].id, second_);
  EXPECT_EQ(in.entries[1].boxes, 8u);
  EXPECT_EQ(in.entries[1].author, "somebody");
  EXPECT_EQ(in.there, 0u);
  Store to = Store::open(scratch / "elsewhere");
  EXPECT_TRUE(verify(to, {{}, 1, {}}).damages.empty());
  EXPECT_EQ(to.find("pets@v2").created, store().find("pets@v2").created);
  EXPECT_EQ(read().there, 8u);  // once more: nothing new
  EXPECT_EQ(to.history().size(), 2u);
}

TEST_F(Bundle, ReplacesABundleAndNothingElse) {
  write();
  write();
  scratch.write("x.tar", "names: [a]");
  EXPECT_NE(test::error_of([&] { write(); }).find("expected no file, or an earlier bundle"),
            std::string::npos);
  EXPECT_EQ(scratch.read("x.tar"), "names: [a]");
}

TEST_F(Bundle, SameVersionsGiveTheSameBytes) {
  write("a.tar");
  write("b.tar");
  EXPECT_EQ(scratch.read("a.tar"), scratch.read("b.tar"));
  // The time of an entry, 11 octal digits at byte 136 of its header, is not that of writing.
  EXPECT_EQ(scratch.read("a.tar").substr(136, 11), "00000000000");
}

TEST_F(Bundle, AMissingImageAddsNoVersion) {
  scratch.write("data/images/train/9.bmp", bitmap(9));
  scratch.write("data/labels/train/9.txt", row(1, 0.25));
  commit();
  Store from = store();
  write_bundle(from, {"pets@v1", "pets@v3"}, scratch / "x.tar", {});
  const std::string call =
      "tar --delete -f '" + (scratch / "x.tar").string() + "' objects/" + sha256(bitmap(9));
  ASSERT_EQ(std::system(call.c_str()), 0);
  EXPECT_NE(test::error_of([&] { read(); }).find(sha256(bitmap(9))), std::string::npos);
  EXPECT_TRUE(Store::open(scratch / "elsewhere").history().empty());
}

// Both stores go on from version 1; what comes in did not come from the newest that is there.
TEST_F(Bundle, AVersionKeepsItsParent) {
  Store from = store();
  write_bundle(from, {"pets@v1"}, scratch / "x.tar", {});
  ASSERT_EQ(read().entries.size(), 1u);
  write_set(6, 2, "other");
  scratch.write("other/labels/train/1.txt", row(1, 0.75));
  CreateOptions o = options("other");
  o.store = scratch / "elsewhere";
  EXPECT_EQ(create(o).entry.parent, first_);
  write_bundle(from, {"pets@v2"}, scratch / "y.tar", {});
  const Bundled in = read("y.tar");
  ASSERT_EQ(in.entries.size(), 1u);
  EXPECT_EQ(in.entries[0].number, 3);
  EXPECT_EQ(in.entries[0].parent, first_);
  EXPECT_FALSE(in.entries[0].second_parent.has_value());
  Store to = Store::open(scratch / "elsewhere");
  MergeOptions m;
  m.ours = "pets@v2", m.theirs = "pets@v3", m.author = "somebody";
  const Merged merged = merge(to, m);
  EXPECT_EQ(merged.base.id, first_);
  ASSERT_TRUE(merged.entry.has_value());
  std::map<std::string, std::string> labels;
  for (const Item& item : to.content(merged.entry->id).items)
    labels[item.path] = to.text(item.annotations.value());
  EXPECT_EQ(labels["images/train/0.bmp"], "yolo\n1 0.25 0.5 0.25 0.25\n");  // of theirs
  EXPECT_EQ(labels["images/train/1.bmp"], "yolo\n1 0.75 0.5 0.25 0.25\n");  // of ours
}

// A bundle by hand whose version names one path twice, with two images: its hashes are right.
TEST_F(Bundle, TwoImagesOfOnePathAreRefused) {
  const std::string class_text = "classes 1\nkey points 0 0\ncat\n";
  const std::string page = "a.bmp\ttrain\t" + sha256(bitmap(1)) + "\t-\n" + "a.bmp\ttrain\t" +
                           sha256(bitmap(2)) + "\t-\n";
  const std::string root = "yolov7.cpp data set version 1\nclasses " + sha256(class_text) +
                           "\npage " + sha256(page) + "\n";
  std::string texts;
  for (const std::string& text : {class_text, page, root})
    texts += sha256(text) + " " + std::to_string(text.size()) + "\n" + text + "\n";
  const std::string head =
      "{\"format\":\"yolov7.cpp bundle of data set versions, format 1\",\"versions\":[{\"name\":"
      "\"bad\",\"id\":\"" +
      sha256(root) + "\",\"message\":\"\",\"author\":\"\",\"program\":\"\",\"created\":\"\"}]}";
  TarWriter tar(scratch / "bad.tar");
  const auto put = [&](const std::string& name, const std::string& bytes) {
    tar.begin(name, bytes.size());
    tar.write(bytes);
  };
  put("bundle.json", head);
  put("texts", texts);
  for (const int shade : {1, 2}) put("objects/" + sha256(bitmap(shade)), bitmap(shade));
  tar.finish();
  EXPECT_NE(test::error_of([&] { read("bad.tar"); })
                .find("expected images sorted by path and split, each once, found a.bmp (train) "
                      "behind a.bmp (train)"),
            std::string::npos);
  EXPECT_TRUE(Store::open(scratch / "elsewhere").history().empty());
}

// The program tar unpacks the bundle.
TEST_F(Bundle, IsATarFile) {
  write();
  const std::string call =
      "cd '" + scratch.path().string() + "' && mkdir out && tar -xf x.tar -C out";
  ASSERT_EQ(std::system(call.c_str()), 0);
  EXPECT_EQ(scratch.read("out/objects/" + sha256(bitmap(3))), bitmap(3));
}

TEST_F(Bundle, DamageIsSeenBeforeTheStoreKnowsAVersion) {
  write();
  const std::string whole = scratch.read("x.tar");
  const auto damaged = [&](std::size_t at, const std::string& bytes) {
    std::string text = whole;
    text.replace(at, bytes.size(), bytes);
    scratch.write("bad.tar", text);
    return test::error_of([&] { read("bad.tar"); });
  };
  const std::size_t pixel = whole.find(std::string(16 * 16 * 3, '\x05')) + 100;
  EXPECT_NE(damaged(pixel, "x").find("is damaged: its SHA-256 is"), std::string::npos);
  EXPECT_NE(damaged(whole.find("yolo\n") + 5, "9").find("is damaged"), std::string::npos);
  EXPECT_NE(damaged(0, "c").find("expected a bundle of versions"), std::string::npos);
  scratch.write("bad.tar", whole.substr(0, whole.size() - 3000));
  EXPECT_NE(test::error_of([&] { read("bad.tar"); }).find("ends too soon"), std::string::npos);
  scratch.write("bad.tar", "something else");
  EXPECT_NE(test::error_of([&] { read("bad.tar"); }).find("expected a bundle"), std::string::npos);
  // Without the last image: the file is cut where the header of the last entry begins.
  const std::size_t last = whole.rfind("objects/");
  scratch.write("bad.tar", whole.substr(0, last) + std::string(1024, '\0'));
  EXPECT_NE(test::error_of([&] { read("bad.tar"); }).find("neither in the bundle nor in the store"),
            std::string::npos);
  Store to = Store::open_or_make(scratch / "elsewhere");
  EXPECT_TRUE(to.history().empty());
}

// A bundle with random changes never damages the store, which has two versions.
TEST_F(Bundle, MutationsAreErrorsOrHarmless) {
  write();
  const std::string whole = scratch.read("x.tar");
  ASSERT_EQ(read().entries.size(), 2u);
  std::mt19937 random(5);
  Store to = Store::open_or_make(scratch / "elsewhere");
  for (int i = 0; i < 60; ++i) {
    std::string bytes = whole;
    for (int k = 0; k < 3; ++k) bytes[random() % bytes.size()] = static_cast<char>(random());
    if (i % 5 == 0) bytes.resize(random() % bytes.size());
    scratch.write("bad.tar", bytes);
    try {
      read_bundle(to, scratch / "bad.tar", {});
    } catch (const Error&) {
    }
    EXPECT_TRUE(verify(to, {{}, 1, {}}).damages.empty()) << i;
    EXPECT_EQ(to.find("pets@v1").id, first_) << i;
    EXPECT_EQ(to.find("pets@v2").id, second_) << i;
  }
}

TEST(Tar, AnEntryHasExactlyTheDeclaredBytes) {
  const test::ScratchFolder scratch;
  TarWriter tar(scratch / "x.tar");
  tar.begin("a", 3);
  tar.write("ab");
  EXPECT_NE(test::error_of([&] { tar.write("cd"); }).find("expected 1 further"), std::string::npos);
  EXPECT_NE(test::error_of([&] { tar.finish(); }).find("found the end"), std::string::npos);
  EXPECT_NE(test::error_of([&] { tar.begin("b", 1); }).find("found the end"), std::string::npos);
  EXPECT_NE(test::error_of([&] { tar.begin(std::string(101, 'a'), 1); }).find("100 bytes"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::versions
