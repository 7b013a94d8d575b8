// The wire format against bytes worked out by hand (protobuf.dev, "Encoding").
#include "core/protobuf.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "tests/exporting/wire_reader.hpp"
#include "tests/scratch_folder.hpp"

using yolov7::ProtobufMessage;

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

namespace {

using yolov7::ProtobufReader;

std::string fault_of(std::string_view message) {
  ProtobufReader reader(message);
  return yolov7::test::error_of([&] {
    while (reader.next()) {
    }
  });
}

}  // namespace

TEST(ProtobufReader, FieldsByHand) {
  // The bytes of the tests above, and of "Encoding": a number, a text, 32 and 64 bits.
  const std::string message = std::string("\x08\x96\x01\x12\x07testing\x15\x00\x00\x80\x3f", 17) +
                              std::string("\x19\x00\x00\x00\x00\x00\x00\xf0\x3f", 9);
  ProtobufReader reader(message);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 1);
  EXPECT_TRUE(reader.is_number());
  EXPECT_EQ(reader.number(), 150u);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 2);
  EXPECT_EQ(reader.bytes(), "testing");
  ASSERT_TRUE(reader.next());
  std::vector<float> reals;
  reader.append_to(reals);
  EXPECT_EQ(reals, std::vector<float>{1});
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.bytes().size(), 8u);
  EXPECT_FALSE(reader.next());
}

TEST(ProtobufReader, ListsPackedAndOneByOne) {
  std::vector<std::int64_t> whole;
  const std::string message = std::string("\x32\x06\x03\x8e\x02\x9e\xa7\x05\x30\x07");
  ProtobufReader reader(message);
  while (reader.next()) reader.append_to(whole);
  EXPECT_EQ(whole, (std::vector<std::int64_t>{3, 270, 86942, 7}));
}

TEST(ProtobufReader, BrokenMessages) {
  EXPECT_EQ(fault_of("\x08"), "a message ends within a number");
  EXPECT_EQ(fault_of("\x08\x96"), "a message ends within a number");
  EXPECT_EQ(fault_of("\x12\x07test"), "field 2 has 7 bytes, but 4 are left");
  EXPECT_EQ(fault_of("\x0b"), "field 1 has the wire type 3");
  EXPECT_EQ(fault_of(std::string_view("\x00\x01", 2)), "a message has the field number 0");
  EXPECT_EQ(fault_of("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"),
            "a message has a number of more than 64 bits");
  EXPECT_EQ(fault_of("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"),
            "field 2 has 18446744073709551615 bytes, but 1 are left");
}
