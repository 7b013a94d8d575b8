#pragma once
// The IoU family between pairs of boxes, with gradients (training 13.5).
#include "kernels/torch.hpp"

namespace yolov7::training {

enum class IouKind { iou, giou, diou, ciou };

/// predictions, targets [n, 4] as centre x, centre y, width, height in one common unit → [n].
/// Gradients flow to both, but not through the weight α of the aspect term (Zheng et al.,
/// "Distance-IoU loss", AAAI 2020, section 3.4).
at::Tensor box_iou(const at::Tensor& predictions, const at::Tensor& targets,
                   IouKind kind = IouKind::ciou);

}  // namespace yolov7::training
