#pragma once
// A source folder made by code, read as a format, and converted.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "dataset/formats/convert.hpp"
#include "tests/dataset/data_fixture.hpp"

namespace yolov7::test {

class FormatFiles : public testing::Test {
 protected:
  /// A gray PNG; each has another shade, so that no two are the same image.
  void image(const std::string& place, int width = 100, int height = 50) {
    write_gray(source / place, width, height, shade_++);
  }
  void file(const std::string& place, const std::string& content) {
    write_text(source / place, content);
  }
  dataset::AnnotatedSet read(const std::string& format) {
    account = {};
    options.source = one_file.empty() ? source : source / one_file;
    options.from = format;
    return dataset::read_annotations_of(options, account);
  }
  /// The message of reading, which must fail.
  std::string fault(const std::string& format) {
    return error_of([&] { read(format); });
  }
  /// Whether a box, an image or an annotation was dropped for such a reason.
  bool dropped(const std::string& reason) const {
    for (const auto& drop : account.drops)
      if (drop.reason.find(reason) != std::string::npos) return true;
    return false;
  }
  bool noted(const std::string& words) const {
    for (const auto& note : account.notes)
      if (note.reason.find(words) != std::string::npos) return true;
    return false;
  }
  /// How many of something are lost in a conversion of the source.
  static std::size_t lost(const dataset::Conversion& conversion, const std::string& what) {
    std::size_t count = 0;
    for (const auto& loss : conversion.losses)
      if (loss.what == what && loss.where.empty()) count += loss.count;
    return count;
  }
  /// Converts the source to folder / `to`.
  dataset::Conversion write(const std::string& to) {
    options.source = source;
    options.out = folder / to;
    options.to = to;
    return dataset::convert(options);
  }
  /// All that is said, for messages of failing tests.
  std::string said() const {
    std::string text;
    for (const auto& drop : account.drops) text += drop.kind + ": " + drop.reason + "\n";
    for (const auto& note : account.notes) text += "note: " + note.reason + "\n";
    return text;
  }

  TemporaryFolder folder;
  std::filesystem::path source = folder / "source";
  std::string one_file;
  dataset::ConvertOptions options;
  dataset::Conversion account;

 private:
  int shade_ = 1;
};

}  // namespace yolov7::test
