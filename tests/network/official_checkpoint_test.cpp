// Checkpoints of the original program: both containers, every form of the top object, and what must
// be refused.
#include <gtest/gtest.h>

#include <fstream>

#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/builder.hpp"
#include "network/graph/folded.hpp"
#include "network/torch_file/open_torch_container.hpp"
#include "network/torch_file/torch_container.hpp"
#include "network/transform/training_graph.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/network/official_fixture.hpp"

namespace yolov7::network {
namespace {

using namespace hostile;

class Official : public testing::Test {
 protected:
  test::ScratchFolder folder;
  SmallOfficial small;

  Checkpoint read(const std::string& bytes) {
    const auto path = folder / "x.pt";
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    return read_checkpoint(path);
  }
  std::string refusal(const std::string& bytes) {
    return error_of([&] { read(bytes); });
  }
  std::string model_file(const OfficialOptions& options = {}) {
    OfficialFile file(options);
    return file.bytes(top(file.model(small.network, small.weights, small.yaml)));
  }
  void expect_weights(const Weights& found, const Weights& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found.entries()[i].first, expected.entries()[i].first);
      EXPECT_EQ(found.entries()[i].second.type, expected.entries()[i].second.type);
      EXPECT_TRUE(found.entries()[i].second.bytes == expected.entries()[i].second.bytes)
          << found.entries()[i].first;
    }
  }
  void expect_part(const std::string& said, const std::string& part) {
    EXPECT_NE(said.find(part), std::string::npos) << '"' << said << "\" lacks \"" << part << '"';
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
};

/// Without the tensors that `drop` is true for.
Weights filtered(const Weights& weights, const std::function<bool(const std::string&)>& drop) {
  Weights out;
  for (const auto& [name, tensor] : weights.entries())
    if (!drop(name)) out.set(name, tensor);
  return out;
}

TEST_F(Official, AModelInEitherContainer) {
  for (const bool legacy : {false, true}) {
    OfficialOptions options;
    options.legacy = legacy;
    const Checkpoint c = read(model_file(options));
    EXPECT_EQ(c.facts.container, legacy ? "legacy" : "zip");
    EXPECT_EQ(c.facts.format, CheckpointFacts::Format::model);
    EXPECT_FALSE(c.facts.epoch);
    EXPECT_EQ(c.facts.best_fitness, 0.625);
    EXPECT_EQ(c.names, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(c.class_count, 2);
    EXPECT_TRUE(c.ema.entries().empty());
    expect_weights(c.model, small.weights);
    const Network n = c.build_network();
    EXPECT_EQ(n.head, HeadKind::idetect);
    ASSERT_EQ(n.operations.size(), small.network.operations.size());
    for (std::size_t i = 0; i < n.operations.size(); ++i)
      EXPECT_TRUE(n.operations[i].primitive == small.network.operations[i].primitive) << i;
    EXPECT_EQ(n.levels[0].anchors[0].w, small.weights.at("model.3.anchor_grid").to_doubles()[0]);
  }
}

TEST_F(Official, TheAveragedModelIsTaken) {
  Weights other = small.weights;
  other.set(
      "model.0.conv.weight",
      Tensor::from(std::vector<double>(8 * 27, 0.5), {8, 3, 3, 3}).converted(DataType::float16));
  OfficialFile file({});
  const std::string model = file.model(small.network, small.weights, small.yaml),
                    ema = file.model(small.network, other, small.yaml);
  const Checkpoint c = read(file.bytes(top(model, ema, 12)));
  EXPECT_EQ(c.facts.epoch, 12);
  expect_weights(c.ema, other);
  expect_weights(c.model, small.weights);
  EXPECT_EQ(&c.inference_weights(), &c.ema);
}

TEST_F(Official, ModelsAloneAndWrapped) {
  OfficialFile alone({});
  expect_weights(read(alone.bytes(alone.model(small.network, small.weights, small.yaml))).model,
                 small.weights);
  OfficialOptions options;
  options.wrapper = "torch.nn.parallel.distributed.DistributedDataParallel";
  expect_weights(read(model_file(options)).model, small.weights);
}

TEST_F(Official, PlainDictionariesOfTensors) {
  const auto with_prefix = [&](const std::string& prefix) {
    Weights out;
    for (const auto& [name, tensor] : small.weights.entries()) out.set(prefix + name, tensor);
    return out;
  };
  const auto stripped = [&] {
    Weights out;
    for (const auto& [name, tensor] : small.weights.entries()) out.set(name.substr(6), tensor);
    return out;
  }();
  using Wrap = std::string (*)(const std::string&);
  // Nothing but a configuration tells what a network of four layers is.
  for (const Wrap wrap : {Wrap{[](const std::string& t) {
                            return dictionary({{"model", t}, {"yaml", SmallOfficial().yaml}});
                          }},
                          Wrap{[](const std::string& t) {
                            return dictionary({{"state_dict", t}, {"yaml", SmallOfficial().yaml}});
                          }}})
    for (const Weights& form : {small.weights, with_prefix("module."), stripped}) {
      OfficialFile file({});
      const Checkpoint c = read(file.bytes(wrap(file.tensors(form))));
      EXPECT_EQ(c.facts.format, CheckpointFacts::Format::tensors);
      expect_weights(c.model, small.weights);
      EXPECT_EQ(c.names, (std::vector<std::string>{"0", "1"}));
    }
  OfficialFile file({});
  expect_part(refusal(file.bytes(file.tensors(small.weights))),
              "4 layers, which is none of the published networks");
}

/// The published tiny network at an eighth of its width, in half precision.
struct Tiny {
  explicit Tiny(const std::string& path) {
    Overrides overrides;
    overrides.width_multiple = 0.125;
    overrides.class_count = 2;
    network = build_config(path, overrides);
    const Weights numbered = numbered_weights(network);
    for (const auto& [name, tensor] : numbered.entries())
      weights.set(name, tensor.converted(DataType::float16));
    for (const TensorSpec& spec : network.tensors)
      if (spec.role ==
          TensorSpec::Role::anchor_grid) {  // in the order of the strides, as every file has them
        std::vector<double> sizes;
        for (const Level& level : network.levels)
          for (const AnchorSize& a : level.anchors) sizes.insert(sizes.end(), {a.w, a.h});
        weights.set(spec.name, Tensor::from(sizes, spec.shape).converted(DataType::float16));
      }
  }
  Network network;
  Weights weights;
};

// A network without its configuration: by the number of layers, at the width that the tensors have.
// yolov7-tiny and its SiLU form have the same tensors: the pickled activations tell them apart.
TEST_F(Official, PublishedNetworksWithoutTheirConfiguration) {
  for (const std::string path :
       {"training/yolov7-tiny.yaml", "deploy/yolov7-tiny.yaml", "deploy/yolov7-tiny-silu.yaml"}) {
    const Tiny tiny(path);
    OfficialFile file({});
    const Checkpoint c = read(file.bytes(top(file.model(tiny.network, tiny.weights, ""))));
    EXPECT_EQ(c.config_source, path);
    const Network n = c.build_network();
    ASSERT_EQ(n.operations.size(), tiny.network.operations.size());
    for (std::size_t i = 0; i < n.operations.size(); ++i)
      EXPECT_TRUE(n.operations[i].primitive == tiny.network.operations[i].primitive)
          << path << ' ' << i;
  }
  const Tiny tiny("deploy/yolov7-tiny.yaml");
  OfficialFile file({});
  const Checkpoint c = read(file.bytes(file.tensors(tiny.weights)));
  ASSERT_FALSE(c.facts.notes.empty());
  expect_part(c.facts.notes[0], "LeakyReLU(0.1) is assumed");
}

TEST_F(Official, WhatTheModulesSayMustAgreeWithTheNetwork) {
  const auto changed = [&](const std::string& attribute, const std::string& value) {
    OfficialOptions options;
    options.attributes[attribute] = value;
    return refusal(model_file(options));
  };
  expect_part(changed("model.0.conv.stride", small_number(1)),
              "model.0.conv: stride 1, where 2 is expected");
  expect_part(changed("model.0.conv.stride", list({small_number(2), small_number(1)})),
              "stride nan");
  expect_part(changed("model.1.rbr_dense.0.groups", small_number(2)),
              "groups 2, where 1 is expected");
  expect_part(changed("model.0.conv.dilation", small_number(2)), "dilation 2");
  expect_part(changed("model.0.conv.padding_mode", text("reflect")), "padding_mode reflect");
  expect_part(changed("model.0.bn.eps", real(1e-5)),
              "model.0.bn: eps 1e-05, where 0.001 is expected");
  expect_part(changed("model.0.act.negative_slope", real(0.2)),
              "activation LeakyReLU(0.2), where LeakyReLU(0.1) is expected");
  EXPECT_EQ(changed("model.2.f", list({small_number(-1), small_number(0)})),
            "no error");  // the same layers, one by its number
  expect_part(changed("model.2.f", list({small_number(-1), small_number(-1)})),
              "model.2: reads layers 1, 1, where 1, 0 are expected");
  expect_part(changed("model.2.type", text("models.common.Chuncat")),
              "a Chuncat, where Concat is expected");
  OfficialOptions options;
  options.classes["model.0.act"] = "torch.nn.modules.activation.Hardswish";
  expect_part(refusal(model_file(options)),
              "activation Hardswish, where LeakyReLU(0.1) is expected");
  options.classes = {{"model.3", "models.yolo.IBin"}};
  expect_part(refusal(model_file(options)), "unsupported head 'models.yolo.IBin'");
}

TEST_F(Official, UnknownClassesAreInert) {
  OfficialOptions options;
  options.attributes["model.0.i"] = instance(
      "models.experimental.Whatever",
      {{"__setstate__", text("os.system")}, {"x", instance("torch.nn.modules.thing.Thing", {})}});
  expect_weights(read(model_file(options)).model, small.weights);
}

TEST_F(Official, MissingSurplusAndMisshapenTensors) {
  OfficialFile file({});
  const auto refused = [&](const Weights& weights) {
    OfficialFile one({});
    return refusal(one.bytes(dictionary({{"model", one.tensors(weights)}, {"yaml", small.yaml}})));
  };
  expect_part(
      refused(filtered(small.weights,
                       [](const std::string& name) { return name == "model.1.rbr_1x1.0.weight"; })),
      "model.1.rbr_1x1.0.weight is missing");
  Weights more = small.weights;
  more.set("model.0.extra", Tensor::from(std::vector<float>{1}, {1}));
  expect_part(refused(more), "model.0.extra is not part of the network");
  Weights other = small.weights;
  other.set("model.0.conv.weight", Tensor::from(std::vector<float>(8 * 3), {8, 3, 1, 1}));
  expect_part(refused(other),
              "model.0.conv.weight has shape [8, 3, 1, 1], where [8, 3, 3, 3] is expected");
  expect_part(
      refused(filtered(small.weights,
                       [](const std::string& name) { return name.rfind("model.3.m", 0) == 0; })),
      "found none of its heads");
  expect_part(refused(filtered(small.weights,
                               [](const std::string& name) { return name == "model.3.anchors"; })),
              "unsupported head");
  // Counters of batch-norms are younger than the format.
  OfficialFile counted({});
  const Checkpoint c = read(counted.bytes(dictionary(
      {{"model", counted.tensors(filtered(small.weights,
                                          [](const std::string& name) {
                                            return name.find("num_batches") != std::string::npos;
                                          }))},
       {"yaml", small.yaml}})));
  EXPECT_EQ(c.model.at("model.0.bn.num_batches_tracked").bytes, std::vector<std::byte>(8));
  expect_part(c.facts.notes.at(0), "start at 0");
}

// What other tools fold: conv.bias instead of bn.*, rbr_reparam instead of branches; the implicit
// vectors are then in the head.
TEST_F(Official, FoldedTensorsBuildTheFoldedNetwork) {
  const NetworkAndWeights folded = fuse(small.network, small.weights, DataType::float64);
  OfficialFile file({});
  const Checkpoint c =
      read(file.bytes(dictionary({{"model", file.tensors(folded.weights)}, {"yaml", small.yaml}})));
  const Network n = c.build_network();
  EXPECT_EQ(n.head, HeadKind::detect);
  check(n, c.model);
  EXPECT_EQ(c.model.size(), folded.weights.size());
  ASSERT_EQ(n.operations.size(), folded.network.operations.size());
  for (std::size_t i = 0; i < n.operations.size(); ++i) {
    EXPECT_TRUE(n.operations[i].primitive == folded.network.operations[i].primitive) << i;
    EXPECT_EQ(n.operations[i].inputs, folded.network.operations[i].inputs);
    EXPECT_EQ(n.operations[i].output, folded.network.operations[i].output);
  }
  // Folding again changes nothing.
  const NetworkAndWeights again = fuse(n, c.model, DataType::float64);
  for (const auto& [name, tensor] : folded.weights.entries())
    EXPECT_TRUE(again.weights.at(name).bytes == tensor.bytes) << name;
  // The original program leaves the used-up implicit vectors in a folded file: they must not be
  // applied twice.
  Weights leftover = folded.weights;
  for (const char* name : {"model.3.ia.0.implicit", "model.3.im.0.implicit"})
    leftover.set(name, small.weights.at(name));
  OfficialFile second({});
  const Checkpoint d =
      read(second.bytes(dictionary({{"model", second.tensors(leftover)}, {"yaml", small.yaml}})));
  EXPECT_EQ(d.model.find("model.3.ia.0.implicit"), nullptr);
  EXPECT_EQ(d.build_network().head, HeadKind::detect);
  expect_part(d.facts.notes.at(1), "2 tensors of a folded network");
}

// Some tools merge RepConv alone: then batch-norms are left, and the implicit vectors still count.
TEST_F(Official, PartlyFoldedNetworksKeepTheirHead) {
  const NetworkAndWeights folded = fuse(small.network, small.weights, DataType::float64);
  Weights partly = filtered(small.weights,
                            [](const std::string& name) { return name.rfind("model.1.", 0) == 0; });
  for (const char* name : {"model.1.rbr_reparam.weight", "model.1.rbr_reparam.bias"})
    partly.set(name, folded.weights.at(name));
  OfficialFile file({});
  const Checkpoint c =
      read(file.bytes(dictionary({{"model", file.tensors(partly)}, {"yaml", small.yaml}})));
  const Network n = c.build_network();
  EXPECT_EQ(n.head, HeadKind::idetect);
  check(n, c.model);
  EXPECT_NE(c.model.find("model.3.im.0.implicit"), nullptr);
  EXPECT_NE(c.model.find("model.0.bn.weight"), nullptr);
  // Folding the rest gives what folding everything gave: the same operations on the same numbers,
  // in the same order.
  const NetworkAndWeights rest = fuse(n, c.model, DataType::float64);
  ASSERT_EQ(rest.weights.size(), folded.weights.size());
  for (const auto& [name, tensor] : folded.weights.entries())
    EXPECT_TRUE(rest.weights.at(name).bytes == tensor.bytes) << name;
}

TEST_F(Official, OurOwnFormKeepsFoldedNetworksToo) {
  const NetworkAndWeights folded = fuse(small.network, small.weights, DataType::float64);
  Checkpoint c;
  c.config = small.network.config;
  c.config_source = "small.yaml";
  c.class_count = 2;
  c.names = {"a", "b"};
  c.model = folded.weights;
  write_checkpoint(folder / "own.pt", c);
  const Checkpoint back = read_checkpoint(folder / "own.pt");
  check(back.build_network(), back.model);
  EXPECT_EQ(back.build_network().head, HeadKind::detect);
}

TEST_F(Official, WidenedTypesAndStridedViews) {
  const auto read_one = [&](const std::string& storage, const std::string& content,
                            std::int64_t elements, const std::string& view) {
    const std::string claim = global("torch._utils", "_rebuild_tensor_v2") + "((" +
                              text("storage") + global("torch", storage) + text("0") + text("cpu") +
                              integer(elements) + "tQ" + view + "\x89" + ordered_dictionary() +
                              "tR";
    write_zip(folder / "v.pt", {{"a/data.pkl", pickle(claim)}, {"a/data/0", content}});
    const auto container = open_torch_container(folder / "v.pt");
    return TensorReader(*container, "v.pt").read(*container->pickle().top->tensor, "v");
  };
  const auto view = [](std::int64_t offset, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& strides) {
    return integer(offset) + tuple(shape) + tuple(strides);
  };
  const Tensor bytes =
      read_one("CharStorage", std::string("\x01\xff\x80", 3), 3, view(0, {3}, {1}));
  EXPECT_EQ(bytes.type, DataType::int64);
  EXPECT_EQ(bytes.to_doubles(), (std::vector<double>{1, -1, -128}));
  EXPECT_EQ(read_one("ShortStorage", number(0xFFFE, 2) + number(300, 2), 2, view(0, {2}, {1}))
                .to_doubles(),
            (std::vector<double>{-2, 300}));
  EXPECT_EQ(read_one("IntStorage", number(0xFFFFFFFF, 4), 1, view(0, {}, {})).to_doubles(),
            (std::vector<double>{-1}));
  EXPECT_EQ(read_one("BoolStorage", std::string("\x01\x00", 2), 2, view(0, {2}, {1})).type,
            DataType::uint8);
  // Of the elements 0 … 5, from element 1 with strides 1 and 2: [[1, 3], [2, 4]].
  std::string six;
  for (int i = 0; i < 6; ++i) six += number(static_cast<std::uint64_t>(i), 8);
  EXPECT_EQ(read_one("LongStorage", six, 6, view(1, {2, 2}, {1, 2})).to_doubles(),
            (std::vector<double>{1, 3, 2, 4}));
  EXPECT_EQ(read_one("LongStorage", six, 6, view(5, {3}, {0})).to_doubles(),
            (std::vector<double>{5, 5, 5}));
  EXPECT_EQ(read_one("LongStorage", six, 6, view(0, {0, 7}, {7, 1})).to_doubles().size(), 0u);
  // A stride of 0 makes 2^40 elements of one: more than the file can justify.
  EXPECT_NE(error_of([&] {
              read_one("LongStorage", six, 6, view(0, {std::int64_t{1} << 40}, {0}));
            }).find("claim more than the file holds"),
            std::string::npos);
}

TEST_F(Official, ContainersThatAreNoCheckpoints) {
  const auto zip = [&](const std::vector<std::pair<std::string, std::string>>& entries) {
    write_zip(folder / "x.pt", entries);
    return error_of([&] { read_checkpoint(folder / "x.pt"); });
  };
  expect_part(zip({{"a/data.pkl", pickle("}")}, {"a/constants.pkl", "x"}}), "TorchScript");
  expect_part(zip({{"a/data.pkl", pickle("}")}, {"a/code/__torch__.py", "x"}}), "TorchScript");
  expect_part(zip({{"a/data.pkl", pickle("}")}, {"a/byteorder", "big"}}),
              "expected little-endian data, found 'big'");
  expect_part(zip({{"a/data.pkl", pickle("}")}, {"a/../../etc/passwd", "x"}}), "without '..'");
  expect_part(zip({{"a/data.pkl", pickle("]")}}),
              "expected a checkpoint: a model, or tensors under names; found nothing of either");
  expect_part(zip({{"a/data.pkl", pickle(dictionary({{"x", "N"}}))}}), "found the keys x");
  std::string tar(600, '\0');
  tar.replace(257, 5, "ustar");
  expect_part(refusal(tar), "tar-based");
}

TEST_F(Official, LegacyFilesThatDisagreeWithThemselves) {
  OfficialOptions options;
  options.legacy = true;
  const std::string whole = model_file(options);
  EXPECT_EQ(refusal(whole), "no error");
  expect_part(refusal(whole + "x"), "found 1 more bytes");
  expect_part(refusal(whole.substr(0, whole.size() - 1)), "cut");
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string s = whole;
    const std::size_t at = s.find(from);
    EXPECT_NE(at, std::string::npos);
    return refusal(s.replace(at, from.size(), to));
  };
  expect_part(replaced("M" + number(1001, 2) + ".", "M" + number(1002, 2) + "."),
              "protocol version 1001");
  expect_part(replaced(text("little_endian") + "\x88", text("little_endian") + "\x89"),
              "little-endian");
  expect_part(replaced(text("long") + small_number(4), text("long") + small_number(8)),
              "expected 4 bytes for 'long'");
  // The list of keys at the end: one exchanged for a name that nobody uses, and for one that stands
  // there twice.
  const std::size_t keys = whole.find(pickle(list({text("0"), text("1")})).substr(0, 12));
  ASSERT_NE(keys, std::string::npos);
  const auto key = [&](const std::string& first) {
    std::string s = whole;
    s.replace(s.find(text("0"), keys), text("0").size(), text(first));
    return refusal(s);
  };
  expect_part(key("x"), "names 'x', which no tensor uses");
  expect_part(key("1"), "storage '1': expected ");  // its element count is another's
}

TEST_F(Official, ViewsOfLegacyStorages) {
  const auto claim = [&](const std::string& view) {
    return global("torch._utils", "_rebuild_tensor_v2") + "((" + text("storage") +
           global("torch", "LongStorage") + text("k") + text("cpu") + integer(6) + view + "tQ" +
           integer(1) + tuple({2}) + tuple({1}) + "\x89" + ordered_dictionary() + "tR";
  };
  const auto view = [](std::int64_t offset, std::int64_t size) {
    return "(" + text("v") + integer(offset) + integer(size) + "t";
  };
  const PickleDocument document = hostile::read(pickle(claim(view(2, 3))), true);
  EXPECT_EQ(document.top->tensor->view_offset, 2);
  EXPECT_EQ(document.top->tensor->view_elements, 3);
  EXPECT_NE(error_of([&] {
              hostile::read(pickle(claim(view(2, 2))), true);
            }).find("beyond its storage of 2"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              hostile::read(pickle(claim(view(4, 3))), true);
            }).find("a view that reaches beyond"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              hostile::read(pickle(claim(view(-1, 3))), true);
            }).find("a view that reaches beyond"),
            std::string::npos);
  // The source of a module: the class alone.
  const PickleDocument module =
      hostile::read(pickle("(" + text("module") + global("models.yolo", "Model") +
                           text("/etc/passwd") + text("import os") + "tQ"),
                    true);
  EXPECT_EQ(module.top->kind, PickleValue::Kind::global);
  EXPECT_EQ(module.top->text, "models.yolo.Model");
  EXPECT_NE(error_of([&] {
              hostile::read(pickle("(" + text("module") + global("models.yolo", "Model") +
                                   text("") + text("") + "tQ"));
            }),
            "no error");
}

// Architecture 5.6: the training graph of a deploy checkpoint, same layers below the head, width
// kept.
TEST_F(Official, TrainingGraphsOfDeployCheckpoints) {
  for (const std::string name : {"yolov7-tiny", "yolov7-w6"}) {
    Checkpoint c;
    c.config = config_text("deploy/" + name + ".yaml");
    c.config.replace(c.config.find("width_multiple: 1.0"), 19, "width_multiple: 0.125");
    c.config_source = name;
    c.class_count = 3;
    const auto graph = training_graph(c);
    ASSERT_TRUE(graph) << name;
    Overrides overrides;
    overrides.class_count = 3;
    const Network training = build(graph->config, graph->config_source, overrides),
                  deploy = c.build_network();
    EXPECT_NE(training.head, HeadKind::detect);
    EXPECT_EQ(static_cast<int>(training.layers.size()), name == "yolov7-w6" ? 123 : 78);
    EXPECT_EQ(training.tensors.at(0).shape, deploy.tensors.at(0).shape);
    c.config = graph->config;
    EXPECT_FALSE(training_graph(c));
  }
  Checkpoint own;
  own.config = small.network.config;
  own.class_count = 2;
  EXPECT_FALSE(training_graph(own));
}

}  // namespace
}  // namespace yolov7::network
