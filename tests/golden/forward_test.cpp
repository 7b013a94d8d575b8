// Raw maps, decoded rows, fusing and parameter counts of whole networks against the official code
// (forward-*.json).
#include <cstdio>
#include <set>

#include "core/error.hpp"
#include "golden/tensors.hpp"
#include "network/config/builder.hpp"
#include "network/graph/graph.hpp"
#include "network/graph/weights.hpp"
#include "nn/torch_network.hpp"
#include "runtime/openvino/openvino_detector.hpp"

namespace yolov7::training {
namespace {

using Role = network::TensorSpec::Role;

/// The config beside the reference file, else ours; a file name with "-deploy" means the deploy
/// graph.
std::string config_path(const std::filesystem::path& file, const std::string& name) {
  if (const auto beside = file.parent_path() / name; std::filesystem::exists(beside))
    return beside.string();
  const bool deploy = file.stem().string().find("-deploy") != std::string::npos;
  return (std::filesystem::path(YOLOV7_SOURCE_DIR) / "configs" / (deploy ? "deploy" : "training") /
          name)
      .string();
}

network::Network build_case(const std::filesystem::path& file, const nlohmann::json& one) {
  network::Overrides overrides;
  overrides.class_count = one.at("nc");
  overrides.width_multiple = one.at("overrides").value("width_multiple", 0.0);
  overrides.depth_multiple = one.at("overrides").value("depth_multiple", 0.0);
  const std::string path = config_path(file, one.at("cfg"));
  std::ifstream in(path, std::ios::binary);
  if (!in) throw Error("no config " + path);
  return network::build(std::string(std::istreambuf_iterator<char>(in), {}), path, overrides);
}

double formula(const network::TensorSpec& spec, double u) {
  switch (spec.role) {
    case Role::bn_weight: return 1 + 0.2 * u;
    case Role::bn_mean: return 0;
    case Role::bn_var: return 1;
    case Role::implicit_mul: return 1 + 0.1 * u;
    case Role::weight:
      return u *
             std::sqrt(3.0 / static_cast<double>(spec.shape[1] * spec.shape[2] * spec.shape[3]));
    default: return 0.1 * u;
  }
}

void write_formula(const nn::TorchNetwork& net) {
  at::NoGradGuard no_gradient;
  for (const auto& entry : net.entries()) {
    if (entry.spec.role >= Role::anchors || entry.spec.role == Role::bn_count) continue;
    const golden::Sequence sequence(entry.spec.name);
    at::Tensor values = at::empty(entry.spec.shape, at::kDouble);
    double* to = values.mutable_data_ptr<double>();
    for (std::int64_t i = 0; i < values.numel(); ++i)
      to[i] = formula(entry.spec, sequence.sym(static_cast<std::uint64_t>(i)));
    at::Tensor(entry.tensor).copy_(values);
  }
}

/// What the reference counts after folding: the fused network, the implicit vectors, and (folded)
/// the convolutions that only the auxiliary maps need.
std::int64_t reference_fused_parameters(const network::Network& net,
                                        const network::NetworkAndWeights& fused) {
  std::int64_t count = fused.network.parameter_count();
  std::set<std::string> kept;
  for (const auto& op : fused.network.operations)
    if (const auto* conv = op.as<network::Convolution>()) kept.insert(conv->tensor);
  for (const auto& op : net.operations) {
    if (op.is<network::ImplicitAdd>() || op.is<network::ImplicitMultiply>())
      count += net.value_channels[static_cast<std::size_t>(op.output)];
    const auto* conv = op.as<network::Convolution>();
    if (conv == nullptr || conv->branch != network::RepBranch::none || kept.contains(conv->tensor))
      continue;
    count += static_cast<std::int64_t>(conv->in_channels) / conv->groups * conv->kernel_h *
                 conv->kernel_w * conv->out_channels +
             conv->out_channels;
  }
  return count;
}

void expect_description(const network::Network& net, const nlohmann::json& one) {
  EXPECT_EQ(net.parameter_count(), one.at("parameters").get<std::int64_t>());
  EXPECT_EQ(net.tensors.size(), one.at("tensors").get<std::size_t>());
  EXPECT_EQ(net.layers.size(), one.at("layers").get<std::size_t>());
  EXPECT_EQ(net.strides(), one.at("stride").get<std::vector<double>>());
  std::vector<double> anchors;
  for (std::size_t l = 0; l < net.lead_levels(); ++l)
    for (const auto& anchor : net.levels[l].anchors)
      anchors.insert(anchors.end(), {anchor.w, anchor.h});
  EXPECT_EQ(anchors, one.at("anchor_grid").get<std::vector<double>>());
}

/// float32 maps against the float64 ones, which the digests have confirmed: level l within 4 × the
/// reference's own largest float32 error.
void expect_float32(const std::vector<at::Tensor>& maps, const std::vector<at::Tensor>& exact,
                    const nlohmann::json& noise, const std::string& where) {
  ASSERT_EQ(maps.size(), exact.size()) << where;
  for (std::size_t l = 0; l < maps.size(); ++l) {
    const double error = (maps[l].to(at::kDouble) - exact[l]).abs().max().item<double>(),
                 bound = 4 * noise[l].at("max").get<double>();
    EXPECT_LE(error, bound) << where << ' ' << l;
    std::printf("  %s %zu: largest error %.2g, bound %.2g\n", where.c_str(), l, error, bound);
  }
}

/// The OpenVINO back end folds and decodes by itself; its raw maps obey the same bound.
std::vector<at::Tensor> openvino_maps(const network::Network& net, const network::Weights& weights,
                                      const at::Tensor& images) {
  const at::Tensor pixels = images.to(at::kFloat).contiguous();
  const std::span<const float> values(pixels.const_data_ptr<float>(),
                                      static_cast<std::size_t>(pixels.numel()));
  const auto size = static_cast<int>(pixels.size(2));
  const runtime::Prediction found = runtime::predict_openvino(
      net, weights, {.precision = "float32", .threads = 0, .raw_maps = true}, values, 2, size,
      size);
  std::vector<at::Tensor> maps;
  for (const auto& map : found.raw)
    maps.push_back(at::tensor(map.values, at::kFloat)
                       .view({2, map.anchors, map.height, map.width, found.columns}));
  return maps;
}

void run_case(const network::Network& description, const nlohmann::json& one) {
  at::NoGradGuard no_gradient;
  expect_description(description, one);
  const at::Tensor images = golden::input(one.at("size"));
  network::Weights weights;
  std::vector<at::Tensor> exact;
  {
    nn::TorchNetwork net(description, at::kDouble);
    write_formula(net);
    net.set_batch_norm_momentum(1);
    net.train(true);
    golden::expect_exact(net.forward(images), one.at("train"), "train");
    net.train(false);
    for (const at::Tensor& map : net.forward(images)) exact.push_back(map.contiguous());
    golden::expect_exact(nn::decode(exact, description), one.at("eval_decoded"), "eval_decoded");
    golden::expect_exact(exact, one.at("eval_raw"), "eval_raw");
    weights = net.store();
  }
  {
    nn::TorchNetwork net(description);
    net.load(weights);  // rounds to float32, statistics included
    expect_float32(net.forward(images.to(at::kFloat)), exact, one.at("fp32_noise"),
                   "float32 LibTorch");
  }
  if (runtime::openvino_available())
    expect_float32(openvino_maps(description, weights, images), exact, one.at("fp32_noise"),
                   "float32 OpenVINO");
  const network::NetworkAndWeights fused =
      network::fuse(description, weights, network::DataType::float64);
  EXPECT_EQ(reference_fused_parameters(description, fused),
            one.at("fused_parameters").get<std::int64_t>());
  weights = {};
  nn::TorchNetwork net(fused.network, at::kDouble);
  net.load(fused.weights);
  golden::expect_exact(net.forward(images), one.at("eval_raw"), "fused eval_raw");
}

TEST(GoldenForward, EveryCase) {
  YOLOV7_REQUIRE_REFERENCE(golden::golden_dir());
  golden::Cases cases("forward");
  for (const auto& file : golden::golden_files("forward-")) {
    const nlohmann::json one = golden::load(file);
    const std::string name = file.stem().string();
    SCOPED_TRACE(name);
    network::Network description;
    try {
      description = build_case(file, one);
    } catch (const Error& error) {
      cases.skipped(name, error.what());
      continue;
    }
    std::printf("%s\n", name.c_str());
    run_case(description, one);
    cases.ran();
  }
}

}  // namespace
}  // namespace yolov7::training
