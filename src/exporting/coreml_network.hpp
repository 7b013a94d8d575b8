#pragma once
// A network of Core ML's older form, layer by layer, in one file (field numbers of
// NeuralNetwork.proto, coremltools, BSD-3-Clause). It is put together like an ML program: each
// operation of MIL that a detector needs has its layer.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "exporting/coreml_program.hpp"

namespace yolov7::exporting {

class CoremlNetwork final : public CoremlGraph {
 public:
  CoremlValue input(const std::string& name, CoremlType type,
                    const std::vector<std::int64_t>& shape) override;
  /// Error: an operation that has no layer here.
  CoremlValue operation(std::string_view type, const CoremlArguments& arguments,
                        CoremlType result_type, const std::vector<std::int64_t>& shape,
                        std::string name = {}) override;

  /// Constants are parameters of layers; a layer gives them where one wants a value.
  CoremlValue integer(std::int64_t value) override;
  CoremlValue integers(const std::vector<std::int64_t>& values) override;
  CoremlValue boolean(bool value) override;
  CoremlValue text(std::string_view value) override;
  CoremlValue reals(const std::vector<std::int64_t>& shape, const std::vector<float>& values,
                    CoremlType type) override;
  CoremlValue weight(const std::string& name, const std::vector<std::int64_t>& shape,
                     const network::Tensor& tensor, CoremlType type) override;

  int kind() const override { return 500; }
  int version() const override { return 4; }  ///< iOS 13
  /// The NeuralNetwork message. Large weights are written when it is.
  ProtobufMessage finish(const std::vector<std::string>& outputs) override;

 private:
  struct Constant {
    std::vector<std::int64_t> integers;
    std::vector<float> reals;
    const network::Tensor* tensor = nullptr;
    CoremlType type = CoremlType::float32;
    std::vector<std::int64_t> shape;
    bool loaded = false;  ///< a layer gives it
  };
  /// The arguments of one operation, by the parameter's name.
  class Arguments;

  CoremlValue constant(Constant content, CoremlType type, const std::vector<std::int64_t>& shape);
  ProtobufMessage weights_message(const Constant& constant) const;
  std::string value_name(const CoremlValue& value);
  void layer(const std::string& name, const std::vector<CoremlValue>& inputs, int kind,
             ProtobufMessage parameters);
  void convolution(const std::string& name, const Arguments& in);
  void batch_norm(const std::string& name, const Arguments& in);
  void pooling(const std::string& name, const Arguments& in);
  void activation(const std::string& name, const CoremlValue& x, int kind,
                  ProtobufMessage parameters);
  bool simple(std::string_view type, const std::string& name, const Arguments& in);
  bool shaping(std::string_view type, const std::string& name, const Arguments& in);

  std::size_t count_ = 0;
  std::map<std::string, Constant> constants_;
  std::set<std::string> names_;
  std::vector<ProtobufMessage> layers_;
};

}  // namespace yolov7::exporting
