// Network configurations: text in, a network or one line out.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "network/config/builder.hpp"
#include "network/graph/cost.hpp"
#include "network/graph/graph.hpp"
#include "tests/fuzz/one_line.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace yolov7;
  fuzz::expect_one_line([&] {
    const network::Network network =
        network::build({reinterpret_cast<const char*>(data), size}, "x.yaml");
    network::cost(network, 640, 640);
  });
  return 0;
}
