#pragma once
// What the classes and functions that a pickle may name mean to the reader (architecture 6.9).
// Nothing is looked up or run: a call of a known function becomes a value, anything else an error.
#include <functional>
#include <string>

#include "network/torch_file/pickle.hpp"

namespace yolov7::network {

class PickleCalls {
 public:
  /// `fail` throws, with the place; `make` gives a fresh value of the document.
  PickleCalls(std::function<void(const std::string&)> fail,
              std::function<PickleValue&(PickleValue::Kind)> make, bool legacy,
              const PickleLimits& limits)
      : fail_(std::move(fail)), make_(std::move(make)), legacy_(legacy), limits_(limits) {}

  /// GLOBAL, STACK_GLOBAL: a token that holds "module.name". Error for every name outside the
  /// allow-list.
  PickleValue& global(const std::string& module, const std::string& name);
  PickleValue& reduce(const PickleValue& function, const PickleValue& arguments);
  PickleValue& new_object(const PickleValue& type, const PickleValue& arguments);
  void build(PickleValue& object, const PickleValue& state);
  PickleValue& persistent(const PickleValue& id);

 private:
  [[noreturn]] void fail(const std::string& reason) const;
  /// Calls copy what they are given; a file could have the same thing copied over and over.
  void count_copies(std::size_t elements, std::size_t text_bytes = 0);
  PickleValue& tensor(const PickleValue& arguments);
  PickleValue& plain(const std::string& name, const PickleValue& arguments);
  PickleValue& collection(PickleValue::Kind kind, const PickleValue& arguments);
  PickleValue& mapping(const PickleValue& arguments);
  PickleValue& encoded(const PickleValue& arguments);
  PickleValue& path(const PickleValue& arguments);
  PickleValue& device(const PickleValue& arguments);
  PickleValue& dtype(const PickleValue& arguments);
  PickleValue& numpy_scalar(const PickleValue& arguments);
  void build_array(PickleValue& array, const PickleValue& state);
  std::vector<std::int64_t> integers(const PickleValue& value) const;
  void read_view(const PickleValue& view, TensorClaim& claim) const;

  std::function<void(const std::string&)> fail_;
  std::function<PickleValue&(PickleValue::Kind)> make_;
  bool legacy_;
  const PickleLimits& limits_;
  std::size_t copied_elements_ = 0, copied_text_ = 0;
};

}  // namespace yolov7::network
