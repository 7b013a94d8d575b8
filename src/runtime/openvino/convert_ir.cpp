#include "runtime/openvino/convert_ir.hpp"

#include "core/error.hpp"

#ifdef YOLOV7_WITH_OPENVINO

#include <openvino/core/graph_util.hpp>
#include <openvino/core/model.hpp>
#include <openvino/runtime/core.hpp>

#include "runtime/openvino/openvino_error.hpp"

namespace yolov7::runtime {

namespace {

/// What has no name of its own is named after a counter of the process, so that a repeat would give
/// another file.
void name_by_order(ov::Model& model) {
  std::size_t number = 0;
  for (const std::shared_ptr<ov::Node>& node : model.get_ordered_ops()) {
    if (node->get_friendly_name() == node->get_name())
      node->set_friendly_name(fmt::format("{}_of_{}", node->get_type_name(), number));
    ++number;
  }
}

}  // namespace

void convert_to_ir(const std::filesystem::path& model, const std::filesystem::path& xml,
                   const IrOptions& options) {
  guarded("write the model", [&] {
    const auto graph = ov::Core().read_model(model.string());
    graph->set_friendly_name("yolov7");
    graph->get_rt_info().clear();
    for (const IrOptions::Info& one : options.info)
      graph->set_rt_info(one.value, one.section, one.key);
    name_by_order(*graph);
    ov::save_model(graph, xml.string(), options.half);
  });
}

}  // namespace yolov7::runtime

#else

namespace yolov7::runtime {

void convert_to_ir(const std::filesystem::path&, const std::filesystem::path&, const IrOptions&) {
  throw Error(
      "openvino: this build has no OpenVINO, which writes this format; build with "
      "-DYOLOV7_OPENVINO=ON after scripts/setup");
}

}  // namespace yolov7::runtime

#endif
