#include "network/graph/variants.hpp"

namespace yolov7::network {

const std::vector<Variant>& variants() {
  static const std::vector<Variant> list = {{"yolov7-tiny", 78, 78}, {"yolov7", 106, 106},
                                            {"yolov7x", 122, 122},   {"yolov7-w6", 123, 119},
                                            {"yolov7-e6", 145, 141}, {"yolov7-d6", 167, 163},
                                            {"yolov7-e6e", 266, 262}};
  return list;
}

const Variant* find_variant(int layers) {
  for (const Variant& variant : variants())
    if (layers == variant.training_layers || layers == variant.deploy_layers) return &variant;
  return nullptr;
}

}  // namespace yolov7::network
