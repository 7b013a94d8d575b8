#pragma once
// The synthetic predictions and target sets of training 21.5.
#include <cmath>
#include <vector>

#include "kernels/torch.hpp"
#include "network/graph/graph.hpp"
#include "training/loss/assignment.hpp"

namespace yolov7::training::synthetic {

constexpr int class_count = 3;

inline const std::vector<Target> set_e{
    {0, 0, 0.30f, 0.42f, 0.12f, 0.18f}, {0, 1, 0.55f, 0.50f, 0.40f, 0.35f},
    {0, 2, 0.56f, 0.52f, 0.30f, 0.45f}, {1, 2, 0.97f, 0.05f, 0.06f, 0.10f},
    {1, 0, 0.50f, 0.50f, 0.90f, 0.95f}, {1, 1, 0.125f, 0.25f, 0.10f, 0.08f}};
inline const std::vector<Target> set_s{{0, 2, 0.608f, 0.471f, 0.37f, 0.23f},
                                       {0, 2, 0.412f, 0.572f, 0.42f, 0.50f},
                                       {0, 2, 0.682f, 0.271f, 0.57f, 0.30f},
                                       {1, 0, 0.387f, 0.242f, 0.32f, 0.28f},
                                       {1, 0, 0.783f, 0.344f, 0.20f, 0.28f}};

/// YOLOv7's anchors for three levels, W6's for four; with auxiliary maps if asked for.
inline network::Network network(int levels, bool auxiliary = false) {
  const std::vector<std::vector<network::AnchorSize>> three{{{12, 16}, {19, 36}, {40, 28}},
                                                            {{36, 75}, {76, 55}, {72, 146}},
                                                            {{142, 110}, {192, 243}, {459, 401}}};
  const std::vector<std::vector<network::AnchorSize>> four{{{19, 27}, {44, 40}, {38, 94}},
                                                           {{96, 68}, {86, 152}, {180, 137}},
                                                           {{140, 301}, {303, 264}, {238, 542}},
                                                           {{436, 615}, {739, 380}, {925, 792}}};
  network::Network result;
  result.class_count = class_count;
  result.head = auxiliary ? network::HeadKind::iauxdetect : network::HeadKind::idetect;
  for (int pass = 0; pass < (auxiliary ? 2 : 1); ++pass)
    for (int i = 0; i < levels; ++i) {
      network::Level level;
      level.stride = 8 << i;
      level.anchors = (levels == 3 ? three : four)[static_cast<std::size_t>(i)];
      level.auxiliary = pass == 1;
      result.levels.push_back(level);
    }
  return result;
}

inline std::vector<LevelGrid> grids(int levels, int size) {
  std::vector<LevelGrid> result;
  for (const network::Level& level : network(levels).levels) {
    const int cells = size / static_cast<int>(level.stride);
    LevelGrid grid{cells, cells, static_cast<float>(level.stride), {}};
    for (const auto& anchor : level.anchors)
      grid.anchors.push_back({static_cast<float>(anchor.w / level.stride),
                              static_cast<float>(anchor.h / level.stride)});
    result.push_back(grid);
  }
  return result;
}

/// p_m[n] = 1.5 · sin(0.731 n + 1.3 m + 0.2), in double, stored in 32 bits; batch of 2.
inline std::vector<at::Tensor> maps(int levels, int size, bool auxiliary = false) {
  std::vector<at::Tensor> result;
  for (int m = 0; m < levels * (auxiliary ? 2 : 1); ++m) {
    const int cells = size / (8 << (m % levels));
    at::Tensor map = at::empty({2, 3, cells, cells, 5 + class_count}, at::kFloat);
    float* values = map.mutable_data_ptr<float>();
    for (std::int64_t n = 0; n < map.numel(); ++n)
      values[n] =
          static_cast<float>(1.5 * std::sin(0.731 * static_cast<double>(n) + 1.3 * m + 0.2));
    result.push_back(map.requires_grad_(true));
  }
  return result;
}

}  // namespace yolov7::training::synthetic
