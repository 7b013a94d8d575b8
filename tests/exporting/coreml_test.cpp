// Bytes by hand; what coremltools finds in them is in coreml_peer.py.
#include "exporting/coreml.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <regex>
#include <set>

#include "exporting/coreml_program.hpp"
#include "exporting/coreml_weights.hpp"
#include "exporting/format_table.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/exporting/wire_reader.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

struct Written {
  std::string manifest, model, weights;
  bool operator==(const Written&) const = default;
};

Written written(const network::NetworkAndWeights& net, const ExportOptions& options) {
  const test::ScratchFolder folder;
  write_coreml(export_model(net, 32, 40, options), options, folder / "x");
  return {folder.read("x/Manifest.json"), folder.read("x/Data/com.apple.CoreML/model.mlmodel"),
          folder.read("x/Data/com.apple.CoreML/weights/weight.bin")};
}

template <class T>
T at(const std::string& bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.substr(offset, sizeof value).data(), sizeof value);
  return value;
}

/// The entry of a map.
WireMessage entry(const WireMessage& message, int field, const std::string& key) {
  for (const WireMessage& pair : message.all(field))
    if (pair.text(1) == key) return pair.one(2);
  throw std::runtime_error("no entry " + key);
}

/// Field numbers: the public Model.proto and MIL.proto.
WireMessage function_of(const WireMessage& model) { return entry(model.one(502), 2, "main"); }
WireMessage block_of(const WireMessage& model) { return entry(function_of(model), 3, "CoreML5"); }

/// "name: type [sides]" of a NamedValueType.
std::string signature(const WireMessage& named) {
  const WireMessage tensor = named.one(2).one(1);
  std::string text = named.text(1) + ": " + std::to_string(tensor.integer(1)) + " [";
  for (const WireMessage& side : tensor.all(3))
    text += (text.back() == '[' ? "" : ", ") + std::to_string(side.one(1).integer(1));
  return text + "]";
}

std::map<std::string, std::string> user_metadata(const WireMessage& model) {
  std::map<std::string, std::string> all;
  for (const WireMessage& pair : model.one(2).one(100).all(100)) all[pair.text(1)] = pair.text(2);
  return all;
}

}  // namespace

// A header of 64 bytes, then records of 64 bytes, each followed by its tensor, at multiples of 64.
TEST(CoremlWeights, BytesByHand) {
  const test::ScratchFolder folder;
  CoremlWeights weights(folder / "weight.bin");
  const auto seventeen =
      network::Tensor::from(std::vector<float>(17, 2), std::vector<std::int64_t>{17});
  EXPECT_EQ(weights.add(seventeen), 64U);
  EXPECT_EQ(weights.add(seventeen.converted(network::DataType::float16)), 64U + 64 + 128);
  weights.finish();
  const std::string bytes = folder.read("weight.bin");
  ASSERT_EQ(bytes.size(), 64U + 64 + 128 + 64 + 64);
  EXPECT_EQ(at<std::uint32_t>(bytes, 0), 2U);  // tensors
  EXPECT_EQ(at<std::uint32_t>(bytes, 4), 2U);  // version
  EXPECT_EQ(at<std::uint32_t>(bytes, 64), 0xDEADBEEFU);
  EXPECT_EQ(at<std::uint32_t>(bytes, 68), 2U);  // float32
  EXPECT_EQ(at<std::uint64_t>(bytes, 72), 68U);
  EXPECT_EQ(at<std::uint64_t>(bytes, 80), 128U);
  EXPECT_EQ(at<float>(bytes, 128 + 16 * 4), 2);
  EXPECT_EQ(at<float>(bytes, 128 + 17 * 4), 0);
  EXPECT_EQ(at<std::uint32_t>(bytes, 256), 0xDEADBEEFU);
  EXPECT_EQ(at<std::uint32_t>(bytes, 260), 1U);  // float16
  EXPECT_EQ(at<std::uint64_t>(bytes, 264), 34U);
  EXPECT_EQ(at<std::uint64_t>(bytes, 272), 320U);
  EXPECT_EQ(at<std::uint16_t>(bytes, 320 + 16 * 2), 0x4000);  // 2 in binary16
}

TEST(Coreml, DescriptionAndMetadata) {
  const WireMessage model(written(every_primitive(3), {}).model);
  EXPECT_EQ(model.integer(1), 6U);
  const WireMessage input = model.one(2).one(1), image = input.one(3).one(4);
  EXPECT_EQ(input.text(1), "image");
  EXPECT_EQ(image.integer(1), 40U);  // width
  EXPECT_EQ(image.integer(2), 32U);
  EXPECT_EQ(image.integer(3), 20U);  // R G B
  const WireMessage output = model.one(2).one(10);
  EXPECT_EQ(output.text(1), "output0");
  EXPECT_EQ(output.one(3).one(5).integer(2), 65568U);  // float32
  // 2 · (8 · 10 + 4 · 5) rows.
  EXPECT_EQ(output.one(3).one(5).text(1), std::string("\x01\xc8\x01\x08"));
  const auto metadata = user_metadata(model);
  EXPECT_EQ(metadata.at("layout"), "v5");
  EXPECT_EQ(metadata.at("imgsz"), "[32, 40]");
  EXPECT_EQ(metadata.at("names"), "{0: 'name 0', 1: 'name 1', 2: 'name 2'}");
  EXPECT_EQ(model.one(2).one(100).text(1), "hand-made");
  EXPECT_EQ(model.one(2).one(100).text(3), "yolov7.cpp");
}

TEST(Coreml, SignaturesOfTheForms) {
  const auto of = [](const ExportOptions& options) {
    const WireMessage model(written(every_primitive(3), options).model);
    const WireMessage function = function_of(model), block = block_of(model);
    EXPECT_EQ(function.text(2), "CoreML5");
    EXPECT_EQ(signature(function.one(1)), "image: 11 [1, 3, 32, 40]");
    const std::string last = signature(block.all(3).back().one(3));
    EXPECT_EQ(block.texts(2), std::vector<std::string>{last.substr(0, last.find(':'))});
    return last;
  };
  ExportOptions folded, named;
  folded.fold_obj = true, named.reference_parity = true;
  EXPECT_EQ(of({}), "output0: 11 [1, 200, 8]");
  EXPECT_EQ(of(folded), "output0: 11 [1, 7, 200]");
  EXPECT_EQ(of(named), "output: 11 [1, 200, 8]");
}

TEST(Coreml, EveryValueIsMadeBeforeItIsReadUnderANameOfItsOwn) {
  for (const bool half : {false, true}) {
    ExportOptions options;
    options.half = half;
    const Written files = written(every_primitive(3), options);
    const std::regex identifier("[A-Za-z_][A-Za-z0-9_]*");
    std::set<std::string> known{"image"}, read{"output0"};
    std::map<std::string, std::uint64_t> types;
    std::size_t blobs = 0;
    for (const WireMessage& operation : block_of(WireMessage(files.model)).all(3)) {
      for (const WireMessage& argument : operation.all(2))
        for (const WireMessage& binding : argument.one(2).all(1)) {
          EXPECT_TRUE(known.contains(binding.text(1))) << binding.text(1);
          read.insert(binding.text(1));
        }
      const std::string name = operation.one(3).text(1);
      EXPECT_TRUE(std::regex_match(name, identifier)) << name;
      EXPECT_TRUE(known.insert(name).second) << name << " is made twice";
      types[operation.text(1)] = operation.one(3).one(2).one(1).integer(1);
      EXPECT_EQ(entry(operation, 5, "name").one(3).one(1).one(4).text(1), name);
      if (operation.text(1) != "const") continue;
      const WireMessage value = entry(operation, 5, "val");
      if (value.all(5).empty()) continue;
      ++blobs;
      const WireMessage blob = value.one(5);
      EXPECT_EQ(blob.text(1), "@model_path/weights/weight.bin");
      std::uint64_t bytes =
          half && at<std::uint32_t>(files.weights, blob.integer(2) + 4) == 1 ? 2 : 4;
      for (const WireMessage& side : value.one(2).one(1).all(3)) bytes *= side.one(1).integer(1);
      EXPECT_EQ(at<std::uint32_t>(files.weights, blob.integer(2)), 0xDEADBEEFU) << name;
      EXPECT_EQ(at<std::uint64_t>(files.weights, blob.integer(2) + 8), bytes) << name;
    }
    read.insert("image");
    EXPECT_EQ(read, known);
    EXPECT_EQ(at<std::uint32_t>(files.weights, 0), blobs);
    // One type for the network, float32 for decoding.
    EXPECT_EQ(types.at("conv"), half ? 10U : 11U);
    EXPECT_EQ(types.at("reshape"), 11U);
  }
}

TEST(Coreml, SuppressionIsAPipeline) {
  ExportOptions options;
  options.nms = true, options.iou_thres = 0.6, options.conf_thres = 0.125;
  for (const bool agnostic : {false, true}) {
    options.agnostic_nms = agnostic;
    const WireMessage model(written(every_primitive(3), options).model), pipeline = model.one(202);
    EXPECT_EQ(model.integer(1), 6U);
    ASSERT_EQ(pipeline.all(1).size(), 2U);
    const WireMessage network = pipeline.all(1)[0], last = pipeline.all(1)[1];
    EXPECT_EQ(network.integer(1), 6U);
    EXPECT_EQ(last.integer(1), 5U);
    std::vector<std::string> outputs;
    for (const WireMessage& operation : block_of(network).all(3))
      if (operation.text(1) == "identity") outputs.push_back(signature(operation.one(3)));
    EXPECT_EQ(outputs, (std::vector<std::string>{"raw_confidence: 11 [200, 3]",
                                                 "raw_coordinates: 11 [200, 4]"}));
    const WireMessage suppression = last.one(610);
    EXPECT_EQ(suppression.doubles.at(110), std::vector<double>{0.6});
    EXPECT_EQ(suppression.doubles.at(111), std::vector<double>{0.125});
    EXPECT_EQ(suppression.one(1).integers.contains(1), !agnostic);
    EXPECT_EQ(suppression.one(100).texts(1),
              (std::vector<std::string>{"name 0", "name 1", "name 2"}));
    const auto metadata = user_metadata(model);
    EXPECT_EQ(metadata.at("IoU threshold"), "0.6");
    EXPECT_EQ(metadata.at("Confidence threshold"), "0.125");
    EXPECT_EQ(metadata.at("layout"), "coreml-nms");
  }
}

TEST(Coreml, TheManifestNamesBothPartsAndARepeatGivesTheSameBytes) {
  const Written first = written(every_primitive(3), {});
  EXPECT_EQ(first, written(every_primitive(3), {}));
  const std::string uuid = "[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-A[0-9A-F]{3}-[0-9A-F]{12}";
  const auto item = [&](const char* what, const char* name) {
    return "    \"(" + uuid +
           ")\": \\{\n      \"author\": \"com.apple.CoreML\",\n      \"description\": \"CoreML "
           "Model " +
           what + "\",\n      \"name\": \"" + name + "\",\n      \"path\": \"com.apple.CoreML/" +
           name + "\"\n    \\}";
  };
  const std::regex whole("\\{\n  \"fileFormatVersion\": \"1.0.0\",\n  \"itemInfoEntries\": \\{\n" +
                         item("Specification", "model.mlmodel") + ",\n" +
                         item("Weights", "weights") + "\n  \\},\n  \"rootModelIdentifier\": \"(" +
                         uuid + ")\"\n\\}\n");
  std::smatch parts;
  ASSERT_TRUE(std::regex_match(first.manifest, parts, whole)) << first.manifest;
  EXPECT_EQ(parts[1], parts[3]);
  EXPECT_NE(parts[1], parts[2]);
  EXPECT_NE(first.manifest, written(every_primitive(1), {}).manifest);
}

TEST(Coreml, RefusesWhatItCannotHold) {
  const test::ScratchFolder folder;
  const auto message = [&](const network::NetworkAndWeights& net, const ExportOptions& options) {
    return test::error_of(
        [&] { write_coreml(export_model(net, 8, 12, options), options, folder / "x"); });
  };
  ExportOptions batch, half;
  batch.batch_size = 3, half.half = true;
  EXPECT_EQ(message(every_primitive(1), batch),
            "export: coreml: expected --batch-size 1, since an input image is a single one, found "
            "3");
  HandNetwork net;
  net.level(net.conv(0, 3, 6, std::vector<float>(18, -66000), {}), 1, 1);
  EXPECT_EQ(message({net.network(), net.weights()}, half),
            "--half: model.0.conv.weight: expected values of at most 65504, found -66000");
  EXPECT_EQ(folder.files(), 0U);
  EXPECT_FALSE(honours(format("coreml"), "half-io"));
}

// 2 · 3 · 10 · 10 numbers, of which 600 are more than 512: bytes in the file, one a number, in the
// order of the weights, and 256 float32 numbers. CoreML6 knows the operation.
TEST(CoremlProgram, Palettes) {
  const test::ScratchFolder folder;
  CoremlWeights weights(folder / "weight.bin");
  CoremlProgram program(weights, true);
  std::vector<float> values(600, 1);
  values[1] = -2, values[599] = 0.5F;
  const CoremlValue value =
      program.weight("a.weight", {2, 3, 10, 10}, network::Tensor::from(values, {2, 3, 10, 10}),
                     CoremlType::float32);
  EXPECT_EQ(value.name, "a_weight");
  program.weight("a.bias", {600}, network::Tensor::from(values, {600}), CoremlType::float32);
  program.weight("b.weight", {2, 4, 8, 8},
                 network::Tensor::from(std::vector<float>(512, 1), {2, 4, 8, 8}),
                 CoremlType::float32);
  EXPECT_EQ(program.version(), 7);
  std::ostringstream out;
  program.finish({}).write(out);
  weights.finish();
  const auto operations = entry(entry(WireMessage(out.str()), 2, "main"), 3, "CoreML6").all(3);
  ASSERT_EQ(operations.size(), 3U);
  EXPECT_EQ(operations[0].text(1), "constexpr_lut_to_dense");
  EXPECT_EQ(signature(operations[0].one(3)), "a_weight: 11 [2, 3, 10, 10]");
  EXPECT_EQ(operations[1].text(1), "const");
  EXPECT_EQ(operations[2].text(1), "const");
  const std::string bytes = folder.read("weight.bin");
  const WireMessage places = entry(operations[0], 5, "indices"),
                    numbers = entry(operations[0], 5, "lut");
  EXPECT_EQ(places.one(2).one(1).integer(1), 31U);  // uint8
  EXPECT_EQ(places.one(5).integer(2), 64U);
  EXPECT_EQ(at<std::uint32_t>(bytes, 64 + 4), 3U);
  EXPECT_EQ(at<std::uint64_t>(bytes, 64 + 8), 600U);
  std::string expected(600, '\2');
  expected[1] = '\0', expected[599] = '\1';
  EXPECT_EQ(bytes.substr(128, 600), expected);
  const std::uint64_t record = numbers.one(5).integer(2);
  EXPECT_EQ(at<std::uint32_t>(bytes, record + 4), 2U);
  EXPECT_EQ(at<std::uint64_t>(bytes, record + 8), 1024U);
  EXPECT_EQ(at<float>(bytes, record + 64), -2);
  EXPECT_EQ(at<float>(bytes, record + 68), 0.5F);
  EXPECT_EQ(at<float>(bytes, record + 72), 1);
  const WireMessage shape = entry(operations[0], 5, "shape");
  EXPECT_EQ(shape.one(2).one(1).integer(1), 33U);  // uint32
  EXPECT_EQ(shape.one(3).one(1).one(7).text(1),
            std::string("\2\0\0\0\3\0\0\0\12\0\0\0\12\0\0\0", 16));
}

// Few numbers stand in the program, in float16 as bytes; ten and more in the file of weights.
TEST(CoremlProgram, Constants) {
  const test::ScratchFolder folder;
  CoremlWeights weights(folder / "weight.bin");
  CoremlProgram program(weights);
  EXPECT_EQ(program
                .weight("a.b", {2}, network::Tensor::from(std::vector<float>{1, -2}, {2}),
                        CoremlType::float16)
                .name,
            "a_b");
  EXPECT_EQ(program
                .weight("a_b", {1}, network::Tensor::from(std::vector<float>{3}, {1}),
                        CoremlType::float32)
                .name.substr(0, 4),
            "a_b_");
  program.reals({10}, std::vector<float>(10, 1), CoremlType::float32);
  program.integers({-1, 300});
  std::ostringstream bytes;
  program.finish({}).write(bytes);
  const auto operations = entry(entry(WireMessage(bytes.str()), 2, "main"), 3, "CoreML5").all(3);
  ASSERT_EQ(operations.size(), 4U);
  const auto value = [&](std::size_t i) { return entry(operations[i], 5, "val"); };
  EXPECT_EQ(value(0).one(3).one(1).one(7).text(1), std::string("\x00\x3c\x00\xc0", 4));
  EXPECT_EQ(value(1).one(3).one(1).one(1).text(1), std::string("\x00\x00\x40\x40", 4));
  EXPECT_EQ(value(2).one(5).integer(2), 64U);
  // −1 as ten bytes of a 64-bit varint, 300 as two.
  EXPECT_EQ(value(3).one(3).one(1).one(2).text(1),
            std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\xac\x02", 12));
}
