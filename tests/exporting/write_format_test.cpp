// A file gets its name only where it is the detector that it was written from: planted faults, each
// refused with the operation at which the file becomes another detector.
#include "exporting/write_format.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/value.hpp"
#include "exporting/channels_last.hpp"
#include "exporting/format_table.hpp"
#include "exporting/tflite_graph.hpp"
#include "exporting/wire/stored_zip.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

// Multiples of 32, which a frozen graph, that tells nothing, is taken to want.
constexpr int height = 32, width = 64;

std::unique_ptr<runtime::Detector> detector_of(const network::NetworkAndWeights& net) {
  runtime::DetectorOptions options;
  options.as_stored = true;
  return runtime::make_openvino_detector(net.network, net.weights, options);
}

struct Case {
  network::NetworkAndWeights net = every_primitive(3);
  ExportOptions options;
  std::function<void(ExportModel&)> change_model = [](ExportModel&) {};
  WriteFormat write = nullptr;  // in place of the format's own
};

Verification verification_of(equivalence::Parent& parent,
                             std::span<const equivalence::ProofPicture> pictures) {
  Verification with{parent, pictures, pictures};
  with.folded_parent = [] {
    return std::make_shared<const network::NetworkAndWeights>(every_primitive(3));
  };
  return with;
}

/// "" where the file was written; else the error, and the folder is as it was.
std::string outcome(const Case& one, const char* format_name = "onnx") {
  if (!runtime::openvino_available()) return "no OpenVINO";
  const test::ScratchFolder folder;
  equivalence::Parent parent([] { return detector_of(every_primitive(3)); });
  const auto pictures = equivalence::noise_pictures(2, height, width);
  ExportOptions options = one.options;
  options.weights = (folder / "weights.pt").string();
  ExportModel model = export_model(one.net, height, width, options);
  one.change_model(model);
  Format chosen = format(format_name);
  if (one.write != nullptr) chosen.write = one.write;
  const auto path = final_path(chosen, options);
  const Verification verification = verification_of(parent, pictures);
  WrittenFormat written;
  const std::string error =
      test::error_of([&] { written = write_format(chosen, model, options, path, &verification); });
  if (error == "no error") {
    EXPECT_EQ(folder.files(), 2U) << "the file and its certificate";
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_TRUE(std::filesystem::exists(written.certificate));
    EXPECT_GT(written.bytes, 1000U);
    EXPECT_EQ(written.check.verdict, "equal");
    return {};
  }
  EXPECT_EQ(folder.files(), 0U) << "something is left behind";
  return error;
}

/// The values of a tensor.
std::vector<float> values(const Case& one, const std::string& name) {
  return one.net.weights.at(name).to_floats();
}
void set(Case& one, const std::string& name, const std::vector<float>& changed) {
  one.net.weights.set(name, network::Tensor::from(changed, one.net.weights.at(name).shape));
}
/// The n-th convolution.
network::Convolution convolution(const Case& one, std::size_t number) {
  for (const network::Operation& op : one.net.network.operations)
    if (const auto* conv = op.as<network::Convolution>(); conv != nullptr && number-- == 0)
      return *conv;
  throw std::runtime_error("no such convolution");
}
std::size_t size(int n) { return static_cast<std::size_t>(n); }

/// Puts an operation behind the first `P`, which all that read it read then.
template <class P>
void put_behind(Case& one, const network::Primitive& primitive) {
  auto& operations = one.net.network.operations;
  const auto at = std::find_if(operations.begin(), operations.end(),
                               [](const network::Operation& op) { return op.is<P>(); });
  const int old = at->output, fresh = one.net.network.value_count++;
  network::Operation added{primitive, {fresh}, old, 0};
  at->output = fresh;
  operations.insert(at + 1, added);
}
network::Convolution depthwise(Case& one, const char* tensor, int channels, int kernel, int pad,
                               const std::vector<float>& taps) {
  network::Convolution conv;
  conv.tensor = tensor;
  conv.in_channels = conv.out_channels = conv.groups = channels;
  conv.kernel_h = conv.kernel_w = kernel, conv.pad_h = conv.pad_w = pad;
  std::vector<float> weight;
  for (int c = 0; c < channels; ++c) weight.insert(weight.end(), taps.begin(), taps.end());
  one.net.weights.set(std::string(tensor) + ".weight",
                      network::Tensor::from(weight, {channels, 1, kernel, kernel}));
  return conv;
}

constexpr std::initializer_list<const char*> four_formats{"onnx", "openvino", "tflite", "pb"};

/// `place`: the operation that the refusal names.
void expect_breach(const Case& one, const std::string& place,
                   std::initializer_list<const char*> formats = four_formats) {
  for (const char* name : formats) {
    const std::string error = outcome(one, name);
    EXPECT_NE(error.find("is not the detector that it was written from"), std::string::npos)
        << name << ": '" << error << "'";
    EXPECT_NE(error.find("first operation whose output differs is: " + place), std::string::npos)
        << name << ": expected " << place << ", found: " << error;
  }
}

/// TensorFlow's SAME for strided convolutions, whose padding lies below and to the right alone, in
/// place of padding all around and VALID.
class SameForValid : public TfliteGraph {
 public:
  using TfliteGraph::TfliteGraph;
  int node(const ChannelsLastNode& node) override {
    if (node.kind == ChannelsLastKind::pad) return node.inputs.front();
    ChannelsLastNode other = node;
    if (node.kind == ChannelsLastKind::convolution && node.stride == 2) other.same = true;
    return TfliteGraph::node(other);
  }
};

void write_same_for_valid(const ExportModel& model, const ExportOptions& options,
                          const std::filesystem::path& path) {
  const ExportModel own = channels_last_model(model, options);
  SameForValid graph(false, false, own.fused);
  const int images =
      graph.input("images", TfliteType::float32, {own.batch, own.height, own.width, 3});
  graph.output("output0", "output_0", channels_last(graph, own, options, images).first);
  const FlatFile content = graph.file(own.description);
  nlohmann::json object;
  for (const auto& [key, value] : metadata(own, options, channels_last_layout(options)))
    object[key] = value;
  std::ofstream out(path, std::ios::binary);
  content.write(out);
  out << stored_zip("metadata.json", object.dump(), content.size());
}

/// OpenVINO's Model API fills images up with what the file says.
void write_with_another_fill(const ExportModel& model, const ExportOptions& options,
                             const std::filesystem::path& path) {
  format("openvino").write(model, options, path);
  const auto xml = path / "weights.xml";
  std::string text = test::read_text(xml);
  const std::string told = "<pad_value value=\"114\"";
  const std::size_t at = text.find(told);
  ASSERT_NE(at, std::string::npos);
  test::write_text(xml, text.replace(at, told.size(), "<pad_value value=\"0\""));
}

Case decoded() {
  Case one;
  one.options.grid = true;
  return one;
}

}  // namespace

class WrittenFile : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!runtime::openvino_available()) GTEST_SKIP() << "this build has no OpenVINO";
  }
};

TEST_F(WrittenFile, AFaithfulFileIsWrittenInEveryForm) {
  for (const char* name : {"onnx", "openvino"})
    for (const int form : {0, 1, 2, 3})
      for (const bool half : {false, true}) {
        Case one;
        one.options.grid = form == 1, one.options.fold_obj = form == 2, one.options.nms = form == 3;
        one.options.half = half;
        EXPECT_EQ(outcome(one, name), "") << name << ' ' << form << ' ' << half;
      }
  Case plugin;
  plugin.options.end2end = true;
  EXPECT_EQ(outcome(plugin, "onnx"), "");
  EXPECT_EQ(outcome(plugin, "engine"), "");
}

TEST_F(WrittenFile, PlantedTransposedWeight) {
  Case one = decoded();
  const auto conv = convolution(one, 0);
  auto weight = values(one, conv.tensor + ".weight");
  for (std::size_t plane = 0; plane < weight.size(); plane += 9)
    for (const auto& [a, b] : {std::pair{1, 3}, {2, 6}, {5, 7}})
      std::swap(weight[plane + size(a)], weight[plane + size(b)]);
  set(one, conv.tensor + ".weight", weight);
  expect_breach(one, "convolution " + conv.tensor + ",");
}

TEST_F(WrittenFile, PlantedRedForBlue) {
  Case one = decoded();
  const auto conv = convolution(one, 0);  // behind Reorg: four times R, G, B
  auto weight = values(one, conv.tensor + ".weight");
  for (std::size_t group = 0; group < weight.size(); group += 27)
    for (std::size_t k = 0; k < 9; ++k) std::swap(weight[group + k], weight[group + 18 + k]);
  set(one, conv.tensor + ".weight", weight);
  expect_breach(one, "convolution " + conv.tensor + ",");
}

TEST_F(WrittenFile, PlantedSwappedClasses) {
  for (const bool suppressed : {false, true}) {
    Case one = decoded();
    one.options.nms = suppressed;
    std::vector<std::string> heads;
    for (const network::Operation& op : one.net.network.operations) {
      const auto* conv = op.as<network::Convolution>();
      if (conv == nullptr || conv->out_channels != 16) continue;
      heads.push_back(conv->tensor);
      auto weight = values(one, conv->tensor + ".weight"),
           bias = values(one, conv->tensor + ".bias");
      const std::size_t row = size(conv->in_channels);
      for (const std::size_t anchor : {0U, 8U}) {
        std::swap(bias[anchor + 5], bias[anchor + 6]);
        for (std::size_t i = 0; i < row; ++i)
          std::swap(weight[(anchor + 5) * row + i], weight[(anchor + 6) * row + i]);
      }
      set(one, conv->tensor + ".weight", weight);
      set(one, conv->tensor + ".bias", bias);
    }
    // TensorFlow's formats leave suppression to their readers.
    if (suppressed)
      expect_breach(one, "convolution " + heads.front(), {"onnx", "openvino"});
    else
      expect_breach(one, "convolution " + heads.front());
  }
}

TEST_F(WrittenFile, PlantedBias) {
  Case one = decoded();
  const auto conv = convolution(one, 1);
  auto bias = values(one, conv.tensor + ".bias");
  bias[0] += 0.01F;
  set(one, conv.tensor + ".bias", bias);
  expect_breach(one, "convolution " + conv.tensor + ",");
}

TEST_F(WrittenFile, PlantedPoolPaddingOfZero) {
  Case one = decoded();
  auto& operations = one.net.network.operations;
  for (auto& op : operations)
    if (auto* pool = std::get_if<network::MaxPool>(&op.primitive);
        pool != nullptr && pool->kernel == 5)
      pool->padding = 0;
  // The pool of halves stands before it: its result gets a border of zeros, for all readers, so the
  // other reader is cut back by nothing else than the concatenation, whose sides differ then.
  const auto wide = std::find_if(operations.begin(), operations.end(), [](const auto& op) {
    const auto* pool = op.template as<network::MaxPool>();
    return pool != nullptr && pool->kernel == 5;
  });
  const int fresh = one.net.network.value_count++;
  const network::Operation border{depthwise(one, "model.0.border", 8, 1, 2, {1}), wide->inputs,
                                  fresh, 0};
  wide->inputs = {fresh};
  operations.insert(wide, border);
  expect_breach(one, "max-pool of 5 x 5");
}

TEST_F(WrittenFile, PlantedSameForValid) {
  Case one = decoded();
  one.write = write_same_for_valid;
  expect_breach(one, "convolution " + convolution(one, 1).tensor + ",", {"tflite"});
}

TEST_F(WrittenFile, PlantedLetterboxFill) {
  Case one = decoded();
  one.write = write_with_another_fill;
  EXPECT_TRUE(outcome(one, "openvino")
                  .find("the file tells a letterbox fill of 0, the network was "
                        "trained with 114") != std::string::npos);
}

TEST_F(WrittenFile, PlantedShiftedUpsample) {
  Case one = decoded();
  put_behind<network::Upsample>(
      one, depthwise(one, "model.0.shift", 8, 3, 1, {0, 0, 0, 1, 0, 0, 0, 0, 0}));
  expect_breach(one, "upsample");
}

TEST_F(WrittenFile, PlantedAnchorsOfAnotherLevel) {
  Case one = decoded();
  std::swap(one.net.network.levels[0].anchors, one.net.network.levels[1].anchors);
  expect_breach(one, "decoding of level 0: anchors");
}

TEST_F(WrittenFile, PlantedHalfAPixel) {
  Case one = decoded();
  one.change_model = [](ExportModel& model) {
    auto& program = model.program;
    for (std::size_t i = 0; i < program.after.size(); ++i) {
      if (!std::holds_alternative<network::AddCellOffsets>(program.after[i].primitive)) continue;
      const int fresh = program.value_count++, old = program.after[i].output;
      program.after[i].output = fresh;
      program.after.insert(program.after.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                           {network::ShiftRows{{0.5, 0.5, 0, 0, 0, 0, 0, 0}}, {fresh}, old});
    }
  };
  expect_breach(one, "decoding of level 0: places of the cells");
}

// Other programs read them there; this one reads the .xml file.
TEST_F(WrittenFile, OpenVinosYamlHoldsEveryName) {
  const test::ScratchFolder folder;
  ExportOptions options;
  options.weights = "weights.pt";
  ExportModel model = export_model(every_primitive(3), height, width, options);
  model.names = {"it's", "a\\b", "c: #1"};
  format("openvino").write(model, options, folder / "x");
  const Value names = read_yaml(folder / "x" / "metadata.yaml").at("names");
  ASSERT_EQ(names.mapping.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(names.mapping[i].first, std::to_string(i));
    EXPECT_EQ(names.mapping[i].second.text(), model.names[i]);
  }
}

TEST_F(WrittenFile, AFailedRepeatKeepsWhatWasThere) {
  const test::ScratchFolder folder;
  equivalence::Parent parent([] { return detector_of(every_primitive(3)); });
  const auto pictures = equivalence::noise_pictures(1, height, width);
  ExportOptions options;
  options.weights = (folder / "weights.pt").string();
  const Verification verification = verification_of(parent, pictures);
  for (const char* name : {"onnx", "openvino"}) {
    const Format& chosen = format(name);
    const auto path = final_path(chosen, options);
    const auto write = [&](const network::NetworkAndWeights& net) {
      write_format(chosen, export_model(net, height, width, options), options, path, &verification);
    };
    write(every_primitive(3));
    const auto file = std::filesystem::is_directory(path) ? path / "weights.xml" : path;
    const std::string before = test::read_text(file);
    EXPECT_NE(test::error_of([&] { write(every_primitive(3, 7)); }), "no error");
    EXPECT_EQ(test::read_text(file), before);
    write(every_primitive(3));
    EXPECT_EQ(test::read_text(file), before) << "a repeat gives the same bytes";
  }
  EXPECT_EQ(folder.files(), 4U);
}

// They are those of other formats of the same export.
TEST(WriteFormat, OptionsWithoutEffectAreNotTold) {
  const test::ScratchFolder folder;
  ExportOptions options;
  options.weights = (folder / "weights.pt").string();
  options.dynamic = options.half = options.int8 = true;
  const ExportModel model = export_model(every_primitive(3), height, width, options);
  for (const bool half : {false, true}) {  // a SavedModel has no float16
    const Format& chosen = format(half ? "ncnn" : "saved_model");
    const WrittenFormat written =
        write_format(chosen, model, options, final_path(chosen, options), nullptr);
    EXPECT_EQ(read_yaml(written.path / "metadata.yaml").at("args").text(),
              std::string("{'batch': 1, 'dynamic': False, 'dynamic_batch': False, 'half': ") +
                  (half ? "True" : "False") + ", 'int8': False, 'fold_obj': False}");
    const auto told = nlohmann::json::parse(written.content).at("options");
    EXPECT_EQ(told.at("dynamic"), "false");
    EXPECT_EQ(told.at("half").get<std::string>(), half ? "true" : "false");
    EXPECT_EQ(told.at("int8"), "false");
  }
}
