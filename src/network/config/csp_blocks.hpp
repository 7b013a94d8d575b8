#pragma once
// Blocks of the v3, v4 and R families, which the seven published networks do not use
// (architecture 7.1). Arguments as in the configurations: width, then what the table there says.
// All convolutions have SiLU.
#include "network/config/lowering.hpp"

namespace yolov7::network {

/// c, shortcut (True), groups (1), expansion (0.5): 1×1 to c·expansion, 3×3 to c; the input is
/// added where it has c channels.
int lower_bottleneck(Emitter& e, const BlockCall& call);
/// c, shortcut (True), groups (1), expansion (0.5): 1×1, 3×3, 1×1.
int lower_res(Emitter& e, const BlockCall& call);

/// c, shortcut. The repeat count goes inside: so many units in a row beside a path without any.
int lower_bottleneck_csp_a(Emitter& e, const BlockCall& call);
int lower_bottleneck_csp_b(Emitter& e, const BlockCall& call);
int lower_bottleneck_csp_c(Emitter& e, const BlockCall& call);
int lower_res_csp_a(Emitter& e, const BlockCall& call);
int lower_res_csp_b(Emitter& e, const BlockCall& call);
int lower_res_csp_c(Emitter& e, const BlockCall& call);
int lower_resx_csp_a(Emitter& e, const BlockCall& call);
int lower_resx_csp_b(Emitter& e, const BlockCall& call);
int lower_resx_csp_c(Emitter& e, const BlockCall& call);

/// c: two strided paths to a quarter of the size.
int lower_stem(Emitter& e, const BlockCall& call);
/// c, kernels ([5, 9, 13]): parallel poolings beside the input.
int lower_spp(Emitter& e, const BlockCall& call);

}  // namespace yolov7::network
