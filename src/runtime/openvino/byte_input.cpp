#include "runtime/openvino/byte_input.hpp"

#ifdef YOLOV7_WITH_OPENVINO

#include <openvino/core/model.hpp>
#include <openvino/core/preprocess/pre_post_process.hpp>

namespace yolov7::runtime {

std::shared_ptr<ov::Model> with_bytes(const ov::Model& source, bool channels_last, int count,
                                      int height, int width) {
  auto model = source.clone();
  model->reshape(channels_last ? ov::PartialShape{count, height, width, 3}
                               : ov::PartialShape{count, 3, height, width});
  ov::preprocess::PrePostProcessor steps(model);
  steps.input().tensor().set_element_type(ov::element::u8).set_layout("NCHW");
  steps.input().model().set_layout(channels_last ? "NHWC" : "NCHW");
  steps.input().preprocess().convert_element_type(ov::element::f32).scale(255);
  for (std::size_t i = 0; i < model->outputs().size(); ++i)
    steps.output(i).tensor().set_element_type(ov::element::f32);
  return steps.build();
}

}  // namespace yolov7::runtime

#endif
