// Label files: YOLO text (first byte even) and Pascal VOC annotations (odd).
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataset/formats/voc.hpp"
#include "dataset/index/label.hpp"
#include "tests/fuzz/one_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace yolov7;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  fuzz::expect_one_line([&] {
    if (data[0] % 2 != 0) {
      dataset::parse_voc(text, "x.xml");
      return;
    }
    const dataset::LabelFile file = dataset::parse_labels(text, "x.txt", 80);
    // What was read is written so that it is read again, as many rows as before.
    if (dataset::parse_labels(dataset::format_labels(file.labels), "y.txt", 80).labels.size() !=
        file.labels.size())
      std::abort();
  });
  return 0;
}
