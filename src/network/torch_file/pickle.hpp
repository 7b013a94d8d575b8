#pragma once
// The part of Python's pickle format that checkpoints need. Writing: protocol 2, as torch.save
// does. Reading: a structural machine over an allow-list (architecture 6.9); it builds values and
// calls nothing.
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network/graph/weights.hpp"

namespace yolov7::network {

/// Elements of a storage in a file. Types that `Tensor` lacks are widened when read: small integers
/// to int64, bool to uint8.
struct StorageType {
  enum class Kind { plain, int32, int16, int8 };
  DataType type = DataType::float32;  ///< after reading
  Kind kind = Kind::plain;            ///< how the file holds it
  std::size_t bytes() const;          ///< of one element in the file
};

/// What a pickle says about a tensor: a strided view of a storage, offsets and strides in elements.
struct TensorClaim {
  StorageType type;
  std::string key;                    ///< of the storage
  std::int64_t storage_elements = 0;  ///< of the whole storage
  std::int64_t view_offset = 0,
               view_elements =
                   0;       ///< the part of it that the tensor may use (legacy files; else all)
  std::int64_t offset = 0;  ///< within that part
  std::vector<std::int64_t> shape, strides;
};

/// A value of a pickle. Values may be shared, and containers may contain themselves: whoever walks
/// them bounds the depth and the number of visits.
struct PickleValue {
  enum class Kind {
    none,
    boolean,
    integer,
    real,
    text,
    bytes,
    tuple,
    list,
    set,
    dictionary,
    global,
    storage,
    tensor,
    module,
    array,
    dtype
  };
  using Pair = std::pair<PickleValue*, PickleValue*>;
  Kind kind = Kind::none;
  bool built = false;        ///< module, array, dtype: has its attributes
  std::int64_t integer = 0;  ///< boolean, integer
  double real = 0;
  std::string text;  ///< text, bytes; global and module: dotted class path; dtype: "f8"
  std::vector<PickleValue*> sequence;   ///< tuple, list, set; array: its numbers
  std::vector<Pair> dictionary;         ///< dictionary; module: its attributes
  std::unique_ptr<TensorClaim> tensor;  ///< storage, tensor

  bool is_sequence() const { return kind == Kind::tuple || kind == Kind::list; }
  /// The entry of a dictionary or the attribute of a module under a text key; none (Python's None)
  /// counts as absent.
  const PickleValue* find(std::string_view key) const;
};

/// All values of one pickle; pointers into it live as long as it does.
struct PickleDocument {
  std::deque<PickleValue> values;
  const PickleValue* top = nullptr;
  std::size_t bytes_read = 0;  ///< up to and with the STOP operation
  std::vector<const PickleValue*>
      storages;  ///< every claim of a storage, for checks against the file
};

struct PickleLimits {
  std::size_t bytes = 64u << 20, operations = 5'000'000, values = 1'000'000, memo = 2'000'000;
  std::size_t text_bytes = 32u << 20, array_elements = 100'000;
};

/// Errors name `source`, the offending class, function or operation and its offset in the pickle:
/// anything outside the allow-list, over the limits, cut, twice the same key. `legacy`: the forms
/// of storages in the container before 2020.
PickleDocument read_pickle(std::span<const std::byte> bytes, const std::string& source,
                           bool legacy = false, const PickleLimits& limits = {});

/// Writes dictionaries of texts, numbers and tensors.
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
