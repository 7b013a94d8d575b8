// The table of blocks (architecture 1) and their lowering.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "network/config/block_arguments.hpp"
#include "network/config/csp_blocks.hpp"
#include "network/config/lowering.hpp"
#include "network/config/mobile_blocks.hpp"

namespace yolov7::network {
namespace {

using Role = TensorSpec::Role;
constexpr Activation silu{ActivationKind::silu, 0};

/// A number, or a list of height and width.
void read_kernel(Emitter& e, const BlockCall& call, int fallback, Emitter::ConvShape& shape) {
  const bool list = call.arguments.size() > 1 && call.arguments[1].kind == Argument::Kind::list;
  if (!list) {
    shape.kernel = integer_argument(e, call, 1, fallback);
    return;
  }
  const std::vector<Argument>& sides = call.arguments[1].list;
  const auto whole = [](const Argument& a) {
    return a.kind == Argument::Kind::number && a.number == std::floor(a.number) && a.number >= 1 &&
           a.number <= 1000;
  };
  if (sides.size() != 2 || !whole(sides[0]) || !whole(sides[1]))
    e.fail("argument 2: expected a kernel of 1 to 1000, or its height and width, found " +
           describe(call.arguments[1]));
  shape.kernel = static_cast<int>(sides[0].number);
  shape.kernel_w = static_cast<int>(sides[1].number);
}

Emitter::ConvShape conv_shape(Emitter& e, const BlockCall& call, int default_kernel) {
  Emitter::ConvShape shape;
  shape.out_channels = integer_argument(e, call, 0, 0);
  read_kernel(e, call, default_kernel, shape);
  shape.stride = integer_argument(e, call, 2, 1);
  shape.padding = integer_argument(e, call, 3, -1);
  shape.groups = integer_argument(e, call, 4, 1);
  const bool automatic =
      call.arguments.size() < 4 || call.arguments[3].kind == Argument::Kind::none;
  if (!automatic && shape.padding < 0)
    e.fail(fmt::format("argument 4: expected a padding of 0 or more, or None, found {}",
                       shape.padding));
  return shape;
}

int lower_conv(Emitter& e, const BlockCall& call) {
  return e.conv_block(call.inputs[0], call.prefix, conv_shape(e, call, 1),
                      activation_argument(e, call, 5));
}

int lower_repconv(Emitter& e, const BlockCall& call) {
  const Emitter::ConvShape dense = conv_shape(e, call, 3);
  if (dense.kernel != 3 || (dense.kernel_w != 0 && dense.kernel_w != 3) ||
      (dense.padding != -1 && dense.padding != 1))
    e.fail("expected kernel 3 with padding 1");
  const int input = call.inputs[0];
  const int same = e.channels(input) == dense.out_channels && dense.stride == 1
                       ? e.batch_norm(input, call.prefix + "rbr_identity", RepBranch::identity)
                       : -1;
  Emitter::ConvShape point = dense;
  point.kernel = 1;
  point.padding = 0;
  const auto branch = [&](const std::string& name, const Emitter::ConvShape& shape,
                          RepBranch kind) {
    const std::string prefix = call.prefix + name;
    return e.batch_norm(e.conv(input, prefix + ".0", shape, false, kind), prefix + ".1", kind);
  };
  std::vector<int> branches{branch("rbr_dense", dense, RepBranch::dense),
                            branch("rbr_1x1", point, RepBranch::point)};
  if (same >= 0) branches.push_back(same);
  return e.activation(e.add(branches, call.prefix + "rbr_reparam"),
                      activation_argument(e, call, 5));
}

int lower_downc(Emitter& e, const BlockCall& call) {
  const int c2 = integer_argument(e, call, 0, 0), k = integer_argument(e, call, 1, 2),
            input = call.inputs[0];
  if (c2 % 2 != 0) e.fail(fmt::format("expected an even number of channels, found {}", c2));
  const int a = e.conv_block(input, call.prefix + "cv1.", {e.channels(input), 1, 1}, silu);
  const int b = e.conv_block(a, call.prefix + "cv2.", {c2 / 2, 3, k}, silu);
  const int c =
      e.conv_block(e.max_pool(input, k, k, 0), call.prefix + "cv3.", {c2 / 2, 1, 1}, silu);
  return e.concat({b, c});
}

/// Shortcut and groups do nothing (architecture 1.7); another expansion or other kernels would
/// change the network.
void check_sppcspc(Emitter& e, const BlockCall& call) {
  const auto& a = call.arguments;
  if (a.size() > 3 && !(a[3].kind == Argument::Kind::number && a[3].number == 0.5))
    e.fail("argument 4: expected the expansion 0.5, found " + describe(a[3]));
  if (a.size() > 4 && describe(a[4]) != "[5, 9, 13]")
    e.fail("argument 5: expected the kernels [5, 9, 13], found " + describe(a[4]));
}

int lower_sppcspc(Emitter& e, const BlockCall& call) {
  const int h = integer_argument(e, call, 0, 0), input = call.inputs[0];
  check_sppcspc(e, call);
  const auto conv = [&](int from, int number, int c, int k) {
    return e.conv_block(from, fmt::format("{}cv{}.", call.prefix, number), {c, k, 1}, silu);
  };
  const int first = conv(input, 1, h, 1), side = conv(input, 2, h, 1);
  const int x = conv(conv(first, 3, h, 3), 4, h, 1);
  const int pooled =
      e.concat({x, e.max_pool(x, 5, 1, 2), e.max_pool(x, 9, 1, 4), e.max_pool(x, 13, 1, 6)});
  const int y = conv(conv(pooled, 5, h, 1), 6, h, 3);
  return conv(e.concat({y, side}), 7, h, 1);
}

int lower_mp(Emitter& e, const BlockCall& call) {
  const int k = integer_argument(e, call, 0, 2);
  return e.max_pool(call.inputs[0], k, k, 0);
}
int lower_sp(Emitter& e, const BlockCall& call) {
  const int k = integer_argument(e, call, 0, 3);
  return e.max_pool(call.inputs[0], k, integer_argument(e, call, 1, 1), k / 2);
}
int lower_reorg(Emitter& e, const BlockCall& call) { return e.reorg(call.inputs[0]); }
int lower_concat(Emitter& e, const BlockCall& call) {
  if (integer_argument(e, call, 0, 1) != 1) e.fail("expected dimension 1 (channels)");
  return e.concat(call.inputs);
}
int lower_shortcut(Emitter& e, const BlockCall& call) { return e.add(call.inputs); }
int lower_upsample(Emitter& e, const BlockCall& call) {
  const bool size_given = !call.arguments.empty() && call.arguments[0].kind != Argument::Kind::none;
  const bool nearest = call.arguments.size() < 3 || call.arguments[2].text == "nearest";
  if (size_given || integer_argument(e, call, 1, 2) != 2 || !nearest)
    e.fail("expected [None, 2, 'nearest']");
  return e.upsample(call.inputs[0]);
}

/// The arguments are the words nc and anchors; a number in place of nc must agree with the header.
void check_head(Emitter& e, const BlockCall& call) {
  const auto& a = call.arguments;
  const int nc = e.network().class_count;
  if (!a.empty() && a[0].kind != Argument::Kind::class_count &&
      !(a[0].kind == Argument::Kind::number && a[0].number == nc))
    e.fail(fmt::format("argument 1: expected nc ({}), found {}", nc, describe(a[0])));
  if (a.size() > 1 && a[1].kind != Argument::Kind::anchors)
    e.fail("argument 2: expected the word anchors, found " + describe(a[1]));
}

/// Sides of images are multiples of the largest stride: then all maps have whole cells.
void check_strides(const Emitter& e, const Network& n) {
  const auto whole = [](double value) { return std::abs(value - std::round(value)) < 1e-9; };
  const double largest = n.largest_stride();
  for (const Level& level : n.levels)
    if (!whole(largest) || !whole(largest / level.stride))
      e.fail(
          fmt::format("expected maps whose largest stride is a whole number and a multiple of "
                      "the others, found strides {}",
                      fmt::join(n.strides(), ", ")));
}

/// Order of the head's tensors in checkpoints: buffers, m, m2, ia, im (architecture 1.10).
int lower_head(Emitter& e, const BlockCall& call, HeadKind kind) {
  Network& n = e.network();
  const bool implicit = kind != HeadKind::detect, auxiliary = kind == HeadKind::iauxdetect;
  const std::size_t lead = auxiliary ? call.inputs.size() / 2 : call.inputs.size();
  if (call.inputs.size() != lead * (auxiliary ? 2 : 1) || n.levels.size() != lead)
    e.fail(fmt::format("{} inputs do not fit {} rows of anchors", call.inputs.size(),
                       n.levels.size()));
  check_head(e, call);
  const int na = n.anchors_per_level, rows = na * n.outputs_per_anchor();
  const auto levels = static_cast<std::int64_t>(lead);
  e.tensor(call.prefix + "anchors", Role::anchors, {levels, na, 2});
  e.tensor(call.prefix + "anchor_grid", Role::anchor_grid, {levels, 1, na, 1, 1, 2});
  const auto name = [&](const char* part, std::size_t j) {
    return fmt::format("{}{}.{}", call.prefix, part, j);
  };
  for (std::size_t j = 0; j < call.inputs.size(); ++j) {
    const bool aux = j >= lead;
    const std::string conv = name(aux ? "m2" : "m", aux ? j - lead : j);
    e.tensor(conv + ".weight", Role::weight, {rows, e.width(call.inputs[j]), 1, 1});
    e.tensor(conv + ".bias", Role::bias, {rows});
  }
  if (implicit) {
    for (std::size_t j = 0; j < lead; ++j)
      e.tensor(name("ia", j) + ".implicit", Role::implicit_add, {1, e.width(call.inputs[j]), 1, 1});
    for (std::size_t j = 0; j < lead; ++j)
      e.tensor(name("im", j) + ".implicit", Role::implicit_mul, {1, rows, 1, 1});
  }
  n.levels.resize(call.inputs.size());
  for (std::size_t j = 0; j < call.inputs.size(); ++j) {
    const bool aux = j >= lead;
    int x = call.inputs[j];
    Level& level = n.levels[j];
    if (aux) level.anchors = n.levels[j - lead].anchors;
    level.auxiliary = aux;
    level.stride = e.reduction(aux ? call.inputs[j - lead] : x);
    if (implicit && !aux) x = e.implicit_add(x, name("ia", j));
    x = e.head_conv(x, name(aux ? "m2" : "m", aux ? j - lead : j), rows);
    if (implicit && !aux) x = e.implicit_mul(x, name("im", j));
    level.value = x;
  }
  n.head = kind;
  n.head_layer = e.layer;
  check_strides(e, n);
  return -1;
}

int lower_detect(Emitter& e, const BlockCall& call) {
  return lower_head(e, call, HeadKind::detect);
}
int lower_idetect(Emitter& e, const BlockCall& call) {
  return lower_head(e, call, HeadKind::idetect);
}
int lower_iauxdetect(Emitter& e, const BlockCall& call) {
  return lower_head(e, call, HeadKind::iauxdetect);
}

}  // namespace

const std::vector<BlockKind>& block_kinds() {
  // name, fewest and most arguments, inputs, width first, takes the repeat count, function
  static const std::vector<BlockKind> kinds = {
      {"Conv", 1, 6, 1, true, false, lower_conv},
      {"RepConv", 1, 6, 1, true, false, lower_repconv},
      {"DownC", 1, 2, 1, true, true, lower_downc},
      {"SPPCSPC", 1, 5, 1, true, true, lower_sppcspc},
      {"MP", 0, 1, 1, false, false, lower_mp},
      {"SP", 0, 2, 1, false, false, lower_sp},
      {"ReOrg", 0, 0, 1, false, false, lower_reorg},
      {"Concat", 0, 1, 0, false, false, lower_concat},
      {"Shortcut", 0, 1, 2, false, false, lower_shortcut},
      {"Upsample", 0, 3, 1, false, false, lower_upsample},
      {"Bottleneck", 1, 4, 1, true, false, lower_bottleneck},
      {"BottleneckCSPA", 1, 2, 1, true, true, lower_bottleneck_csp_a},
      {"BottleneckCSPB", 1, 2, 1, true, true, lower_bottleneck_csp_b},
      {"BottleneckCSPC", 1, 2, 1, true, true, lower_bottleneck_csp_c},
      {"Res", 1, 4, 1, true, false, lower_res},
      {"ResCSPA", 1, 2, 1, true, true, lower_res_csp_a},
      {"ResCSPB", 1, 2, 1, true, true, lower_res_csp_b},
      {"ResCSPC", 1, 2, 1, true, true, lower_res_csp_c},
      {"ResXCSPA", 1, 2, 1, true, true, lower_resx_csp_a},
      {"ResXCSPB", 1, 2, 1, true, true, lower_resx_csp_b},
      {"ResXCSPC", 1, 2, 1, true, true, lower_resx_csp_c},
      {"Stem", 1, 1, 1, true, false, lower_stem},
      {"SPP", 1, 2, 1, true, false, lower_spp},
      {"DWConv", 0, 4, 1, false, false, lower_dwconv},
      {"MBConv", 1, 6, 1, true, false, lower_mbconv},
      {"Normalize", 2, 2, 1, false, false, lower_normalize},
      {"Detect", 0, 2, 0, false, true, lower_detect},
      {"IDetect", 0, 2, 0, false, true, lower_idetect},
      {"IAuxDetect", 0, 2, 0, false, true, lower_iauxdetect},
  };
  return kinds;
}

const BlockKind* find_block(std::string_view name) {
  if (name.rfind("nn.", 0) == 0) name.remove_prefix(3);
  for (const BlockKind& kind : block_kinds())
    if (kind.name == name) return &kind;
  return nullptr;
}

}  // namespace yolov7::network
