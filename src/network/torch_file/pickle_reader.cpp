#include <array>
#include <cstdint>

#include "network/torch_file/pickle_machine.hpp"

namespace yolov7::network {
namespace {

using Machine = PickleMachine;
using Kind = PickleValue::Kind;

struct Coded {
  unsigned char code;
  Machine::Operation run;
};

// Stack, marks and memo.
constexpr std::array stack_operations{
    Coded{0x80, [](Machine& m) { m.protocol(); }},
    Coded{0x95, [](Machine& m) { m.number(8); }},  // FRAME: a hint
    Coded{'(', [](Machine& m) { m.mark(); }},
    Coded{'0', [](Machine& m) { m.discard(); }},
    Coded{'1', [](Machine& m) { m.pop_to_mark(); }},
    Coded{'2', [](Machine& m) { m.push(m.top()); }},
    Coded{'q', [](Machine& m) { m.memoize(m.number(1)); }},
    Coded{'r', [](Machine& m) { m.memoize(m.number(4)); }},
    Coded{0x94, [](Machine& m) { m.memoize_next(); }},
    Coded{'h', [](Machine& m) { m.recall(m.number(1)); }},
    Coded{'j', [](Machine& m) { m.recall(m.number(4)); }},
};

// Tuples, lists, sets and dictionaries.
constexpr std::array container_operations{
    Coded{'}', [](Machine& m) { m.push_new(Kind::dictionary); }},
    Coded{']', [](Machine& m) { m.push_new(Kind::list); }},
    Coded{0x8f, [](Machine& m) { m.push_new(Kind::set); }},
    Coded{')', [](Machine& m) { m.push_empty_tuple(); }},
    Coded{'t', [](Machine& m) { m.push_sequence(Kind::tuple, m.pop_to_mark()); }},
    Coded{0x91, [](Machine& m) { m.push_sequence(Kind::set, m.pop_to_mark()); }},
    Coded{0x85, [](Machine& m) { m.tuple_of(1); }},
    Coded{0x86, [](Machine& m) { m.tuple_of(2); }},
    Coded{0x87, [](Machine& m) { m.tuple_of(3); }},
    Coded{'u', [](Machine& m) { m.set_items(m.pop_to_mark()); }},
    Coded{'s', [](Machine& m) { m.set_item(); }},
    Coded{'e', [](Machine& m) { m.append(m.pop_to_mark(), Kind::list); }},
    Coded{0x90, [](Machine& m) { m.append(m.pop_to_mark(), Kind::set); }},
    Coded{'a', [](Machine& m) { m.append_one(Kind::list); }},
};

// Classes and calls.
constexpr std::array call_operations{
    Coded{'c', [](Machine& m) { m.global(); }}, Coded{0x93, [](Machine& m) { m.stack_global(); }},
    Coded{'R', [](Machine& m) { m.reduce(); }}, Coded{0x81, [](Machine& m) { m.new_object(); }},
    Coded{'b', [](Machine& m) { m.build(); }},  Coded{'Q', [](Machine& m) { m.persistent(); }},
};

// None, booleans and numbers.
constexpr std::array number_operations{
    Coded{'N', [](Machine& m) { m.push_none(); }},
    Coded{0x88, [](Machine& m) { m.push_boolean(true); }},
    Coded{0x89, [](Machine& m) { m.push_boolean(false); }},
    Coded{'K', [](Machine& m) { m.push_integer(static_cast<std::int64_t>(m.number(1))); }},
    Coded{'M', [](Machine& m) { m.push_integer(static_cast<std::int64_t>(m.number(2))); }},
    Coded{'J', [](Machine& m) { m.push_integer(static_cast<std::int32_t>(m.number(4))); }},
    Coded{0x8a, [](Machine& m) { m.long_number(m.number(1)); }},
    Coded{0x8b, [](Machine& m) { m.long_number(m.number(4)); }},
    Coded{'G', [](Machine& m) { m.real_number(); }},
};

// Texts and bytes.
constexpr std::array text_operations{
    Coded{'X', [](Machine& m) { m.push_text(Kind::text, m.number(4)); }},
    Coded{0x8c, [](Machine& m) { m.push_text(Kind::text, m.number(1)); }},
    Coded{0x8d, [](Machine& m) { m.push_text(Kind::text, m.number(8)); }},
    Coded{'T', [](Machine& m) { m.push_text(Kind::text, m.number(4)); }},
    Coded{'U', [](Machine& m) { m.push_text(Kind::text, m.number(1)); }},
    Coded{'B', [](Machine& m) { m.push_text(Kind::bytes, m.number(4)); }},
    Coded{'C', [](Machine& m) { m.push_text(Kind::bytes, m.number(1)); }},
};

/// All of them by code; every other code is refused.
const std::array<Machine::Operation, 256>& operations() {
  static const auto table = [] {
    std::array<Machine::Operation, 256> all{};
    const auto add = [&](const auto& group) {
      for (const Coded& one : group) all[one.code] = one.run;
    };
    add(stack_operations);
    add(container_operations);
    add(call_operations);
    add(number_operations);
    add(text_operations);
    return all;
  }();
  return table;
}

}  // namespace

std::size_t StorageType::bytes() const {
  switch (kind) {
    case Kind::int32: return 4;
    case Kind::int16: return 2;
    case Kind::int8: return 1;
    case Kind::plain: break;
  }
  return size_in_bytes(type);
}

const PickleValue* PickleValue::find(std::string_view key) const {
  for (const auto& [name, value] : dictionary)
    if (name->kind == Kind::text && name->text == key)
      return value->kind == Kind::none ? nullptr : value;
  return nullptr;
}

PickleDocument read_pickle(std::span<const std::byte> bytes, const std::string& source, bool legacy,
                           const PickleLimits& limits) {
  return Machine(bytes, source, legacy, limits).run(operations());
}

}  // namespace yolov7::network
