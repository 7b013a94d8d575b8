#pragma once
// An ML program of Core ML that is put together operation by operation (field numbers of
// MIL.proto, coremltools, BSD-3-Clause).
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/protobuf.hpp"
#include "exporting/coreml_weights.hpp"

namespace yolov7::exporting {

/// MIL.proto, DataType.
enum class CoremlType { boolean = 1, text = 2, float16 = 10, float32 = 11, int32 = 23 };

/// A value of the program; no sides: a single number, truth value or text.
struct CoremlValue {
  std::string name;
  CoremlType type = CoremlType::float32;
  std::vector<std::int64_t> shape;
};

/// Name of a parameter, and what is given to it.
using CoremlArguments = std::vector<std::pair<std::string_view, std::vector<CoremlValue>>>;

class CoremlProgram {
 public:
  explicit CoremlProgram(CoremlWeights& weights) : weights_(weights) {}

  CoremlValue input(const std::string& name, CoremlType type,
                    const std::vector<std::int64_t>& shape);
  /// Appends an operation whose result has this type and shape. The result's name is made up where
  /// `name` is empty.
  CoremlValue operation(std::string_view type, const CoremlArguments& arguments,
                        CoremlType result_type, const std::vector<std::int64_t>& shape,
                        std::string name = {});
  CoremlValue cast(const CoremlValue& value, CoremlType to);

  /// Constants, which are operations too.
  CoremlValue integer(std::int64_t value);
  CoremlValue integers(const std::vector<std::int64_t>& values);
  CoremlValue boolean(bool value);
  CoremlValue text(std::string_view value);
  CoremlValue real(double value, CoremlType type);
  CoremlValue reals(const std::vector<std::int64_t>& shape, const std::vector<float>& values,
                    CoremlType type);
  /// Of one name: written once.
  CoremlValue weight(const std::string& name, const std::vector<std::int64_t>& shape,
                     const network::Tensor& tensor, CoremlType type);

  /// The Program message. `opset`: "CoreML5", ….
  ProtobufMessage program(std::string_view opset, const std::vector<std::string>& outputs) &&;

 private:
  std::string fresh(std::string_view what);
  CoremlValue constant(CoremlValue value, ProtobufMessage content);
  CoremlValue tensor(std::string name, const std::vector<std::int64_t>& shape,
                     const network::Tensor& converted);

  CoremlWeights& weights_;
  std::size_t count_ = 0;
  std::set<std::string> names_;
  std::map<std::string, CoremlValue> written_;  // weights
  std::vector<ProtobufMessage> inputs_, operations_;
};

}  // namespace yolov7::exporting
