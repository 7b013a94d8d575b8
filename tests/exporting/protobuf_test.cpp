// The wire format against bytes worked out by hand (protobuf.dev, "Encoding").
#include "exporting/wire/protobuf.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/exporting/wire_reader.hpp"

using yolov7::exporting::ProtobufMessage;

namespace {

std::string bytes(const ProtobufMessage& message) {
  std::ostringstream out;
  message.write(out);
  EXPECT_EQ(out.str().size(), message.size());
  return out.str();
}

}  // namespace

TEST(Protobuf, BytesByHand) {
  EXPECT_EQ(bytes(ProtobufMessage().integer(1, 150)), "\x08\x96\x01");  // the page's own example
  EXPECT_EQ(bytes(ProtobufMessage().text(2, "testing")), "\x12\x07testing");  // as well
  EXPECT_EQ(bytes(ProtobufMessage().integer(16, 0)), std::string("\x80\x01\x00", 3));
  EXPECT_EQ(bytes(ProtobufMessage().integer(3, -1)),
            "\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  EXPECT_EQ(bytes(ProtobufMessage().real(2, 1)), std::string("\x15\x00\x00\x80\x3f", 5));
  EXPECT_EQ(bytes(ProtobufMessage().real64(2, 1)),
            std::string("\x11\x00\x00\x00\x00\x00\x00\xf0\x3f", 9));
  const std::vector<std::int64_t> list{3, 270, 86942};
  EXPECT_EQ(bytes(ProtobufMessage().integers(6, list)), "\x32\x06\x03\x8e\x02\x9e\xa7\x05");
  ProtobufMessage inner;
  inner.integer(1, 150);
  EXPECT_EQ(bytes(ProtobufMessage().message(3, std::move(inner))), "\x1a\x03\x08\x96\x01");
}

TEST(Protobuf, LaterContentsAreNotHeldAndCountInEveryLength) {
  const std::string large(1000, 'x');
  int asked = 0;
  ProtobufMessage tensor, graph, file;
  tensor.integer(1, 7)
      .later(9, large.size(),
             [&](std::ostream& out) {
               ++asked;
               out << large;
             })
      .integer(2, 8);
  graph.text(2, "before").message(5, std::move(tensor)).text(3, "after");
  file.message(7, std::move(graph));
  EXPECT_EQ(asked, 0);
  const std::string first = bytes(file);
  EXPECT_EQ(first, bytes(file)) << "may be written again";
  const yolov7::testing::WireMessage read(first);
  const auto found = read.one(7);
  EXPECT_EQ(found.text(2), "before");
  EXPECT_EQ(found.text(3), "after");
  EXPECT_EQ(found.one(5).integer(1), 7U);
  EXPECT_EQ(found.one(5).integer(2), 8U);
  EXPECT_EQ(found.one(5).text(9), large);
}

TEST(Protobuf, EntriesOfMaps) {
  ProtobufMessage value;
  value.integer(3, 5);
  EXPECT_EQ(bytes(ProtobufMessage().entry(5, "k", std::move(value))),
            "\x2a\x07\x0a\x01k\x12\x02\x18\x05");
}
