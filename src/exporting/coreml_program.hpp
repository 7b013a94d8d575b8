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
enum class CoremlType {
  boolean = 1,
  text = 2,
  float16 = 10,
  float32 = 11,
  int32 = 23,
  uint8 = 31,
  uint32 = 33
};

/// Letters, digits and underscores.
std::string coreml_identifier(std::string_view name);

/// A value of the program; no sides: a single number, truth value or text.
struct CoremlValue {
  std::string name;
  CoremlType type = CoremlType::float32;
  std::vector<std::int64_t> shape;
};

/// Name of a parameter, and what is given to it.
using CoremlArguments = std::vector<std::pair<std::string_view, std::vector<CoremlValue>>>;

/// What CoremlPrimitives puts a network together with: an ML program, or a network of the older
/// form.
class CoremlGraph {
 public:
  virtual ~CoremlGraph() = default;
  virtual CoremlValue input(const std::string& name, CoremlType type,
                            const std::vector<std::int64_t>& shape) = 0;
  /// Appends an operation of MIL whose result has this type and shape. The result's name is made up
  /// where `name` is empty.
  virtual CoremlValue operation(std::string_view type, const CoremlArguments& arguments,
                                CoremlType result_type, const std::vector<std::int64_t>& shape,
                                std::string name = {}) = 0;
  CoremlValue cast(const CoremlValue& value, CoremlType to);

  virtual CoremlValue integers(const std::vector<std::int64_t>& values) = 0;
  virtual CoremlValue integer(std::int64_t value) = 0;
  virtual CoremlValue boolean(bool value) = 0;
  virtual CoremlValue text(std::string_view value) = 0;
  virtual CoremlValue reals(const std::vector<std::int64_t>& shape,
                            const std::vector<float>& values, CoremlType type) = 0;
  CoremlValue real(double value, CoremlType type);
  /// Of one name: written once. The tensor stays while the graph is there.
  virtual CoremlValue weight(const std::string& name, const std::vector<std::int64_t>& shape,
                             const network::Tensor& tensor, CoremlType type) = 0;

  /// Field of Model.proto that holds finish(), and the first specification that knows it.
  virtual int kind() const = 0;
  virtual int version() const = 0;
  virtual ProtobufMessage finish(const std::vector<std::string>& outputs) = 0;
};

class CoremlProgram final : public CoremlGraph {
 public:
  /// `palettes`: weights of convolutions with more than 512 numbers are places in a list of 256
  /// (palette.hpp), from which Core ML makes them when it loads the file.
  explicit CoremlProgram(CoremlWeights& weights, bool palettes = false)
      : weights_(weights), palettes_(palettes) {}

  CoremlValue input(const std::string& name, CoremlType type,
                    const std::vector<std::int64_t>& shape) override;
  CoremlValue operation(std::string_view type, const CoremlArguments& arguments,
                        CoremlType result_type, const std::vector<std::int64_t>& shape,
                        std::string name = {}) override;

  /// Constants, which are operations too.
  CoremlValue integer(std::int64_t value) override;
  CoremlValue integers(const std::vector<std::int64_t>& values) override;
  CoremlValue boolean(bool value) override;
  CoremlValue text(std::string_view value) override;
  CoremlValue reals(const std::vector<std::int64_t>& shape, const std::vector<float>& values,
                    CoremlType type) override;
  CoremlValue weight(const std::string& name, const std::vector<std::int64_t>& shape,
                     const network::Tensor& tensor, CoremlType type) override;

  int kind() const override { return 502; }
  int version() const override { return palettes_ ? 7 : 6; }  ///< iOS 16, iOS 15
  /// The Program message, of the operations of CoreML6 or CoreML5.
  ProtobufMessage finish(const std::vector<std::string>& outputs) override;

 private:
  std::string fresh(std::string_view what);
  CoremlValue constant(CoremlValue value, ProtobufMessage content);
  CoremlValue tensor(std::string name, const std::vector<std::int64_t>& shape,
                     const network::Tensor& converted);
  CoremlValue palettised(const std::string& name, const std::vector<std::int64_t>& shape,
                         const network::Tensor& stored);

  CoremlWeights& weights_;
  bool palettes_;
  std::size_t count_ = 0;
  std::set<std::string> names_;
  std::map<std::string, CoremlValue> written_;  // weights
  std::vector<ProtobufMessage> inputs_, operations_;
};

}  // namespace yolov7::exporting
