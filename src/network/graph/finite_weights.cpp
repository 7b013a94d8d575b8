#include "network/graph/finite_weights.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <string_view>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::network {
namespace {

/// The number of values that are NaN or infinite, which are those whose exponent bits are all set.
/// `allow_infinity`: +∞ does not count.
template <class Bits>
std::size_t count(const Tensor& tensor, Bits exponent, bool allow_infinity) {
  std::size_t found = 0;
  for (std::size_t at = 0; at + sizeof(Bits) <= tensor.bytes.size(); at += sizeof(Bits)) {
    Bits bits;
    std::memcpy(&bits, tensor.bytes.data() + at, sizeof bits);
    const bool bad = static_cast<Bits>(bits & exponent) == exponent;
    found += bad && !(allow_infinity && bits == exponent) ? 1 : 0;
  }
  return found;
}

std::size_t count(const Tensor& tensor, bool allow_infinity) {
  switch (tensor.type) {
    case DataType::float16: return count<std::uint16_t>(tensor, 0x7C00u, allow_infinity);
    case DataType::bfloat16: return count<std::uint16_t>(tensor, 0x7F80u, allow_infinity);
    case DataType::float32: return count<std::uint32_t>(tensor, 0x7F800000u, allow_infinity);
    case DataType::float64:
      return count<std::uint64_t>(tensor, 0x7FF0000000000000u, allow_infinity);
    case DataType::int64:
    case DataType::uint8: break;
  }
  return 0;
}

}  // namespace

std::vector<NotFinite> not_finite(const Weights& weights) {
  std::vector<NotFinite> found;
  for (const auto& [name, tensor] : weights.entries()) {
    const std::size_t values = count(tensor, std::string_view(name).ends_with(".running_var"));
    if (values > 0) found.push_back({name, values, static_cast<std::size_t>(tensor.elements())});
  }
  return found;
}

std::string finite_fault(const Weights& weights) {
  const std::vector<NotFinite> found = not_finite(weights);
  if (found.empty()) return {};
  constexpr std::size_t most = 5;
  std::vector<std::string> named;
  for (const NotFinite& one : found) {
    if (named.size() == most) break;
    named.push_back(
        fmt::format("{} ({} of {} values)", text::printable(one.tensor), one.values, one.of));
  }
  return fmt::format("expected finite weights, found NaN or infinity in {} of {} tensors: {}{}",
                     found.size(), weights.size(), text::join(named, ", "),
                     found.size() > most ? ", …" : "");
}

void check_finite(const Weights& weights, const std::string& source) {
  if (const std::string fault = finite_fault(weights); !fault.empty())
    throw Error(source + ": " + fault);
}

}  // namespace yolov7::network
