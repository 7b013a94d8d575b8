// The table of checks, and what concerns the set as a whole: names, balance, copies.
#include "dataset/doctor/checks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/text.hpp"
#include "dataset/doctor/doctor.hpp"
#include "dataset/doctor/read_subject.hpp"
#include "image/codec/codec.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::dataset::doctor {
namespace {

namespace fs = std::filesystem;

cv::Mat blobs(int seed) {
  cv::Mat image(240, 320, CV_8UC3, cv::Scalar::all(120));
  cv::RNG random(static_cast<std::uint64_t>(seed) + 1);
  for (int i = 0; i < 40; ++i)
    cv::circle(image, {random.uniform(0, 320), random.uniform(0, 240)}, random.uniform(5, 30),
               cv::Scalar(random.uniform(0, 255), random.uniform(0, 255), random.uniform(0, 255)),
               cv::FILLED);
  return image;
}

class Checks : public testing::Test {
 protected:
  void add(const std::string& split, const std::string& name, const cv::Mat& image,
           const std::string& rows) {
    const fs::path file = folder / "images" / split / name;
    fs::create_directories(file.parent_path());
    write_picture(file, image);
    test::write_text(folder / "labels" / split / fs::path(name).replace_extension(".txt"), rows);
  }
  Diagnosis diagnosis(const std::string& names, const std::vector<std::string>& skipped = {}) {
    folder.write("data.yaml", "train: images/train\nval: images/val\nnames: " + names + "\n");
    return diagnose(read_subject(read_description(folder / "data.yaml"), {}), {skipped});
  }
  static std::size_t count(const Diagnosis& all, std::string_view check) {
    return static_cast<std::size_t>(
        std::count_if(all.findings.begin(), all.findings.end(),
                      [&](const Finding& one) { return one.check == check; }));
  }
  static const Finding* first(const Diagnosis& all, std::string_view check) {
    for (const Finding& one : all.findings)
      if (one.check == check) return &one;
    return nullptr;
  }
  test::KeptMessages messages;
  test::TemporaryFolder folder;
};

TEST_F(Checks, NamesAndBalance) {
  std::string many;
  for (int i = 0; i < 102; ++i) many += "0 0.5 0.5 0." + std::to_string(100 + i) + " 0.2\n";
  add("train", "a.png", blobs(1), many + "1 0.2 0.2 0.1 0.1\n");
  add("val", "b.png", blobs(2), "0 0.5 0.5 0.2 0.2\n2 0.5 0.5 0.1 0.1\n");
  const Diagnosis all = diagnosis("[Cat, c-at, dog, bird, bird]");
  EXPECT_EQ(count(all, "names-alike"), 1U);         // Cat and c-at
  EXPECT_EQ(count(all, "name-twice"), 1U);          // bird
  EXPECT_EQ(count(all, "untrained-class"), 1U);     // dog is in val alone
  EXPECT_EQ(count(all, "class-not-in-split"), 1U);  // c-at is in train alone
  EXPECT_EQ(count(all, "absent-class"), 2U);        // both birds
  EXPECT_EQ(count(all, "rare-class"), 1U);          // c-at: 1 of 102
  EXPECT_EQ(first(all, "rare-class")->severity, Severity::info);
}

TEST_F(Checks, ANameThatStandsTwiceIsFoundBesideOneThatIsLikeIt) {
  add("train", "a.png", blobs(1), "0 0.5 0.5 0.2 0.2\n");
  add("val", "b.png", blobs(2), "0 0.4 0.4 0.2 0.2\n");
  const Diagnosis all = diagnosis("[Cat, cat, cat]");
  ASSERT_EQ(count(all, "name-twice"), 1U);
  EXPECT_EQ(first(all, "name-twice")->text, "class 1 'cat' and class 2 'cat'");
  ASSERT_EQ(count(all, "names-alike"), 1U);
  EXPECT_EQ(first(all, "names-alike")->text, "class 0 'Cat' and class 1 'cat'");
}

TEST_F(Checks, CopiesWithinAndAcrossSplits) {
  const cv::Mat one = blobs(1), other = blobs(2);
  add("train", "one.png", one, "0 0.5 0.5 0.2 0.2\n");
  add("train", "again.png", one, "0 0.5 0.5 0.2 0.2\n");
  add("val", "leak.png", one, "0 0.5 0.5 0.2 0.2\n");
  add("val", "other.png", other, "0 0.4 0.4 0.2 0.2\n");
  cv::Mat mirrored;
  cv::flip(other, mirrored, 1);
  add("train", "mirrored.png", mirrored, "0 0.6 0.4 0.2 0.2\n");
  const Diagnosis all = diagnosis("[a]");
  // The copy in val stays; both in train are told as leaks of it.
  EXPECT_EQ(count(all, "leaked-image"), 2U);
  EXPECT_EQ(count(all, "image-twice"), 0U);
  ASSERT_EQ(count(all, "near-leak"), 1U);
  EXPECT_EQ(first(all, "near-leak")->file.filename(), "mirrored.png");
  EXPECT_NE(first(all, "near-leak")->text.find("other.png in val"), std::string::npos);
}

// Three flat images of two grays and one with structure: the two of one gray have equal pixels in
// other bytes, since one is PNG and one is BMP.
TEST_F(Checks, PlainImagesAreCountedAndTheirPixelsCompared) {
  const auto flat = [](int gray) { return cv::Mat(64, 96, CV_8UC3, cv::Scalar::all(gray)); };
  add("train", "flat.png", flat(90), "0 0.5 0.5 0.2 0.2\n");
  add("val", "same.bmp", flat(90), "0 0.5 0.5 0.2 0.2\n");
  add("train", "darker.png", flat(20), "0 0.5 0.5 0.2 0.2\n");
  add("train", "blobs.png", blobs(1), "0 0.5 0.5 0.2 0.2\n");
  const Diagnosis all = diagnosis("[a]");
  EXPECT_EQ(all.plain, 3U);
  EXPECT_EQ(to_json(all)["plain"], 3);
  EXPECT_TRUE(
      text::contains(lines_of(all, 10),
                     "3 images have no structure to compare: only equal pixels were looked for"));
  EXPECT_EQ(count(all, "leaked-image") + count(all, "near-twice"), 0U);
  ASSERT_EQ(count(all, "near-leak"), 1U);
  EXPECT_EQ(first(all, "near-leak")->file.filename(), "flat.png");
  EXPECT_NE(first(all, "near-leak")->text.find("same.bmp in val (the same pixels)"),
            std::string::npos)
      << first(all, "near-leak")->text;
}

TEST_F(Checks, FindingsAreSortedAndCanBeSkipped) {
  add("train", "a.png", blobs(1), "0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\nx\n");
  add("val", "b.png", blobs(2), "0 0.5 0.5 0.2 0.2\n");
  const Diagnosis all = diagnosis("[a]");
  ASSERT_EQ(all.findings.size(), 2U);
  EXPECT_EQ(all.findings[0].check, "unreadable-row");
  EXPECT_EQ(all.findings[0].line, 3);
  EXPECT_EQ(all.findings[1].check, "equal-rows");
  EXPECT_EQ(to_json(all.findings[0])["severity"], "error");
  EXPECT_EQ(diagnosis("[a]", {"unreadable-row"}).findings.size(), 1U);
  EXPECT_NE(test::error_of([&] { diagnosis("[a]", {"equal-row"}); }).find("'equal-rows'"),
            std::string::npos);
}

// Line 3 is line 2 again, and both lie on the box of line 1.
TEST_F(Checks, ARepeatedRowIsFoundBesideABoxOfAnotherClass) {
  add("train", "a.png", blobs(1), "1 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n");
  add("val", "b.png", blobs(2), "0 0.4 0.4 0.2 0.2\n");
  const Diagnosis all = diagnosis("[a, b]");
  ASSERT_EQ(count(all, "equal-rows"), 1U);
  EXPECT_EQ(first(all, "equal-rows")->line, 3);
  EXPECT_EQ(count(all, "two-classes"), 2U);
}

// As float32, 1.0000005 is more than 1 and 1.00000003 is 1; the box reaches 2.5e-7 out.
TEST_F(Checks, AValueIsOutOfRangeWhereTrainingLeavesItsImageOut) {
  add("train", "a.png", blobs(1), "0 0.5 0.5 1.0000005 1.0000005\n");
  add("val", "b.png", blobs(2), "0 0.5 0.5 1.00000003 1.00000003\n");
  const Diagnosis all = diagnosis("[a]");
  EXPECT_EQ(all.subject.splits[0].index.corrupt, 1U);
  EXPECT_EQ(all.subject.splits[1].index.corrupt, 0U);
  ASSERT_EQ(count(all, "out-of-range"), 1U);
  ASSERT_EQ(first(all, "out-of-range")->changes.size(), 1U);
  EXPECT_EQ(first(all, "out-of-range")->changes.front().after, "0 0.5 0.5 1 1");
  EXPECT_NE(first(all, "out-of-range")->text.find("1.0000005"), std::string::npos);
}

TEST_F(Checks, ANegativeClassIsNoSignOfAShortList) {
  add("train", "a.png", blobs(1), "-1 0.5 0.5 0.2 0.2\n");
  add("val", "b.png", blobs(2), "0 0.4 0.4 0.2 0.2\n5 0.4 0.4 0.1 0.1\n");
  const Diagnosis all = diagnosis("[a, b]");
  ASSERT_EQ(count(all, "unknown-class"), 2U);
  EXPECT_EQ(first(all, "unknown-class")->cause, "");
  EXPECT_EQ(all.findings[1].cause, "class list too short");
}

// Classes 1 to 3 of three: counted from 1, if they counted.
TEST_F(Checks, WhereAllClassesCountAsOneNoneIsUnknownOrAbsent) {
  add("train", "a.png", blobs(1), "1 0.5 0.5 0.2 0.2\n3 0.5 0.5 0.2 0.2\n");
  add("val", "b.png", blobs(2), "2 0.4 0.4 0.2 0.2\n");
  EXPECT_TRUE(diagnosis("[a, b, c]").causes.one_based);
  SubjectOptions one;
  one.single_cls = true;
  const Diagnosis all = diagnose(read_subject(read_description(folder / "data.yaml"), one), {});
  EXPECT_FALSE(all.causes.one_based);
  for (const char* check : {"unknown-class", "classes-from-1", "two-classes", "absent-class",
                            "untrained-class", "class-not-in-split"})
    EXPECT_EQ(count(all, check), 0U) << check;
  EXPECT_EQ(count(all, "box-twice"), 1U);
}

TEST_F(Checks, ClassesFromOneInTheWholeSet) {
  add("train", "a.png", blobs(1), "1 0.5 0.5 0.2 0.2\n2 0.2 0.2 0.1 0.1\n");
  add("val", "b.png", blobs(2), "2 0.5 0.5 0.2 0.2\n");
  const Diagnosis all = diagnosis("[a, b]");
  EXPECT_TRUE(all.causes.one_based);
  ASSERT_EQ(count(all, "classes-from-1"), 2U);
  EXPECT_EQ(first(all, "classes-from-1")->changes.front().after, "0 0.5 0.5 0.2 0.2");
}

TEST(CheckTable, IsInTheDocs) {
  const std::string page = test::read_text(fs::path(YOLOV7_SOURCE_DIR) / "docs/data-check.md");
  EXPECT_NE(page.find(check_table_text()), std::string::npos) << check_table_text();
}

}  // namespace
}  // namespace yolov7::dataset::doctor
