#include "tests/network/official_fixture.hpp"

#include <bit>
#include <memory>

#include "network/config/builder.hpp"
#include "tests/network/config_fixture.hpp"

namespace yolov7::network::hostile {
namespace {

using Role = TensorSpec::Role;

struct Node {
  std::vector<std::pair<std::string, std::string>> parameters, buffers;
  std::vector<std::pair<std::string, std::unique_ptr<Node>>> children;
  std::string type = "torch.nn.modules.container.ModuleList";
  std::vector<std::pair<std::string, std::string>> attributes;

  Node& child(const std::string& name) {
    for (auto& [known, node] : children)
      if (known == name) return *node;
    children.emplace_back(name, std::make_unique<Node>());
    return *children.back().second;
  }
  Node& at(const std::string& path) {
    Node* node = this;
    for (std::size_t from = 0; from <= path.size();) {
      const std::size_t dot = std::min(path.find('.', from), path.size());
      node = &node->child(path.substr(from, dot - from));
      from = dot + 1;
    }
    return *node;
  }
};

std::string pair_of(int value) { return small_number(value) + small_number(value) + "\x86"; }

}  // namespace

std::string small_number(int value) {
  return "J" + number(static_cast<std::uint32_t>(value), 4);
}  // BININT

std::string list(const std::vector<std::string>& values) {
  std::string out = "](";
  for (const std::string& value : values) out += value;
  return out + "e";
}
std::string dictionary(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out = "}(";
  for (const auto& [key, value] : entries) out += text(key) + value;
  return out + "u";
}
std::string real(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  std::string out = "G";
  for (int i = 7; i >= 0; --i) out += static_cast<char>(bits >> (8 * i) & 0xFF);
  return out;
}
std::string ordered_dictionary() { return global("collections", "OrderedDict") + ")R"; }

std::string instance(const std::string& class_path,
                     const std::vector<std::pair<std::string, std::string>>& attributes) {
  const std::size_t dot = class_path.rfind('.');
  return global(class_path.substr(0, dot), class_path.substr(dot + 1)) + ")\x81" +
         dictionary(attributes) + "b";
}

std::string numpy_number(double value) {
  const std::string raw = number(std::bit_cast<std::uint64_t>(value), 8);
  std::string utf8;
  for (const char c : raw) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80)
      utf8 += c;
    else
      utf8 +=
          std::string{static_cast<char>(0xC0 | byte >> 6), static_cast<char>(0x80 | (byte & 0x3F))};
  }
  const std::string type = global("numpy", "dtype") + text("f8") + "\x89\x88\x87R(" +
                           small_number(3) + text("<") + "NNN" + small_number(-1) +
                           small_number(-1) + small_number(0) + "tb";
  return global("numpy.core.multiarray", "_reconstruct") + global("numpy", "ndarray") +
         small_number(0) + "\x85" + global("_codecs", "encode") + text("b") + text("latin1") +
         "\x86R\x87R(" + small_number(1) + small_number(1) + "\x85" + type + "\x89" +
         global("_codecs", "encode") + text(utf8) + text("latin1") + "\x86Rtb";
}

std::string OfficialFile::storage(const Tensor& tensor) {
  const char* type = tensor.type == DataType::float16   ? "HalfStorage"
                     : tensor.type == DataType::int64   ? "LongStorage"
                     : tensor.type == DataType::float64 ? "DoubleStorage"
                                                        : "FloatStorage";
  const std::string key = std::to_string(storages_.size());
  storages_.emplace_back(
      type, std::string(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()));
  return "(" + text("storage") + global("torch", type) + text(key) + text("cuda:0") +
         integer(tensor.elements()) + (options_.legacy ? "N" : "") + "tQ";
}

std::string OfficialFile::tensor(const Tensor& tensor) {
  std::vector<std::int64_t> strides(tensor.shape.size(), 1);
  for (std::size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * tensor.shape[i];
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + storage(tensor) + integer(0) +
         tuple(tensor.shape) + tuple(strides) + "\x89" + ordered_dictionary() + "tR";
}

std::string OfficialFile::tensors(const Weights& weights) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& [name, one] : weights.entries()) entries.emplace_back(name, tensor(one));
  return dictionary(entries);
}

std::string OfficialFile::model(const Network& network, const Weights& weights,
                                const std::string& yaml) {
  Node root;
  root.type = "models.yolo.Model";
  root.child("model").type = "torch.nn.modules.container.Sequential";
  for (const Layer& layer : network.layers) {
    Node& node = root.at("model." + std::to_string(layer.index));
    const bool head = layer.block.find("Detect") != std::string::npos;
    node.type = (head ? "models.yolo." : "models.common.") + layer.block;
    std::vector<std::string> inputs;
    for (const int input : layer.inputs) inputs.push_back(small_number(input - layer.index));
    node.attributes = {{"i", small_number(layer.index)},
                       {"f", inputs.size() == 1 ? inputs[0] : list(inputs)},
                       {"type", text(node.type)}};
  }
  for (const TensorSpec& spec : network.tensors) {
    const std::size_t dot = spec.name.rfind('.');
    Node& node = root.at(spec.name.substr(0, dot));
    const bool buffer = spec.role >= Role::anchors || spec.role == Role::bn_mean ||
                        spec.role == Role::bn_var || spec.role == Role::bn_count;
    const std::string value = tensor(weights.at(spec.name));
    if (buffer)
      node.buffers.emplace_back(spec.name.substr(dot + 1), value);
    else
      node.parameters.emplace_back(spec.name.substr(dot + 1),
                                   global("torch._utils", "_rebuild_parameter") + value + "\x88" +
                                       ordered_dictionary() + "\x87R");
    if (spec.role == Role::bn_weight)
      node.type = "torch.nn.modules.batchnorm.BatchNorm2d",
      node.attributes = {{"eps", real(0.001)}, {"momentum", real(0.03)}};
    if (spec.role == Role::implicit_add) node.type = "models.common.ImplicitA";
    if (spec.role == Role::implicit_mul) node.type = "models.common.ImplicitM";
  }
  for (const Operation& op : network.operations) {
    if (const Convolution* conv = op.as<Convolution>()) {
      Node& node = root.at(conv->tensor);
      node.type = "torch.nn.modules.conv.Conv2d";
      if (!conv->bias) node.parameters.emplace_back("bias", "N");
      node.attributes = {
          {"kernel_size", pair_of(conv->kernel_h)}, {"stride", pair_of(conv->stride)},
          {"padding", pair_of(conv->pad_h)},        {"dilation", pair_of(1)},
          {"groups", small_number(conv->groups)},   {"padding_mode", text("zeros")}};
    }
    const Activate* activate = op.as<Activate>();
    if (activate == nullptr || !options_.activations) continue;
    Node& act = root.at("model." + std::to_string(op.layer) + ".act");
    const bool leaky = activate->activation.kind == ActivationKind::leaky_relu;
    act.type = leaky ? "torch.nn.modules.activation.LeakyReLU" : "torch.nn.modules.activation.SiLU";
    if (leaky) act.attributes = {{"negative_slope", real(activate->activation.slope)}};
  }
  const std::function<std::string(const Node&, const std::string&)> write =
      [&](const Node& node, const std::string& path) -> std::string {
    std::vector<std::pair<std::string, std::string>> children, attributes;
    for (const auto& [name, child] : node.children)
      children.emplace_back(name, write(*child, path.empty() ? name : path + "." + name));
    attributes = {{"training", "\x89"},
                  {"_parameters", dictionary(node.parameters)},
                  {"_buffers", dictionary(node.buffers)},
                  {"_non_persistent_buffers_set", global("__builtin__", "set") + "]\x85R"},
                  {"_forward_hooks", ordered_dictionary()},
                  {"_modules", dictionary(children)}};
    for (const auto& [key, value] : node.attributes) {
      const auto other = options_.attributes.find(path + "." + key);
      attributes.emplace_back(key, other == options_.attributes.end() ? value : other->second);
    }
    const auto type = options_.classes.find(path);
    return instance(type == options_.classes.end() ? node.type : type->second, attributes);
  };
  std::vector<std::string> names;
  for (const std::string& name : options_.names) names.push_back(text(name));
  root.attributes = {{"names", list(names)}};
  if (!yaml.empty()) root.attributes.emplace_back("yaml", yaml);
  const std::string plain = write(root, "");
  return options_.wrapper.empty()
             ? plain
             : instance(options_.wrapper, {{"_modules", dictionary({{"module", plain}})}});
}

std::string OfficialFile::bytes(const std::string& top) const {
  if (!options_.legacy) {
    const test::ScratchFolder folder;
    std::vector<std::pair<std::string, std::string>> entries = {{"best/data.pkl", pickle(top)},
                                                                {"best/byteorder", "little"}};
    for (std::size_t i = 0; i < storages_.size(); ++i)
      entries.emplace_back("best/data/" + std::to_string(i), storages_[i].second);
    entries.emplace_back("best/version", "3\n");
    write_zip(folder / "a.pt", entries);
    std::ifstream in(folder / "a.pt", std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::vector<std::string> keys;
  std::string data;
  for (std::size_t i = 0; i < storages_.size(); ++i) {
    keys.push_back(text(std::to_string(i)));
    const std::size_t size = storages_[i].first == "HalfStorage"    ? 2
                             : storages_[i].first == "FloatStorage" ? 4
                                                                    : 8;
    data += number(storages_[i].second.size() / size, 8) + storages_[i].second;
  }
  const std::string magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  const std::string sizes =
      dictionary({{"short", small_number(2)}, {"int", small_number(4)}, {"long", small_number(4)}});
  return magic + pickle("M" + number(1001, 2)) +
         pickle(dictionary({{"protocol_version", "M" + number(1001, 2)},
                            {"little_endian", "\x88"},
                            {"type_sizes", sizes}})) +
         pickle(top) + pickle(list(keys)) + data;
}

std::string small_yaml(const std::vector<std::string>& layers) {
  return dictionary({{"nc", small_number(2)},
                     {"depth_multiple", real(1)},
                     {"width_multiple", real(1)},
                     {"anchors", list({list({small_number(10), small_number(13)})})},
                     {"backbone", list(layers)},
                     {"head", "]"},
                     {"ch", small_number(3)}});
}

SmallOfficial::SmallOfficial() {
  const std::string config = small_config(
      "  - [-1, 1, Conv, [8, 3, 2, None, 1, nn.LeakyReLU(0.1)]]\n  - [-1, 1, RepConv, [8, 3, 1]]\n "
      " - [[-1, 0], 1, Concat, [1]]\n  - [-1, 1, IDetect, [nc, anchors]]\n",
      "nc: 2\nanchors: [[10, 13]]\n");
  network = build(config, "small.yaml");
  const Weights numbered = numbered_weights(network);
  Tensor count;
  count.type = DataType::int64;
  count.bytes.resize(8);
  for (const auto& [name, tensor] : numbered.entries())
    weights.set(name, name.find("num_batches") != std::string::npos
                          ? count
                          : tensor.converted(DataType::float16));
  const auto n = [](int value) { return small_number(value); };
  const auto layer = [&](const std::string& from, const char* block,
                         const std::vector<std::string>& arguments) {
    return list({from, n(1), text(block), list(arguments)});
  };
  yaml = small_yaml(
      {layer(n(-1), "Conv", {n(8), n(3), n(2), text("None"), n(1), text("nn.LeakyReLU(0.1)")}),
       layer(n(-1), "RepConv", {n(8), n(3), n(1)}), layer(list({n(-1), n(0)}), "Concat", {n(1)}),
       layer(n(-1), "IDetect", {text("nc"), text("anchors")})});
}

std::string top(const std::string& model, const std::string& ema, std::int64_t epoch) {
  return dictionary({{"epoch", integer(epoch)},
                     {"best_fitness", numpy_number(0.625)},
                     {"training_results", "N"},
                     {"model", model},
                     {"ema", ema},
                     {"updates", small_number(17)},
                     {"optimizer", "N"},
                     {"wandb_id", "N"}});
}

}  // namespace yolov7::network::hostile
