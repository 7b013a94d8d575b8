#pragma once
// The small part of Python's pickle format that checkpoints need. Writing: protocol 2, as torch.save does. Reading: a
// structural machine over an allow-list; it builds a tree and calls nothing.
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "network/weights.hpp"

namespace yolov7::network {

/// A value of a pickle: none, number, text, tuple or list, dictionary with text keys, tensor.
struct PickleValue {
  enum class Kind { none, boolean, integer, real, text, sequence, dictionary, tensor, mark, global, storage };
  // Defined in the .cpp: clang 14 instantiates the pair below too early otherwise.
  PickleValue();
  PickleValue(const PickleValue&);
  PickleValue(PickleValue&&) noexcept;
  PickleValue& operator=(const PickleValue&);
  PickleValue& operator=(PickleValue&&) noexcept;
  ~PickleValue();

  Kind kind = Kind::none;
  std::int64_t integer = 0;
  int depth = 0;                                      ///< containers inside one another, this one counted
  double real = 0;
  std::string text;                                   ///< text; global: "module name"; storage and tensor: key of the storage
  std::vector<PickleValue> sequence;
  std::vector<std::pair<std::string, PickleValue>> dictionary;
  // storage, tensor
  DataType type = DataType::float32;
  std::int64_t storage_elements = 0, offset = 0;
  std::vector<std::int64_t> shape, strides;

  const PickleValue* find(const std::string& key) const;
};

struct PickleLimits {
  std::size_t bytes = 64u << 20, operations = 5'000'000, values = 2'000'000, text_bytes = 32u << 20;
  int depth = 64;
};

/// Errors name `source` and the offset: anything outside the allow-list (by name), over the limits, cut.
PickleValue read_pickle(std::span<const std::byte> bytes, const std::string& source, const PickleLimits& limits = {});

/// Writes one dictionary of texts, numbers and tensors.
class PickleWriter {
 public:
  PickleWriter();
  void begin_dictionary();
  void key(const std::string& name);
  void text(const std::string& value);
  void integer(std::int64_t value);
  /// A contiguous tensor over the whole storage `storage_key` (entry data/<storage_key>).
  void tensor(const Tensor& tensor, const std::string& storage_key);
  void end_dictionary();
  std::string finish();

 private:
  void global(const char* module, const char* name);
  void tuple(std::span<const std::int64_t> values);
  std::string out_;
};

}  // namespace yolov7::network
