// Files of every format that OpenVINO reads for us, cut and changed: read, or refused in one line.
// YOLOV7_MUTATIONS sets how many changes of each (40; the soak test: 4,000).
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "exporting/format_table.hpp"
#include "runtime/openvino/model_file.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/numbers.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

namespace fs = std::filesystem;

struct Seed {
  const char* format;
  const char* path;     // what is opened
  const char* changed;  // the file that is changed, below it
};
const Seed seeds[] = {{"onnx", "x.onnx", ""},
                      {"tflite", "x.tflite", ""},
                      {"pb", "x.pb", ""},
                      {"saved_model", "x_saved_model", "saved_model.pb"},
                      {"openvino", "x_openvino_model", "w.xml"}};

fs::path changed_file(const fs::path& folder, const Seed& seed) {
  return seed.changed[0] == '\0' ? folder / seed.path : folder / seed.path / seed.changed;
}

constexpr int height = 32, width = 40;

void write_seed(const fs::path& folder, const Seed& seed) {
  ExportOptions options;
  options.grid = true;
  options.weights = "w.pt";
  format(seed.format)
      .write(export_model(every_primitive(3), height, width, options), options, folder / seed.path);
}

/// "" where the file ran; else the message, which is one line in our words.
std::string open_and_run(const fs::path& path) {
  try {
    const runtime::ModelFile file = runtime::open_model_file(path, {});
    const runtime::InputSides sides = file.detector->sides();
    const int h = sides.fixed() ? sides.height : height, w = sides.fixed() ? sides.width : width;
    if (std::int64_t{h} * w > 1'000'000) return "large";
    const std::vector<std::uint8_t> pixels(static_cast<std::size_t>(3 * h * w), 100);
    runtime::Prediction prediction;
    file.detector->predict({pixels, 1, h, w}, prediction);
    EXPECT_EQ(prediction.decoded.size(),
              prediction.rows * static_cast<std::size_t>(prediction.columns));
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

void expect_clear(const std::string& message, const std::string& what) {
  EXPECT_EQ(message.find('\n'), std::string::npos) << what << ": " << message;
  for (const char* raw : {"Exception from", " at src/", "\\x0a", "Check '", "std::"})
    EXPECT_EQ(message.find(raw), std::string::npos) << what << ": " << message;
  EXPECT_LT(message.size(), 600U) << what << ": " << message;
}

/// Most of a file is weights, any of which is as good as another: changes go where words are.
std::string mutated(std::string s, test::Numbers& numbers) {
  const std::size_t changes = numbers.below(2) == 0 ? 1 : 1 + numbers.below(6);
  for (std::size_t i = 0; i < changes && s.size() > 8; ++i) {
    std::size_t at = numbers.below(s.size());
    for (int tries = 0; tries < 50; ++tries) {
      const std::size_t word = numbers.below(s.size() - 4);
      const auto letter = [&](std::size_t k) {
        return std::isalnum(static_cast<unsigned char>(s[word + k])) != 0;
      };
      if (!letter(0) || !letter(1) || !letter(2) || !letter(3)) continue;
      at = std::min(s.size() - 1, std::max<std::size_t>(word + numbers.below(40), 20) - 20);
      break;
    }
    const std::size_t length = 1 + numbers.below(std::min<std::size_t>(s.size() - at, 8));
    switch (numbers.below(6)) {
      case 0: s[at] = static_cast<char>(s[at] ^ (1 << numbers.below(8))); break;
      case 1:
      case 2: s[at] = static_cast<char>(numbers.next()); break;
      case 3: s.erase(at, length); break;
      case 4: s.insert(at, s.substr(numbers.below(s.size()), length)); break;
      default:
        for (std::size_t k = at; k < std::min(at + 4, s.size()); ++k)
          s[k] = static_cast<char>(numbers.below(3) == 0 ? 0 : 0xFF);
    }
  }
  return s;
}

}  // namespace

TEST(ReadBackHostile, CutFilesAreRefusedInOneLine) {
  for (const Seed& seed : seeds) {
    const test::ScratchFolder folder;
    write_seed(folder.path(), seed);
    ASSERT_EQ(open_and_run(folder / seed.path), "") << seed.format;
    const fs::path file = changed_file(folder.path(), seed);
    const std::string whole = test::read_text(file);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{7}, std::size_t{40},
                                   whole.size() / 3, whole.size() / 2, whole.size() - 9}) {
      test::write_text(file, whole.substr(0, size));
      ::testing::internal::CaptureStderr();
      const std::string message = open_and_run(folder / seed.path);
      const std::string noise = ::testing::internal::GetCapturedStderr();
      const std::string what = std::string(seed.format) + ", " + std::to_string(size) + " bytes";
      // The archive behind a TensorFlow Lite file is all that the last bytes hold.
      if (std::string(seed.format) != "tflite" || size < whole.size() - 9) {
        EXPECT_NE(message, "") << what;
      }
      expect_clear(message, what);
      EXPECT_EQ(noise, "") << what;
    }
  }
}

// A version that OpenVINO's reader of this format does not know: no other reader may be asked.
TEST(ReadBackHostile, AnotherVersionOfOpenvinoIsRefusedInOneLine) {
  const test::ScratchFolder folder;
  write_seed(folder.path(), seeds[4]);
  const fs::path file = changed_file(folder.path(), seeds[4]);
  std::string xml = test::read_text(file);
  const std::size_t at = xml.find("version=\"11\"");
  ASSERT_NE(at, std::string::npos);
  test::write_text(file, xml.replace(at, 12, "version=\"1\""));
  ::testing::internal::CaptureStderr();
  const std::string message = open_and_run(folder / "x_openvino_model");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_NE(message.find("found one that OpenVINO cannot read: it is of no version that OpenVINO "
                         "reads, or damaged in <net>"),
            std::string::npos)
      << message;
  expect_clear(message, "version 1");
}

TEST(ReadBackHostile, WeightsThatAreCutOrMissing) {
  const test::ScratchFolder folder;
  write_seed(folder.path(), seeds[4]);
  const fs::path weights = folder / "x_openvino_model/w.bin";
  fs::resize_file(weights, fs::file_size(weights) - 4);
  EXPECT_NE(open_and_run(folder / "x_openvino_model").find("w.bin: expected "), std::string::npos);
  fs::remove(weights);
  EXPECT_NE(open_and_run(folder / "x_openvino_model").find("expected the weights w.bin beside it"),
            std::string::npos);
}

TEST(ReadBackHostile, FilesOfOneNameAndAnothersContent) {
  const test::ScratchFolder folder;
  write_seed(folder.path(), seeds[0]);
  fs::copy(folder / "x.onnx", folder / "y.tflite");
  EXPECT_NE(open_and_run(folder / "y.tflite")
                .find("expected a TensorFlow Lite model, found an ONNX model; name it .onnx"),
            std::string::npos);
}

// OpenVINO divides the input's channels by the filter's and then by the quotient.
TEST(ReadBackHostile, FiltersThatFitNoInputAreRefused) {
  const test::ScratchFolder folder;
  write_seed(folder.path(), seeds[1]);
  const std::string whole = test::read_text(folder / "x.tflite");
  const auto shape = [](std::int32_t out, std::int32_t rows, std::int32_t channels) {
    const std::int32_t numbers[] = {4, out, rows, 3,
                                    channels};  // length, then [out, h, w, channels]
    return std::string(reinterpret_cast<const char*>(numbers), sizeof numbers);
  };
  const std::string right = shape(8, 3, 2);  // of 8 channels in 4 groups
  const std::size_t at = whole.find(right);
  ASSERT_NE(at, std::string::npos);
  // As many numbers in another order.
  for (const auto& [wrong, channels] :
       {std::pair{shape(1, 3, 16), 16}, std::pair{shape(8, 2, 3), 3}}) {
    std::string changed = whole;
    test::write_text(folder / "x.tflite", changed.replace(at, right.size(), wrong));
    const std::string message = open_and_run(folder / "x.tflite");
    EXPECT_NE(message.find("expected a filter whose channels divide the 8 of its input in the "
                           "field 'subgraphs[0].operators["),
              std::string::npos)
        << message;
    EXPECT_NE(message.find(std::string("found ") + std::to_string(channels)), std::string::npos)
        << message;
    expect_clear(message, std::to_string(channels));
  }
}

// The padding [4, 2] of the second convolution, whose numbers would be asked for behind the file.
TEST(ReadBackHostile, ShapesThatTheirNumbersDoNotFill) {
  const test::ScratchFolder folder;
  write_seed(folder.path(), seeds[1]);
  const std::string whole = test::read_text(folder / "x.tflite");
  const auto shape = [](std::int32_t rows, std::int32_t columns) {
    const std::int32_t numbers[] = {2, rows, columns};
    return std::string(reinterpret_cast<const char*>(numbers), sizeof numbers);
  };
  const std::size_t at = whole.find(shape(4, 2));
  ASSERT_NE(at, std::string::npos);
  const auto message = [&](std::int32_t rows, std::int32_t columns) {
    std::string changed = whole;
    test::write_text(folder / "x.tflite",
                     changed.replace(at, shape(4, 2).size(), shape(rows, columns)));
    return open_and_run(folder / "x.tflite");
  };
  EXPECT_NE(message(-252, 255).find("expected sides of at least 0 in the field"),
            std::string::npos);
  EXPECT_NE(message(4, 3).find("expected the 48 bytes of the numbers in the field"),
            std::string::npos);
  EXPECT_NE(message(4, 3).find("shape', found 32"), std::string::npos);
}

/// Under the address sanitizer an allocation that is refused is named there; OpenVINO takes the
/// refusal.
std::string without_sanitizer(const std::string& text) {
  std::string rest;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.find("WARNING: AddressSanitizer failed to allocate") == std::string::npos)
      rest += line + "\n";
  return rest;
}

TEST(ReadBackHostile, Mutations) {
  const char* set = std::getenv("YOLOV7_MUTATIONS");
  const int count = set == nullptr ? 40 : std::atoi(set);
  for (const Seed& seed : seeds) {
    const test::ScratchFolder folder;
    write_seed(folder.path(), seed);
    const fs::path file = changed_file(folder.path(), seed);
    const std::string whole = test::read_text(file);
    for (int i = 0; i < count; ++i) {
      test::Numbers numbers(static_cast<std::uint64_t>(i));
      test::write_text(file, mutated(whole, numbers));
      const std::string what = std::string(seed.format) + ", mutation " + std::to_string(i);
      ::testing::internal::CaptureStderr();
      const std::string message = open_and_run(folder / seed.path);
      EXPECT_EQ(without_sanitizer(::testing::internal::GetCapturedStderr()), "") << what;
      expect_clear(message, what);
    }
  }
}
