// safetensors: round trips, and headers that claim what the file does not hold.
#include "network/checkpoint/safetensors.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "core/file.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/checkpoint/state_file.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/network/official_fixture.hpp"

namespace yolov7::network {
namespace {

using namespace hostile;

class Safetensors : public testing::Test {
 protected:
  test::ScratchFolder folder;
  std::filesystem::path path = folder / "a.safetensors";

  /// A file with this header and so many bytes of data.
  std::string refusal(const std::string& header, std::size_t data = 16, char byte = '\1') {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        << number(header.size(), 8) << header << std::string(data, byte);
    return error_of([&] { read_safetensors(path); });
  }
  void expect_part(const std::string& said, const std::string& part) {
    EXPECT_NE(said.find(part), std::string::npos) << '"' << said << "\" lacks \"" << part << '"';
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
};

std::string entry(const std::string& name, const std::string& type, const std::string& shape,
                  const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

TEST_F(Safetensors, RoundTripOfEveryType) {
  SafetensorsFile file;
  const Tensor plain = Tensor::from(std::vector<double>{-1.5, 0, 2, 65504, 1, -0.25}, {2, 3});
  for (const DataType type :
       {DataType::float16, DataType::bfloat16, DataType::float32, DataType::float64})
    file.weights.set("t" + std::to_string(static_cast<int>(type)), plain.converted(type));
  Tensor count;
  count.type = DataType::int64;
  count.bytes.assign(8, std::byte{0xFF});
  file.weights.set("count", count);
  file.weights.set("empty", Tensor::from(std::vector<float>(), {0, 4}));
  file.metadata = {{"a \"b\"", "käfer\n"}};
  write_safetensors(path, file);
  EXPECT_TRUE(begins_safetensors(path));
  const SafetensorsFile back = read_safetensors(path);
  EXPECT_EQ(back.metadata, file.metadata);
  ASSERT_EQ(back.weights.size(), file.weights.size());
  for (const auto& [name, tensor] : file.weights.entries()) {
    EXPECT_EQ(back.weights.at(name).type, tensor.type) << name;
    EXPECT_EQ(back.weights.at(name).shape, tensor.shape) << name;
    EXPECT_TRUE(back.weights.at(name).bytes == tensor.bytes) << name;
  }
}

// Written by hand from the format: the header's length, its JSON, the data.
TEST_F(Safetensors, WhatTheFormatSays) {
  EXPECT_EQ(refusal("{" + entry("w", "F32", "[2,2]", "[0,16]") + "}"), "no error");
  const SafetensorsFile file = read_safetensors(path);
  EXPECT_EQ(file.weights.at("w").shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(refusal("{" + entry("b", "I8", "[4]", "[12,16]") + "," +
                    entry("a", "I32", "[3]", "[0,12]") + ",\"__metadata__\":{\"x\":\"y\"}}"),
            "no error");
  const SafetensorsFile widened = read_safetensors(path);
  EXPECT_EQ(widened.weights.at("b").to_doubles(), (std::vector<double>{1, 1, 1, 1}));
  EXPECT_EQ(widened.weights.at("a").to_doubles(), (std::vector<double>(3, 0x01010101)));
  EXPECT_EQ(widened.weights.entries()[0].first, "a");  // the order of the data
  EXPECT_EQ(refusal("{}", 0), "no error");
}

// All bits set are −1 where the type has a sign, and the largest number where it has none.
TEST_F(Safetensors, WiderTypesKeepTheSign) {
  EXPECT_EQ(
      refusal("{" + entry("i32", "I32", "[1]", "[0,4]") + "," +
                  entry("i16", "I16", "[1]", "[4,6]") + "," + entry("i8", "I8", "[1]", "[6,7]") +
                  "," + entry("u8", "U8", "[1]", "[7,8]") + "}",
              8, '\xff'),
      "no error");
  const SafetensorsFile file = read_safetensors(path);
  for (const char* name : {"i32", "i16", "i8"})
    EXPECT_EQ(file.weights.at(name).to_doubles(), std::vector<double>{-1}) << name;
  EXPECT_EQ(file.weights.at("u8").to_doubles(), std::vector<double>{255});
  EXPECT_EQ(refusal("{" + entry("b", "BOOL", "[2]", "[0,2]") + "}", 2), "no error");
  EXPECT_EQ(read_safetensors(path).weights.at("b").to_doubles(), (std::vector<double>{1, 1}));
}

TEST_F(Safetensors, HeadersThatLie) {
  const auto one = [&](const std::string& type, const std::string& shape,
                       const std::string& offsets) {
    return refusal("{" + entry("w", type, shape, offsets) + "}");
  };
  expect_part(one("F32", "[2,2]", "[0,17]"), "lie outside the 16 bytes");
  expect_part(one("F32", "[2,2]", "[16,0]"), "lie outside");
  expect_part(one("F32", "[2,2]", "[-4,12]"), "whole numbers as offsets");
  expect_part(one("F32", "[2,2]", "[0,1e1]"), "whole numbers as offsets");
  expect_part(one("F32", "[2,2]", "[0,18446744073709551615]"), "lie outside");
  expect_part(one("F32", "[2,3]", "[0,16]"), "expected 24 bytes for its type and shape, found 16");
  expect_part(one("F64", "[2,2]", "[0,16]"), "expected 32 bytes");
  expect_part(one("F32", "[-2,-2]", "[0,16]"), "whole numbers");
  expect_part(one("F32", "[1099511627776,1099511627776]", "[0,16]"), "too large");
  expect_part(one("F32", "[4294967296,4294967296,4294967296]", "[0,16]"), "too large");
  expect_part(one("C64", "[2]", "[0,16]"), "unsupported type 'C64'");
  expect_part(one("F8_E4M3", "[16]", "[0,16]"), "unsupported type");
  expect_part(one("F32", "[1,1,1,1,1,1,1,1,4]", "[0,16]"),
              "expected a shape of at most 8 sides, found 9");
  expect_part(refusal("{\"__metadata__\":7}"),
              "__metadata__: expected an object of texts, found 7");
  expect_part(refusal("{\"__metadata__\":{\"a\":[1]}}"),
              "__metadata__: 'a': expected a text, found [1]");
  expect_part(refusal("{\"w\":{}}"), "expected dtype, shape and data_offsets");
  expect_part(refusal("{\"w\":7}"), "expected dtype, shape and data_offsets");
  expect_part(refusal("{" + entry("a", "F32", "[2]", "[0,8]") + "," +
                      entry("b", "F32", "[3]", "[4,16]") + "}"),
              "b: expected data that begins at byte 8, found byte 4 (an overlap)");
  expect_part(refusal("{" + entry("a", "F32", "[1]", "[0,4]") + "," +
                      entry("b", "F32", "[2]", "[8,16]") + "}"),
              "b: expected data that begins at byte 4, found byte 8 (a gap)");
  expect_part(refusal("{" + entry("a", "F32", "[1]", "[0,4]") + "}"),
              "12 bytes of data belong to no tensor");
  expect_part(refusal("{" + entry("a", "F32", "[2]", "[0,8]") + "," +
                      entry("a", "F32", "[2]", "[8,16]") + "}"),
              "expected each name once, found 'a' twice");
  expect_part(refusal("{\"a\": "), "header");
  expect_part(refusal("{" + std::string(100'000, '[')), "header");
  expect_part(refusal("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}"),
              "at most 8 levels of nesting");
}

TEST_F(Safetensors, LengthsThatLie) {
  const auto with_length = [&](std::uint64_t length) {
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        << number(length, 8) << "{}" << std::string(16, ' ');
    return error_of([&] { read_safetensors(path); });
  };
  expect_part(with_length(19), "fits in the file's 26 bytes, found a length of 19");
  expect_part(with_length(0xFFFFFFFFFFFFFFFF), "found a length of 18446744073709551615");
  expect_part(with_length(33u << 20), "found a length of 34603008");
  expect_part(with_length(1), "header");
  std::ofstream(path, std::ios::binary | std::ios::trunc) << "{}";
  EXPECT_FALSE(begins_safetensors(path));
  EXPECT_FALSE(begins_safetensors(folder / "none"));
  expect_part(error_of([&] { read_safetensors(path); }), "begins with '{' at byte 8");
  expect_part(error_of([&] { read_safetensors(folder / "none"); }), "found no regular file");
}

// One checkpoint through all forms and back: the same tensors, classes, configuration.
TEST_F(Safetensors, EveryFormKeepsTheCheckpoint) {
  const SmallOfficial small;
  Checkpoint c;
  c.config = small.network.config;
  c.config_source = "small.yaml";
  c.class_count = 2;
  c.names = {"käfer", "b \"x\""};
  c.image_size = 416;
  c.ema = small.weights;
  c.state = "{\"epoch\": 3}";
  write_safetensors_checkpoint(folder / "a.safetensors", c);
  write_state_file(folder / "b.pt", read_checkpoint(folder / "a.safetensors"));
  write_checkpoint(folder / "c.pt", read_checkpoint(folder / "b.pt"));
  for (const char* name : {"a.safetensors", "b.pt", "c.pt"}) {
    const Checkpoint back = read_checkpoint(folder / name);
    EXPECT_EQ(back.names, c.names) << name;
    EXPECT_EQ(back.config, c.config) << name;
    EXPECT_EQ(back.image_size, 416) << name;
    ASSERT_EQ(back.inference_weights().size(), small.weights.size()) << name;
    for (std::size_t i = 0; i < small.weights.size(); ++i) {
      EXPECT_EQ(back.inference_weights().entries()[i].first, small.weights.entries()[i].first)
          << name;
      EXPECT_TRUE(back.inference_weights().entries()[i].second.bytes ==
                  small.weights.entries()[i].second.bytes)
          << name;
    }
  }
  EXPECT_EQ(read_checkpoint(folder / "b.pt").facts.format, CheckpointFacts::Format::tensors);
  // Told apart by content: the extension means nothing.
  std::filesystem::rename(folder / "a.safetensors", folder / "x.pt");
  EXPECT_EQ(read_checkpoint(folder / "x.pt").facts.container, "safetensors");
  std::filesystem::rename(folder / "b.pt", folder / "y.safetensors");
  EXPECT_EQ(read_checkpoint(folder / "y.safetensors").facts.container, "zip");
}

}  // namespace
}  // namespace yolov7::network
