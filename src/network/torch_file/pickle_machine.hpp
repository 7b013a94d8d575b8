#pragma once
// The stack machine of a pickle: what its operations do (architecture 6.9). Which codes they have
// is up to the reader.
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "network/torch_file/pickle.hpp"
#include "network/torch_file/pickle_calls.hpp"

namespace yolov7::network {

/// Values live in the document; stack and memo hold pointers.
class PickleMachine {
 public:
  using Kind = PickleValue::Kind;
  using Operation = void (*)(PickleMachine&);

  PickleMachine(std::span<const std::byte> bytes, const std::string& source, bool legacy,
                const PickleLimits& limits);
  /// `operations`: by code, nullptr = not allowed. The STOP operation ends the run.
  PickleDocument run(const std::array<Operation, 256>& operations);

  void protocol();

  // Bytes of the stream: no length is believed.
  std::uint64_t number(std::size_t size);
  std::string characters(std::uint64_t size);
  std::string line();

  // Stack
  void push(PickleValue& value) { stack_.push_back(&value); }
  PickleValue& top();
  PickleValue& pop();
  std::vector<PickleValue*> pop_to_mark();
  void mark();
  void discard();

  // Values
  void push_none() { push(none_); }
  void push_boolean(bool value) { push(value ? true_ : false_); }
  void push_empty_tuple() { push(empty_tuple_); }
  void push_new(Kind kind) { push(make(kind)); }
  void push_integer(std::int64_t value);
  void push_text(Kind kind, std::uint64_t size);
  void push_sequence(Kind kind, std::vector<PickleValue*> elements);
  void tuple_of(std::size_t count);
  /// Two's complement, little-endian.
  void long_number(std::uint64_t size);
  void real_number();

  // Containers
  void append_one(Kind kind);
  void append(const std::vector<PickleValue*>& items, Kind kind);
  void set_items(const std::vector<PickleValue*>& items);
  void set_item();

  // Memo
  void memoize(std::uint64_t index);
  void memoize_next() { memoize(memo_count_); }
  void recall(std::uint64_t index);

  // Classes and calls
  void global();
  void stack_global();
  void reduce();
  void new_object();
  void build();
  void persistent();

 private:
  [[noreturn]] void fail(const std::string& found) const;
  PickleValue& make(Kind kind);
  void push_global(const std::string& module, const std::string& name);
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  void header() const;
  bool step(const std::array<Operation, 256>& operations);
  /// A key that stands twice would mean one thing to the reader and another to Python.
  void check_keys() const;

  std::span<const std::byte> bytes_;
  const std::string& source_;
  const PickleLimits& limits_;
  PickleDocument document_;
  std::size_t at_ = 0, operation_at_ = 0;
  std::uint64_t text_bytes_ = 0, memo_count_ = 0;
  std::vector<PickleValue*> stack_, memo_;
  std::vector<std::size_t> marks_;
  PickleCalls calls_;
  PickleValue &none_, &false_, &true_, &empty_tuple_;
};

}  // namespace yolov7::network
