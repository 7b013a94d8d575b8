#pragma once
// What each primitive of a network, and of the program around it, is in ONNX.
#include <map>
#include <string>
#include <vector>

#include "exporting/export_model.hpp"
#include "exporting/onnx_graph.hpp"
#include "exporting/onnx_quantizers.hpp"

namespace yolov7::exporting {

class OnnxPrimitives {
 public:
  /// Weights and what is computed with them have `type`; decoding is in float32 always.
  OnnxPrimitives(OnnxGraph& graph, const ExportModel& model, OnnxType type,
                 OnnxQuantizerForm form = OnnxQuantizerForm::tensorrt)
      : graph_(graph), model_(model), type_(type), quantizers_(graph, model, form) {}

  /// `images`: of `type`. Afterwards levels() are there.
  void network(const std::string& images);
  /// Maps of the lead levels, float32, [B, na·no, H, W], before the sigmoid.
  const std::vector<std::string>& levels() const { return levels_; }
  const OnnxQuantizers& quantizers() const { return quantizers_; }
  /// Form A: one [B, na, H, W, no] a level, of these names and this type.
  void raw_maps(const std::vector<std::string>& names, OnnxType type);
  /// [B, N, no], float32 (form B).
  std::string rows();

 private:
  using Inputs = std::vector<std::string>;
  std::string translate(const network::Convolution& conv, const Inputs& in);
  std::string translate(const network::BatchNorm& norm, const Inputs& in);
  std::string translate(const network::Activate& activate, const Inputs& in);
  std::string translate(const network::MaxPool& pool, const Inputs& in);
  std::string translate(const network::Concat& concat, const Inputs& in);
  std::string translate(const network::Add& add, const Inputs& in);
  std::string translate(const network::Multiply& multiply, const Inputs& in);
  std::string translate(const network::Upsample& upsample, const Inputs& in);
  std::string translate(const network::Reorg& reorg, const Inputs& in);
  std::string translate(const network::ImplicitAdd& add, const Inputs& in);
  std::string translate(const network::ImplicitMultiply& multiply, const Inputs& in);
  std::string translate(const network::ChannelMean& mean, const Inputs& in);
  std::string translate(const network::ChannelMax& max, const Inputs& in);
  std::string translate(const network::PixelsToUnit& pixels, const Inputs& in);
  std::string translate(const network::ToRows& rows, const Inputs& in);
  std::string translate(const network::ScaleRows& scale, const Inputs& in);
  std::string translate(const network::ShiftRows& shift, const Inputs& in);
  std::string translate(const network::AddCellOffsets& offsets, const Inputs& in);
  std::string translate(const network::JoinRows& join, const Inputs& in);
  template <class Operation>
  void compute(const Operation& operation);

  std::string weight(const std::string& name, const std::vector<std::int64_t>& shape);
  std::string fixed_cell_offsets(const network::AddCellOffsets& offsets);
  std::string computed_cell_offsets(const network::AddCellOffsets& offsets, const std::string& map);

  OnnxGraph& graph_;
  const ExportModel& model_;
  OnnxType type_;
  OnnxQuantizers quantizers_;
  int first_input_ = 0;  // number of the first input of the operation being translated
  std::vector<std::string> values_, levels_;   // by value number
  std::map<std::string, std::string> map_of_;  // value of rows → map whose cells they are
};

}  // namespace yolov7::exporting
