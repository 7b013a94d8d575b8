#include "network/config/block_arguments.hpp"

#include <fmt/format.h>

#include <cmath>

namespace yolov7::network {
namespace {

/// Argument i; nullptr if it is missing or None.
const Argument* given(const BlockCall& call, std::size_t i) {
  return i < call.arguments.size() && call.arguments[i].kind != Argument::Kind::none
             ? &call.arguments[i]
             : nullptr;
}

}  // namespace

int integer_argument(Emitter& e, const BlockCall& call, std::size_t i, int fallback) {
  const Argument* a = given(call, i);
  if (a == nullptr) return fallback;
  if (a->kind != Argument::Kind::number || a->number != std::floor(a->number) ||
      std::abs(a->number) > 1e6)
    e.fail(fmt::format("argument {}: expected a whole number from -1000000 to 1000000, found {}",
                       i + 1, describe(*a)));
  return static_cast<int>(a->number);
}

bool boolean_argument(Emitter& e, const BlockCall& call, std::size_t i, bool fallback) {
  const Argument* a = given(call, i);
  if (a == nullptr) return fallback;
  if (a->kind != Argument::Kind::boolean)
    e.fail(fmt::format("argument {}: expected True or False, found {}", i + 1, describe(*a)));
  return a->boolean;
}

double factor_argument(Emitter& e, const BlockCall& call, std::size_t i, double fallback) {
  const Argument* a = given(call, i);
  if (a == nullptr) return fallback;
  if (a->kind != Argument::Kind::number || !(a->number > 0 && a->number <= 16))
    e.fail(fmt::format("argument {}: expected a number above 0 and up to 16, found {}", i + 1,
                       describe(*a)));
  return a->number;
}

Activation activation_argument(Emitter& e, const BlockCall& call, std::size_t i) {
  if (i >= call.arguments.size()) return {ActivationKind::silu, 0};
  const Argument& a = call.arguments[i];
  if (a.kind == Argument::Kind::activation) return a.activation;
  if (a.kind == Argument::Kind::none) return {ActivationKind::identity, 0};
  if (a.kind == Argument::Kind::boolean)
    return {a.boolean ? ActivationKind::silu : ActivationKind::identity, 0};
  e.fail(fmt::format("argument {}: expected True, False or an activation, found {}", i + 1,
                     describe(a)));
}

}  // namespace yolov7::network
