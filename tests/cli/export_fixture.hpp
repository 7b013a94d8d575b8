#pragma once
// A small official checkpoint, exported by the program.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/cli/program.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/network/official_fixture.hpp"

namespace yolov7::test {

using nlohmann::json;
using namespace network::hostile;

class Export : public testing::Test {
 protected:
  test::ScratchFolder scratch;
  const SmallOfficial small;
  const std::string in = (scratch / "official.pt").string();

  void SetUp() override {
    OfficialFile file({});
    write_text(in, file.bytes(top(file.model(small.network, small.weights, small.yaml), "N", 4)));
  }
  Outcome exported(std::vector<std::string> more) {
    std::vector<std::string> arguments{"export", "--weights", in, "--img", "64"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  json result(std::vector<std::string> more) {
    more.push_back("--json");
    const Outcome outcome = exported(more);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out, nullptr, false);
  }
};

/// A square image of 24 bits.
inline std::string noise_bmp(int side) {
  std::string bytes = "BM";
  const auto number = [&](int value, int width) {
    for (int i = 0; i < width; ++i) bytes += static_cast<char>((value >> (8 * i)) & 255);
  };
  const int pixels = 3 * side * side;
  for (const int value : {54 + pixels, 0, 54, 40, side, side}) number(value, 4);
  number(1, 2);
  number(24, 2);
  for (const int value : {0, pixels, 0, 0, 0, 0}) number(value, 4);
  for (int i = 0; i < pixels; ++i) bytes += static_cast<char>((i * 7919 + i / 64) % 251);
  return bytes;
}

}  // namespace yolov7::test
