#include "training/loss/ciou.hpp"

#include <numbers>

namespace yolov7::training {
namespace {

constexpr double epsilon = 1e-7;

struct Sides {
  at::Tensor x1, y1, x2, y2;
  at::Tensor w, h;  ///< epsilon is added to the height only, as the reference does
};

Sides sides(const at::Tensor& cxcywh) {
  const at::Tensor x = cxcywh.select(1, 0), y = cxcywh.select(1, 1);
  const at::Tensor half_w = cxcywh.select(1, 2) / 2, half_h = cxcywh.select(1, 3) / 2;
  Sides box{x - half_w, y - half_h, x + half_w, y + half_h, {}, {}};
  box.w = box.x2 - box.x1;
  box.h = box.y2 - box.y1 + epsilon;
  return box;
}

}  // namespace

at::Tensor box_iou(const at::Tensor& predictions, const at::Tensor& targets, IouKind kind) {
  const Sides p = sides(predictions), t = sides(targets);
  const at::Tensor overlap_w = (at::minimum(p.x2, t.x2) - at::maximum(p.x1, t.x1)).clamp_min(0);
  const at::Tensor overlap_h = (at::minimum(p.y2, t.y2) - at::maximum(p.y1, t.y1)).clamp_min(0);
  const at::Tensor intersection = overlap_w * overlap_h;
  const at::Tensor union_area = p.w * p.h + t.w * t.h - intersection + epsilon;
  const at::Tensor iou = intersection / union_area;
  if (kind == IouKind::iou) return iou;

  const at::Tensor hull_w = at::maximum(p.x2, t.x2) - at::minimum(p.x1, t.x1);
  const at::Tensor hull_h = at::maximum(p.y2, t.y2) - at::minimum(p.y1, t.y1);
  if (kind == IouKind::giou) {
    const at::Tensor hull_area = hull_w * hull_h + epsilon;
    return iou - (hull_area - union_area) / hull_area;
  }
  const at::Tensor diagonal_squared = hull_w.square() + hull_h.square() + epsilon;
  const at::Tensor distance_squared =
      ((t.x1 + t.x2 - p.x1 - p.x2).square() + (t.y1 + t.y2 - p.y1 - p.y2).square()) / 4;
  const at::Tensor distance = distance_squared / diagonal_squared;
  if (kind == IouKind::diou) return iou - distance;

  const at::Tensor angle = at::atan(t.w / (t.h + epsilon)) - at::atan(p.w / (p.h + epsilon));
  const at::Tensor v = angle.square() * (4 / (std::numbers::pi * std::numbers::pi));
  const at::Tensor alpha = (v / (v - iou + (1 + epsilon))).detach();
  return iou - (distance + v * alpha);
}

}  // namespace yolov7::training
