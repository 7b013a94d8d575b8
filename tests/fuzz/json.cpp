// JSON: what is read is written and read again as the same.
#include "core/json.hpp"

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tests/fuzz/one_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace yolov7;
  fuzz::expect_one_line([&] {
    const nlohmann::json value = parse_json({reinterpret_cast<const char*>(data), size}, "x.json");
    if (parse_json(json_text(value), "y.json") != value) std::abort();
  });
  return 0;
}
