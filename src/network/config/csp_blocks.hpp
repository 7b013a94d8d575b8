#pragma once
// Blocks of the v3, v4 and R families, which the seven published networks do not use
// (architecture 7.1). Each comment names the arguments of a configuration entry in their order,
// with the defaults in brackets; c is the output width. All convolutions have SiLU.
#include "network/config/lowering.hpp"

namespace yolov7::network {

/// c, shortcut (True), groups (1), expansion (0.5): 1×1 to c·expansion, 3×3 to c; with
/// shortcut, the input is added if it has c channels.
int lower_bottleneck(Emitter& e, const BlockCall& call);
/// c, shortcut (True), groups (1), expansion (0.5): 1×1, 3×3, 1×1; shortcut as above.
int lower_res(Emitter& e, const BlockCall& call);

/// c, shortcut (True; False for bottleneck_csp_b). Two parallel paths, concatenated: one has as
/// many units in a row as the repeat count says, the other has none. A unit is a Bottleneck, a Res,
/// or, in resx, a Res with 32 groups.
int lower_bottleneck_csp_a(Emitter& e, const BlockCall& call);
int lower_bottleneck_csp_b(Emitter& e, const BlockCall& call);
int lower_bottleneck_csp_c(Emitter& e, const BlockCall& call);
int lower_res_csp_a(Emitter& e, const BlockCall& call);
int lower_res_csp_b(Emitter& e, const BlockCall& call);
int lower_res_csp_c(Emitter& e, const BlockCall& call);
int lower_resx_csp_a(Emitter& e, const BlockCall& call);
int lower_resx_csp_b(Emitter& e, const BlockCall& call);
int lower_resx_csp_c(Emitter& e, const BlockCall& call);

/// c: a strided convolution, then two parallel paths: 1×1 and strided convolutions, and a
/// max-pooling. The output has a quarter of the width and height.
int lower_stem(Emitter& e, const BlockCall& call);
/// c, kernels ([5, 9, 13]): a 1×1 convolution, max-poolings of its output with these kernels, their
/// concatenation with that output, and a 1×1 convolution to c.
int lower_spp(Emitter& e, const BlockCall& call);

}  // namespace yolov7::network
