// Lines and bytes by hand; what ncnn makes of them is in ncnn_peer.py.
#include "exporting/ncnn.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "exporting/format_table.hpp"
#include "exporting/ncnn_layers.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

struct Written {
  std::string param, bin, metadata;
  bool operator==(const Written&) const = default;
};

Written written(const network::NetworkAndWeights& net, const ExportOptions& options, int height,
                int width) {
  const test::ScratchFolder folder;
  write_ncnn(export_model(net, height, width, options), options, folder / "x");
  return {folder.read("x/model.ncnn.param"), folder.read("x/model.ncnn.bin"),
          folder.read("x/metadata.yaml")};
}

/// Three channels to one of 5 + 1 columns, then an activation that is read twice.
network::NetworkAndWeights small(const std::vector<float>& weight) {
  HandNetwork net;
  const int six = net.conv(0, 3, 6, weight, {1, 2, 3, 4, 5, 6});
  const int relu = net.activation(network::ActivationKind::relu, six);
  net.level(net.add(network::Add{}, {relu, six}), 1, 1);
  return {net.network(), net.weights()};
}

std::vector<float> eighteen() {
  std::vector<float> values(18, 0);
  values[0] = 1, values[1] = -2, values[17] = 0.5F;
  return values;
}

template <class T>
T at(const std::string& bytes, std::size_t offset) {
  T value{};
  std::memcpy(&value, bytes.substr(offset, sizeof value).data(), sizeof value);
  return value;
}

}  // namespace

TEST(Ncnn, LayersByHand) {
  EXPECT_EQ(written(small(eighteen()), {}, 2, 4).param,
            "7767517\n"
            "7 8\n"
            "Input Input_0 0 1 images 0=4 1=2 2=3\n"
            "Convolution Convolution_1 1 1 images b1 0=6 1=1 11=1 2=1 12=1 3=1 13=1 4=0 14=0 15=0 "
            "16=0 5=1 6=18\n"
            "Split split_b1 1 2 b1 b1_split0 b1_split1\n"
            "ReLU ReLU_2 1 1 b1_split0 b2 0=0\n"
            "BinaryOp BinaryOp_3 2 1 b2 b1_split1 b3 0=0\n"
            "Reshape Reshape_4 1 1 b3 b4 0=-1 1=6 2=1\n"
            "Permute Permute_5 1 1 b4 output0 0=1\n");
}

TEST(Ncnn, WeightsByHand) {
  const std::string bin = written(small(eighteen()), {}, 2, 4).bin;
  ASSERT_EQ(bin.size(), 4U + 18 * 4 + 6 * 4);
  EXPECT_EQ(at<std::uint32_t>(bin, 0), 0U);
  EXPECT_EQ(at<float>(bin, 4), 1);
  EXPECT_EQ(at<float>(bin, 8), -2);
  EXPECT_EQ(at<float>(bin, 4 + 17 * 4), 0.5F);
  EXPECT_EQ(at<float>(bin, 4 + 18 * 4), 1);
  EXPECT_EQ(at<float>(bin, 4 + 23 * 4), 6);
}

// y = w x + b for each channel: a Scale, whose numbers are plain.
TEST(Ncnn, AFactorForEachChannelIsAScale) {
  for (const bool half : {false, true}) {
    HandNetwork net;
    const int scaled = net.conv(0, 3, 3, {2, -4, 8}, {1, 0.5F, 0}, 1, 1, 3);
    net.level(net.conv(scaled, 3, 6, eighteen(), {}), 1, 1);
    ExportOptions options;
    options.half = half;
    const Written file = written({net.network(), net.weights()}, options, 2, 4);
    EXPECT_NE(file.param.find("\nScale Scale_1 1 1 images b1 0=3 1=1\nConvolution Convolution_2 "),
              std::string::npos)
        << file.param;
    const float by_hand[] = {2, -4, 8, 1, 0.5F, 0};
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(at<float>(file.bin, 4 * i), by_hand[i]);
  }
}

// 1 is 3C00, −2 is C000, 0.5 is 3800 (IEEE 754 binary16). The bias stays float32.
TEST(Ncnn, HalfHalvesTheConvolutionsWeights) {
  ExportOptions options;
  options.half = true;
  const std::string bin = written(small(eighteen()), options, 2, 4).bin;
  ASSERT_EQ(bin.size(), 4U + 18 * 2 + 6 * 4);
  EXPECT_EQ(at<std::uint32_t>(bin, 0), 0x01306B47U);
  EXPECT_EQ(at<std::uint16_t>(bin, 4), 0x3C00);
  EXPECT_EQ(at<std::uint16_t>(bin, 6), 0xC000);
  EXPECT_EQ(at<std::uint16_t>(bin, 4 + 17 * 2), 0x3800);
  EXPECT_EQ(at<float>(bin, 4 + 18 * 2), 1);
}

// An odd number of 2-byte values is followed by two bytes of nothing.
TEST(Ncnn, WeightsEndAtMultiplesOfFour) {
  std::ostringstream out;
  NcnnLayers layers(out);
  layers.marked(network::Tensor::from(std::vector<float>{1, 2, 3}, {3}), true);
  layers.plain({7});
  ASSERT_EQ(out.str().size(), 4U + 6 + 2 + 4);
  EXPECT_EQ(at<float>(out.str(), 12), 7);
}

TEST(Ncnn, CountsAreTrueAndEveryBlobHasOneReader) {
  for (const bool grid : {false, true}) {
    ExportOptions options;
    options.grid = grid;
    std::istringstream lines(written(every_primitive(3), options, 32, 40).param);
    std::size_t magic = 0, layers = 0, blobs = 0, found_layers = 0, found_blobs = 0;
    lines >> magic >> layers >> blobs;
    std::map<std::string, int> readers;
    for (std::string type, name; lines >> type >> name; ++found_layers) {
      std::size_t inputs = 0, outputs = 0;
      std::string word;
      for (lines >> inputs >> outputs; inputs > 0; --inputs) {
        lines >> word;
        ASSERT_TRUE(readers.contains(word)) << word << " is read before it is made";
        EXPECT_EQ(++readers[word], 1) << word;
      }
      for (; outputs > 0; --outputs, ++found_blobs) {
        lines >> word;
        EXPECT_TRUE(readers.emplace(word, 0).second) << word << " is made twice";
      }
      std::getline(lines, word);
    }
    EXPECT_EQ(found_layers, layers);
    EXPECT_EQ(found_blobs, blobs);
    std::vector<std::string> unread;
    for (const auto& [name, count] : readers)
      if (count == 0) unread.push_back(name);
    EXPECT_EQ(unread, grid ? std::vector<std::string>{"output0"}
                           : (std::vector<std::string>{"output0", "output1"}));
  }
}

TEST(Ncnn, ARepeatGivesTheSameBytes) {
  ExportOptions options;
  options.half = options.grid = true;
  const auto net = every_primitive(3);
  const Written first = written(net, options, 32, 40);
  EXPECT_EQ(first, written(net, options, 32, 40));
  EXPECT_NE(first.metadata.find("layout: 'v5'\n"), std::string::npos) << first.metadata;
  EXPECT_NE(first.metadata.find("names: '{0: ''name 0'', 1: ''name 1'', 2: ''name 2''}'\n"),
            std::string::npos);
}

TEST(Ncnn, RefusesWhatItCannotHold) {
  const test::ScratchFolder folder;
  const auto message = [&](const ExportOptions& options, const std::vector<float>& weight) {
    return test::error_of(
        [&] { write_ncnn(export_model(small(weight), 2, 4, options), options, folder / "x"); });
  };
  ExportOptions batch, nms, half;
  batch.batch_size = 2, nms.nms = true, half.half = true;
  EXPECT_EQ(message(batch, eighteen()),
            "export: ncnn: expected --batch-size 1, since the format has no batch axis, found 2");
  EXPECT_EQ(message(nms, eighteen()),
            "export: ncnn: expected raw maps or --grid, since the format has no operation that "
            "suppresses boxes, found suppression in the graph");
  std::vector<float> large = eighteen();
  large[3] = 70000;
  EXPECT_EQ(message(half, large),
            "--half: model.0.conv.weight: expected values of at most 65504, found 70000");
  EXPECT_EQ(folder.files(), 0U);
  EXPECT_FALSE(honours(format("ncnn"), "int8"));
}
