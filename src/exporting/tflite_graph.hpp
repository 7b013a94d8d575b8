#pragma once
// A TensorFlow Lite model that is put together operation by operation (tensorflow.org/lite, schema
// version 3, public, Apache-2.0: numbers of fields, operators and options).
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exporting/channels_last_graph.hpp"
#include "exporting/wire/flatbuffer.hpp"

namespace yolov7::exporting {

/// TensorType.
enum class TfliteType : std::int8_t { float32 = 0, float16 = 1, int32 = 2, uint8 = 3, int8 = 9 };

/// real = scale · (number − zero point), one pair, or one for each index of the axis.
struct TfliteQuantization {
  std::vector<float> scales;
  std::vector<std::int64_t> zero_points;
  std::int32_t axis = 0;
};

struct TfliteTensor {
  std::string name;
  Shape shape = {};
  TfliteType type = TfliteType::float32;
  std::uint32_t buffer = 0;              ///< 0 = it is computed
  bool open_batch = false;               ///< the first side may be any
  TfliteQuantization quantization = {};  ///< no scales: there is none
};

class TfliteGraph : public ChannelsLastGraph {
 public:
  /// `half`: weights of convolutions are float16 in the file, and made float32 by an operation.
  /// `owner` keeps them alive. `open_batch`: the first side of what is computed may be any.
  TfliteGraph(bool half, bool open_batch, std::shared_ptr<const void> owner);

  int input(const std::string& name, TfliteType type, const Shape& shape);
  void output(const std::string& tensor_name, const std::string& signature_name, int value);
  int floats(const Shape& shape, const std::vector<float>& values) override;
  int integers(const Shape& shape, const std::vector<std::int32_t>& values) override;
  int filter(const std::string& name, const network::Tensor& tensor, const Shape& shape,
             int depthwise_channels) override;
  int bias(const std::string& name, const network::Tensor& tensor) override;
  int bytes(const std::string& name, const ChannelsLastBytes& bytes) override;
  int integer_bias(const std::string& name, const std::vector<std::int32_t>& numbers,
                   const std::vector<float>& scales) override;
  int node(const ChannelsLastNode& node) override;
  std::string name_in_file(int value) const override {
    return tensors_.at(static_cast<std::size_t>(value)).name;
  }

  /// Where 8-bit numbers are set, before file().
  TfliteTensor& tensor(int value) { return tensors_.at(static_cast<std::size_t>(value)); }
  FlatFile file(std::string_view description) const;

 private:
  int add(TfliteTensor tensor);
  int constant(const std::string& name, TfliteType type, const Shape& shape, std::string bytes);
  int weight(const std::string& name, const Shape& shape, const network::Tensor& tensor,
             const Shape& source, const std::vector<std::size_t>& order);
  std::uint32_t buffer(std::uint64_t size, FlatTable::Writer write);
  std::uint32_t code(int builtin, int version);
  void operation(int builtin, int version, const std::vector<std::int32_t>& inputs, int output,
                 int options_type, FlatTable options);
  FlatTable table(const TfliteTensor& tensor) const;
  FlatTable signature() const;

  bool half_, open_batch_;
  std::shared_ptr<const void> owner_;
  std::vector<TfliteTensor> tensors_;
  std::vector<FlatTable> operations_, buffers_;
  std::vector<std::pair<int, int>> codes_;                              // builtin operator, version
  std::vector<std::pair<std::string, std::int32_t>> inputs_, outputs_;  // names of the signature
};

}  // namespace yolov7::exporting
