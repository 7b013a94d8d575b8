// The pickle machine: what it reads, and that it refuses everything else in one line before
// anything is built.
#include "network/torch_file/pickle.hpp"

#include <gtest/gtest.h>

#include "tests/network/config_fixture.hpp"
#include "tests/network/pickle_fixture.hpp"

namespace yolov7::network {
namespace {

using namespace hostile;
using Kind = PickleValue::Kind;
using namespace std::string_literals;

std::string refusal(const std::string& content) {
  return error_of([&] { hostile::read(content); });
}
void expect_refused(const std::string& content, const std::string& part) {
  const std::string said = refusal(content);
  EXPECT_EQ(said.rfind("x.pt: ", 0), 0u) << said;
  EXPECT_NE(said.find(part), std::string::npos) << '"' << said << "\" lacks \"" << part << '"';
  EXPECT_NE(said.find("offset"), std::string::npos) << said;
  EXPECT_EQ(said.find('\n'), std::string::npos) << said;
}

TEST(Pickle, WhatTheWriterWritesComesBack) {
  PickleWriter writer;
  writer.begin_dictionary();
  writer.key("text");
  writer.text("ä\n\"x\"");
  writer.key("least");
  writer.integer(INT64_MIN);
  writer.key("inner");
  writer.begin_dictionary();
  writer.key("w");
  Tensor t = Tensor::from(std::vector<float>(24), {2, 3, 4});
  writer.tensor(t, "17");
  writer.end_dictionary();
  writer.end_dictionary();
  const PickleDocument document = hostile::read(writer.finish());
  const PickleValue& top = *document.top;
  ASSERT_EQ(top.kind, Kind::dictionary);
  EXPECT_EQ(top.find("text")->text, "ä\n\"x\"");
  EXPECT_EQ(top.find("least")->integer, INT64_MIN);
  const PickleValue* w = top.find("inner")->find("w");
  ASSERT_NE(w, nullptr);
  EXPECT_EQ(w->kind, Kind::tensor);
  EXPECT_EQ(w->tensor->key, "17");
  EXPECT_EQ(w->tensor->type.type, DataType::float32);
  EXPECT_EQ(w->tensor->storage_elements, 24);
  EXPECT_EQ(w->tensor->shape, (std::vector<std::int64_t>{2, 3, 4}));
  EXPECT_EQ(w->tensor->strides, (std::vector<std::int64_t>{12, 4, 1}));
  EXPECT_EQ(top.find("none"), nullptr);
}

// Byte for byte what Python's pickle.dumps writes for these values (protocols 2 and 4), typed in
// from pickletools.
TEST(Pickle, WhatPythonWrites) {
  // {'a': 1, 'b': [True, None, -2, 1.5], 'c': ('x',)}, protocol 2
  const std::string two = "\x80\x02}q\x00(X\x01\x00\x00\x00"s + "aq\x01K\x01X\x01\x00\x00\x00"s +
                          "bq\x02]q\x03(\x88NJ\xfe\xff\xff\xffG?\xf8\x00\x00\x00\x00\x00\x00"s +
                          "eX\x01\x00\x00\x00"s + "cq\x04X\x01\x00\x00\x00"s + "xq\x05\x85q\x06u."s;
  const PickleDocument document = hostile::read(two);
  const PickleValue& top = *document.top;
  EXPECT_EQ(top.find("a")->integer, 1);
  const auto& b = top.find("b")->sequence;
  ASSERT_EQ(b.size(), 4u);
  EXPECT_EQ(b[0]->kind, Kind::boolean);
  EXPECT_EQ(b[1]->kind, Kind::none);
  EXPECT_EQ(b[2]->integer, -2);
  EXPECT_EQ(b[3]->real, 1.5);
  EXPECT_EQ(top.find("c")->sequence.at(0)->text, "x");
  // {'k': 'v', 'l': 'v'} with a shared 'v', protocol 4: MEMOIZE numbers count containers too.
  const std::string four =
      "\x80\x04\x95\x13\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01k\x94\x8c\x01v\x94\x8c\x01l\x94h\x02u."s;
  EXPECT_EQ(hostile::read(four).top->find("l")->text, "v");
}

TEST(Pickle, CodeIsNamedAndNeverRun) {
  const std::pair<const char*, const char*> names[] = {
      {"os", "system"},
      {"posix", "system"},
      {"builtins", "eval"},
      {"builtins", "exec"},
      {"builtins", "getattr"},
      {"__builtin__", "eval"},
      {"subprocess", "Popen"},
      {"torch.storage", "_load_from_bytes"},
      {"torch", "load"},
      {"functools", "partial"},
      {"torch._utils", "_rebuild_qtensor"},
      {"collections", "OrderedDict.__init__"},
      {"numpy", "load"},
      {"models.yolo", "Model.forward"},
      {"nt", "system"},
      {"sys", "exit"},
      {"shutil", "rmtree"},
      {"socket", "socket"},
      {"runpy", "run_path"},
      {"importlib", "import_module"},
      {"operator", "attrgetter"},
      {"types", "FunctionType"},
      {"copyreg", "_reconstructor"},
      {"torch.jit", "load"},
      {"builtins", "__import__"},
      {"builtins", "open"},
      {"builtins", "compile"},
      {"torch.nn.modules.container.Sequential", "x y"},
      {"models", "os.system"},
      {"models.os;", "system"},
      {"torch.nn.functional", "relu"},
      {"modelsx", "A"}};
  for (const auto& [module, name] : names)
    expect_refused(pickle(global(module, name) + "(" + text("touch /tmp/x") + "tR"),
                   "'"s + module + "." + name + "'");
  expect_refused(pickle(global("os\x1b[31m", "system")), "\\x1b[31m");  // harmless on a terminal
}

TEST(Pickle, OperationsOutsideTheList) {
  for (const int code : std::initializer_list<int>{'i',  'o',  'P',  'I',  'L',  'F',  'S',  'V',
                                                   'g',  'p',  'd',  'l',  0x92, 0x82, 0x83, 0x84,
                                                   0x8e, 0x96, 0x97, 0x98, 0x00, 0xff}) {
    char hex[8];
    std::snprintf(hex, sizeof hex, "0x%02x", static_cast<unsigned>(code));
    expect_refused("\x80\x02N"s + static_cast<char>(code) + "0\n0\n.", hex);
  }
  expect_refused("\x80\x06."s, "newer pickle protocol");
}

TEST(Pickle, CallsOfOtherThings) {
  expect_refused(pickle(text("x") + ")R"), "call");
  expect_refused(pickle(global("torch", "FloatStorage") + ")R"), "which cannot be called");
  expect_refused(pickle(global("collections", "OrderedDict") + "(" + integer(1) + "tR"),
                 "dictionary with arguments");
  expect_refused(pickle(global("torch._utils", "_rebuild_tensor_v2") + "(" + integer(1) + "tR"),
                 "tensor of unknown form");
  expect_refused(pickle("(" + text("storage") + text("torch FloatStorage") + text("0") +
                        text("cpu") + integer(1) + "tQ"),
                 "storage of unknown form");
  expect_refused(pickle("(" + text("module") + global("torch", "FloatStorage") + text("0") +
                        text("cpu") + integer(1) + "tQ"),
                 "storage of unknown form");
  expect_refused(pickle("(" + text("storage") + global("torch", "FloatStorage") + text("0") +
                        text("cpu") + integer(-1) + "tQ"),
                 "storage of unknown form");
  expect_refused(pickle(text("0") + "Q"), "storage of unknown form");
  FakeTensor claim;
  claim.shape = {-4};
  expect_refused(pickle(tensor(claim)), "out of range");
  claim.shape = {std::int64_t{1} << 50};
  expect_refused(pickle(tensor(claim)), "out of range");
  claim.shape = {2, 2};
  expect_refused(pickle(tensor(claim)), "shape and strides differ");
  claim = {};
  claim.offset = -8;
  expect_refused(pickle(tensor(claim)), "tensor of unknown form");
}

TEST(Pickle, Memo) {
  expect_refused(pickle("Nr" + number(1'000'000'000, 4)), "memo index 1000000000");
  expect_refused(pickle("j" + number(1'000'000'000, 4)), "memo index 1000000000");
  expect_refused(pickle("q\x01"), "operation without its value");
  expect_refused(pickle("Nq\x01h\x02"), "memo index 2 without a value");
  // A list that contains itself is a value like any other: it is never walked without a bound.
  const PickleDocument cycle =
      hostile::read(pickle("]q\x01h\x01"
                           "a"));
  EXPECT_EQ(cycle.top->sequence.at(0), cycle.top);
  // What is added later shows in both places.
  const PickleDocument shared =
      hostile::read(pickle("]q\x01h\x01(K\x07"
                           "e\x86"));
  EXPECT_EQ(shared.top->sequence.at(0), shared.top->sequence.at(1));
  EXPECT_EQ(shared.top->sequence.at(0)->sequence.at(0)->integer, 7);
  // Fetched values are shared, not copied; calls that copy them are counted: 1 MB encoded 40 times,
  // 10,000 values listed 200 times.
  std::string encode = text(std::string(1 << 20, 'x')) + "q"s + '\0' + "0",
              lists = "](" + std::string(10'000, 'N') + "eq"s + '\0' + "0";
  for (int i = 0; i < 40; ++i)
    encode += global("_codecs", "encode") + "h"s + '\0' + text("latin1") + "\x86R0";
  for (int i = 0; i < 200; ++i) lists += global("builtins", "tuple") + "h"s + '\0' + "\x85R0";
  expect_refused(pickle(encode + "N"), "too much text");
  expect_refused(pickle(lists + "N"), "too many copies");
}

TEST(Pickle, DepthIsBounded) {
  const int deep = 1'000'000;
  expect_refused(pickle(std::string(deep, '(')), "deeper nesting");
  // Tuples in tuples are flat in memory: as deep as their number allows, and destroyed without
  // recursion.
  EXPECT_EQ(refusal(pickle("N" + std::string(900'000, '\x85'))), "no error");
  expect_refused(pickle("N" + std::string(deep, '\x85')), "too many values");
}

TEST(Pickle, LengthsAreCheckedAgainstTheBytesLeft) {
  expect_refused("\x80\x02X"s + number(0xFFFFFFFF, 4) + "abc.", "text of 4294967295 bytes");
  expect_refused("\x80\x02\x8d"s + number(0xFFFFFFFFFFFFFFFF, 8) + "abc.",
                 "text of 18446744073709551615 bytes");
  expect_refused(
      "\x80\x02\x8d"s + number(0xFFFFFFFFFFFFFFFF, 8) + text("abc") + "\x8d" + number(2, 8) + "ab.",
      "text of");
  expect_refused("\x80\x02\x8a\xff"s + number(1, 8) + ".", "more than 64 bits");
  expect_refused("\x80\x02\x8b"s + number(0x7FFFFFFF, 4) + number(1, 8) + ".", "more than 64 bits");
  expect_refused("\x80\x02"s + "ctorch", "name without an end");
  expect_refused("\x80\x02"s + "c" + std::string(5000, 'a') + "\nb\n.", "name without an end");
  expect_refused("\x80\x02"s + "J\x01", "the end in the middle of a number");
  expect_refused("\x80\x02N"s, "the end of the file");
  expect_refused(""s, "the end of the file");
  expect_refused("N.", "protocol 0 or 1");
  expect_refused("\x80\x01N.", "protocol 0 or 1");
}

TEST(Pickle, StackErrors) {
  for (const std::string body :
       {"t",    "u",    "e",    "s",     "a",    "R",    "Q",      "\x85", "\x87",
        "(a",   "(R",   "}s",   "](NNu", "})R",  "0",    "1",      "2",    "b",
        "\x81", "\x90", "\x91", "\x93",  "\x94", "}(Nb", "N(N\x90"}) {
    const std::string said = refusal(pickle(body));
    EXPECT_EQ(said.rfind("x.pt: ", 0), 0u) << body;
  }
  expect_refused(pickle("NN"), "more or less than one value");
  expect_refused(pickle(""), "more or less than one value");
  expect_refused(pickle("}(Nu"), "items without a dictionary");
  expect_refused(pickle("}(NNu"), "keys are neither");
}

TEST(Pickle, CountsAreBounded) {
  PickleLimits limits;
  limits.values = 1000;
  const std::string many = pickle(std::string(1500, 'N')), proto = [] {
    std::string out;
    for (int i = 0; i < 3000; ++i) out += "\x80\x02";
    return out;
  }();
  limits.operations = 5000;
  EXPECT_NE(error_of([&] {
              read_pickle(bytes(pickle(std::string(1500, ']'))), "x.pt", false, limits);
            }).find("too many values"),
            std::string::npos);
  limits.operations = 2000;
  EXPECT_NE(error_of([&] {
              read_pickle(bytes(proto), "x.pt", false, limits);
            }).find("too many operations"),
            std::string::npos);
  limits.bytes = 100;
  EXPECT_NE(error_of([&] {
              read_pickle(bytes(many), "x.pt", false, limits);
            }).find("more than 100 bytes"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::network
