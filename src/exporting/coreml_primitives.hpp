#pragma once
// What each primitive of a network, and of the program around it, is in an ML program.
#include <string>
#include <vector>

#include "exporting/coreml_program.hpp"
#include "exporting/export_model.hpp"

namespace yolov7::exporting {

class CoremlPrimitives {
 public:
  /// Weights and what is computed with them have `type`; decoding is in float32 always.
  CoremlPrimitives(CoremlGraph& program, const ExportModel& model, CoremlType type)
      : program_(program), model_(model), type_(type) {}

  /// `images`: [1, 3, H, W] in 0 … 1, of `type`. Returns [1, N, 5 + nc], float32.
  CoremlValue rows(const CoremlValue& images);

  CoremlValue binary(const char* operation, const CoremlValue& x, const CoremlValue& y);
  /// Columns from … to − 1 of rows.
  CoremlValue columns(const CoremlValue& rows, std::int64_t from, std::int64_t to);
  CoremlValue concat(const std::vector<CoremlValue>& values, std::size_t axis);
  CoremlValue reshape(const CoremlValue& value, const std::vector<std::int64_t>& shape);
  CoremlValue transpose(const CoremlValue& value, const std::vector<std::int64_t>& order);

 private:
  using Inputs = std::vector<CoremlValue>;
  CoremlValue translate(const network::Convolution& conv, const Inputs& in);
  CoremlValue translate(const network::BatchNorm& norm, const Inputs& in);
  CoremlValue translate(const network::Activate& activate, const Inputs& in);
  CoremlValue translate(const network::MaxPool& pool, const Inputs& in);
  CoremlValue translate(const network::Concat& concat, const Inputs& in);
  CoremlValue translate(const network::Add& add, const Inputs& in);
  CoremlValue translate(const network::Multiply& multiply, const Inputs& in);
  CoremlValue translate(const network::Upsample& upsample, const Inputs& in);
  CoremlValue translate(const network::Reorg& reorg, const Inputs& in);
  CoremlValue translate(const network::ImplicitAdd& add, const Inputs& in);
  CoremlValue translate(const network::ImplicitMultiply& multiply, const Inputs& in);
  CoremlValue translate(const network::ChannelMean& mean, const Inputs& in);
  CoremlValue translate(const network::ChannelMax& max, const Inputs& in);
  CoremlValue translate(const network::PixelsToUnit& pixels, const Inputs& in);
  CoremlValue translate(const network::ToRows& rows, const Inputs& in);
  CoremlValue translate(const network::ScaleRows& scale, const Inputs& in);
  CoremlValue translate(const network::ShiftRows& shift, const Inputs& in);
  CoremlValue translate(const network::AddCellOffsets& offsets, const Inputs& in);
  CoremlValue translate(const network::JoinRows& join, const Inputs& in);
  template <class Operation>
  void compute(const Operation& operation);

  CoremlValue weight(const std::string& name, const std::vector<std::int64_t>& shape);
  CoremlValue same_shape(const char* operation, const Inputs& in);
  CoremlValue over_channels(const char* operation, const Inputs& in);

  CoremlGraph& program_;
  const ExportModel& model_;
  CoremlType type_;
  std::vector<CoremlValue> values_;  // by value number
};

}  // namespace yolov7::exporting
