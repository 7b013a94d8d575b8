#include "runtime/openvino/protobuf_check.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

using namespace yolov7;
using runtime::protobuf_fault;
using runtime::ProtobufKind;

namespace {

std::string fault(const std::string& bytes, ProtobufKind kind = ProtobufKind::onnx) {
  const test::ScratchFolder folder;
  return protobuf_fault(folder.write("x", bytes), kind);
}

// Fields by hand: key = number · 8 + wire type, then the value.
const std::string version = "\x08\x07";  // ir_version 7
const std::string graph =
    "\x3a\x07\x0a\x05\x22\x03"
    "abc";                                     // graph { node { op_type } }
const std::string opset = "\x42\x02\x10\x0d";  // opset_import { version 13 }

}  // namespace

TEST(ProtobufCheck, WholeFiles) {
  EXPECT_EQ(fault(version + graph + opset), "");
  EXPECT_EQ(fault(graph + version + opset), "") << "any order";
  EXPECT_EQ(fault(std::string("\x0a\x05\x12\x03") + "abc", ProtobufKind::frozen_graph), "");
  EXPECT_EQ(fault(std::string("\x08\x01\x12\0", 4), ProtobufKind::saved_model), "");
}

TEST(ProtobufCheck, WhatEveryFileOfAKindHas) {
  EXPECT_EQ(fault(version + opset), "no graph in it");
  EXPECT_EQ(fault(version + graph), "no operator set in it");
  EXPECT_EQ(fault(version, ProtobufKind::saved_model), "no graph in it");
  EXPECT_EQ(fault("", ProtobufKind::frozen_graph), "no operation in it");
}

TEST(ProtobufCheck, DamageIsNamedByItsByte) {
  const std::string whole = version + graph + opset;
  EXPECT_EQ(fault(whole.substr(0, whole.size() - 1)), "byte 11: expected 2 more bytes, found 1");
  std::string longer = whole;
  longer[5] = '\x7f';  // the node's length
  EXPECT_EQ(fault(longer), "byte 4: expected 127 more bytes, found 5");
  std::string text = whole;
  text[8] = '\xff';
  EXPECT_EQ(fault(text), "byte 8: expected text, found other bytes");
  EXPECT_EQ(fault(version + "\x3b"), "byte 2: a field that no file of this kind has")
      << "wire type 3";
  EXPECT_EQ(fault(version + "\x01"), "byte 2: expected a field of a message, found none")
      << "field 0";
  EXPECT_EQ(fault("\x08\xff\xff"), "byte 1: a number that does not end");
}

TEST(ProtobufCheck, FieldsThatNoSuchFileHas) {
  // A number where the graph's message is, and a field of number 100.
  EXPECT_EQ(fault(version + "\x38\x01" + opset), "byte 2: a field that no file of this kind has");
  EXPECT_EQ(fault(version + graph + opset + "\xa2\x06\x01x"),
            "byte 15: a field that no file of this kind has");
}

TEST(ProtobufCheck, NestingHasAnEnd) {
  // Graphs in attributes of nodes: graph { node { attribute { g ... } } }.
  std::string inner;
  for (int i = 0; i < 40; ++i) {
    for (const char key : {'\x32', '\x2a', '\x0a'}) {
      std::string length;
      for (std::size_t n = inner.size();; n >>= 7) {
        length += static_cast<char>(n > 127 ? (n & 127) | 128 : n);
        if (n < 128) break;
      }
      inner = std::string(1, key) + length + inner;
    }
  }
  std::string length;
  for (std::size_t n = inner.size();; n >>= 7) {
    length += static_cast<char>(n > 127 ? (n & 127) | 128 : n);
    if (n < 128) break;
  }
  EXPECT_NE(fault("\x3a" + length + inner).find("messages more than 64 deep"), std::string::npos);
}
