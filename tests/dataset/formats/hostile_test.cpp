// Bad files of every format: read with named drops, or refused in one line that names the file;
// nothing outside the source is touched. YOLOV7_MUTATIONS sets how many (2,000; soak: 100,000).
#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdlib>

#include "dataset/formats/convert.hpp"
#include "tests/dataset/data_fixture.hpp"
#include "tests/dataset/formats/format_seeds.hpp"
#include "tests/numbers.hpp"

namespace yolov7::dataset {
namespace {

namespace fs = std::filesystem;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

/// Every run of digits, with its sign and point, becomes `to`.
std::string with_numbers(const std::string& text, const std::string& to) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = text.find_first_not_of("0123456789.-", i);
    if (std::isdigit(static_cast<unsigned char>(text[i])) != 0) {
      out += to;
      i = std::min(end, text.size());
    } else {
      out += text[i++];
    }
  }
  return out;
}

std::string as_utf16(const std::string& text) {
  std::string out = "\xFF\xFE";
  for (const char c : text) out += std::string{c, '\0'};
  return out;
}

std::string repeated(const std::string& text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

class Hostile : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    test::write_format_seed(source, GetParam());
    test::write_gray(folder / "secret.png", 100, 50, 200);
    for (const fs::path& file : test::annotation_files(source))
      files.emplace_back(file, test::read_text(file));
  }
  /// One file with another content.
  void with(const fs::path& file, const std::string& content, const std::string& what) {
    test::write_text(file, content);
    look(fmt::format("{} in {}", what, file.filename().string()));
    for (const auto& [path, whole] : files)
      if (path == file) test::write_text(file, whole);
  }
  /// Every file changed in one way.
  template <class Change>
  void change(const std::string& what, Change changed) {
    for (const auto& [file, whole] : files) with(file, changed(whole), what);
  }
  /// Whatever happens is within the rules.
  void look(const std::string& what) {
    const auto start = std::chrono::steady_clock::now();
    ConvertOptions options;
    options.source = source;
    options.from = GetParam();
    options.read.unpack_folder = folder / "unpacked";
    options.read.names = {};
    options.prepare.decode = false;
    options.prepare.threads = 1;
    Conversion account;
    try {
      check(read_annotations_of(options, account), account, what);
    } catch (const Error& error) {
      const std::string said = error.what();
      EXPECT_EQ(said.find('\n'), std::string::npos) << what << ": " << said;
      EXPECT_LT(said.size(), 3000u) << what << ": " << said;
      bool named = said.find(source.string()) != std::string::npos;
      for (const auto& [file, whole] : files)
        named |= said.find(file.filename().string()) != std::string::npos;
      EXPECT_TRUE(named) << what << ": " << said;
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    EXPECT_LT(seconds, 60) << what;
  }
  void check(const AnnotatedSet& set, const Conversion& account, const std::string& what) {
    for (const ConversionDrop& drop : account.drops)
      EXPECT_EQ(drop.reason.find('\n'), std::string::npos) << what << ": " << drop.reason;
    for (const AnnotatedImage& image : set.images) {
      const std::string place = fs::weakly_canonical(image.file).string();
      const bool inside =
          place.starts_with(fs::weakly_canonical(source).string() + "/") ||
          place.starts_with(fs::weakly_canonical(folder / "unpacked").string() + "/");
      EXPECT_TRUE(inside) << what << ": " << place;
      for (const AnnotatedObject& object : image.objects) {
        const Xyxy& b = object.box;
        EXPECT_TRUE(std::isfinite(b.x1) && std::isfinite(b.y1) && std::isfinite(b.x2) &&
                    std::isfinite(b.y2))
            << what;
        EXPECT_TRUE(object.class_index >= 0 &&
                    static_cast<std::size_t>(object.class_index) < set.classes.size())
            << what;
      }
    }
  }

  test::TemporaryFolder folder;
  fs::path source = folder / "source";
  std::vector<std::pair<fs::path, std::string>> files;
};

TEST_P(Hostile, SeedIsRight) {
  ConvertOptions options;
  options.source = source;
  options.read.unpack_folder = folder / "unpacked";
  Conversion account;
  const AnnotatedSet set = read_annotations_of(options, account);
  EXPECT_EQ(account.from, GetParam());
  EXPECT_GE(account.boxes.out, 1u);
}

TEST_P(Hostile, CutAnywhere) {
  for (const auto& [file, whole] : files)
    for (int part = 0; part < 24; ++part)
      with(file, whole.substr(0, whole.size() * static_cast<std::size_t>(part) / 24),
           fmt::format("cut at {}/24", part));
}

TEST_P(Hostile, NumbersThatAreNone) {
  for (const char* number :
       {"NaN", "nan", "inf", "-Infinity", "1e999", "-1", "9223372036854775808", "2147483648",
        "18446744073709551616", "\"x\"", "x", "null", "[]", "{}", "0", "1e308", ""})
    change(fmt::format("numbers as {}", number),
           [&](const std::string& whole) { return with_numbers(whole, number); });
}

TEST_P(Hostile, WrongTypes) {
  for (const auto& [from, to] :
       {std::pair("[", "{"), std::pair("{", "["), std::pair("\"", "'"), std::pair(":", ","),
        std::pair("[", "5"), std::pair("\"x\"", "7"), std::pair("\"x\"", "null"),
        std::pair("\"x\"", "[]"), std::pair(",", ";"), std::pair(" ", "\t"), std::pair("\n", "")})
    change(fmt::format("{} for {}", to, from),
           [from = from, to = to](const std::string& whole) { return replaced(whole, from, to); });
}

TEST_P(Hostile, Encodings) {
  change("UTF-16", as_utf16);
  change("a byte order mark", [](const std::string& whole) { return "\xEF\xBB\xBF" + whole; });
  change("Latin-1", [](const std::string& whole) { return replaced(whole, "x", "\xE9"); });
  change("zeros",
         [](const std::string& whole) { return replaced(whole, "x", std::string(1, '\0')); });
  change("another kind", [](const std::string&) { return std::string("\x1f\x8b\x08\x00PNG\r\n"); });
  change("nothing", [](const std::string&) { return std::string(); });
  change("the same twice", [](const std::string& whole) { return whole + whole; });
}

TEST_P(Hostile, DepthAndBombs) {
  for (const char* open : {"[", "{\"a\":", "<a>", "- ", "((", "item {"})
    change(fmt::format("100,000 × {}", open), [&](const std::string& whole) {
      const std::string deep = repeated(open, 100'000);
      const auto inside = whole.find_first_of("[>");
      return inside == std::string::npos ? deep : whole.substr(0, inside + 1) + deep;
    });
  std::string bomb = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b0 \"ha\">";
  for (int i = 1; i < 40; ++i) bomb += fmt::format("<!ENTITY b{} \"&b{};&b{};\">", i, i - 1, i - 1);
  bomb += "<!ENTITY file SYSTEM \"file:///etc/passwd\">]>";
  change("entities", [&](const std::string& whole) {
    return bomb + replaced(replaced(whole, ">x<", ">&b39;<"), "\"x\"", "\"&file;\"");
  });
}

TEST_P(Hostile, PathsThatLeadOut) {
  for (const char* path :
       {"../secret.png", "../../../../../etc/passwd", "/etc/passwd",
        "\\\\\\\\server\\\\share\\\\a.png", "C:\\\\a.png", "//server/share/secret.png",
        "file:///etc/passwd", "http://127.0.0.1:9/a.png", "a.png/../../secret.png", "", ".", "..",
        "/", "a\\u0000.png"})
    for (const char* name : {"a.png", "b.png"})
      change(fmt::format("'{}' for {}", path, name),
             [&](const std::string& whole) { return replaced(whole, name, path); });
  fs::create_symlink(folder / "secret.png", source / "z.png");
  change("a link", [](const std::string& whole) { return replaced(whole, "a.png", "z.png"); });
}

std::string mutated(std::string s, test::Numbers& numbers) {
  static const std::string telling = "{}[]<>\"',:;&%#\\/=-+.eE0129\n\t \xFF\x80";
  const std::size_t changes = numbers.below(2) == 0 ? 1 : 1 + numbers.below(8);
  for (std::size_t i = 0; i < changes && !s.empty(); ++i) {
    const std::size_t at = numbers.below(s.size()),
                      length = 1 + numbers.below(std::min<std::size_t>(s.size() - at, 64));
    switch (numbers.below(6)) {
      case 0: s[at] = static_cast<char>(s[at] ^ (1 << numbers.below(8))); break;
      case 1: s[at] = telling[numbers.below(telling.size())]; break;
      case 2: s.erase(at, length); break;
      case 3: s.insert(at, s.substr(numbers.below(s.size()), length)); break;
      case 4: s.insert(at, 1, telling[numbers.below(telling.size())]); break;
      default: s.insert(at, repeated("9", 1 + numbers.below(20)));
    }
  }
  return s;
}

TEST_P(Hostile, Mutations) {
  const char* given = std::getenv("YOLOV7_MUTATIONS");
  const std::size_t all = given == nullptr ? 2000 : static_cast<std::size_t>(std::atoi(given));
  const std::size_t count = all / test::read_formats().size() + 1;
  for (std::size_t i = 0; i < count && !HasFailure(); ++i) {
    test::Numbers numbers(i);
    const auto& [file, whole] = files[numbers.below(files.size())];
    with(file, mutated(whole, numbers), fmt::format("mutation {}", i));
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  EXPECT_LT(usage.ru_maxrss, 3 << 20);  // KiB: with what the other suites of this process hold
}

INSTANTIATE_TEST_SUITE_P(Formats, Hostile, testing::ValuesIn(test::read_formats()),
                         [](const auto& one) {
                           std::string name = one.param;
                           for (char& c : name)
                             if (c == '-') c = '_';
                           return name;
                         });

}  // namespace
}  // namespace yolov7::dataset
