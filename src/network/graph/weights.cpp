#include "network/graph/weights.hpp"

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::network {
namespace {

/// IEEE 754 half from double, round to nearest even, overflow to infinity.
std::uint16_t half_from(double value) {
  const float f = static_cast<float>(value);
  // A value that is rounded to float and then to half may differ from one that is rounded once. So
  // where the float is not exact, it is rounded towards zero and its last bit is set. It is then
  // never half way between two halves, so the second rounding goes to the right side.
  std::uint32_t bits = std::bit_cast<std::uint32_t>(f);
  if (static_cast<double>(f) != value && std::isfinite(f)) {
    const bool away = std::abs(static_cast<double>(f)) > std::abs(value);
    if (away) --bits;
    bits |= 1;
  }
  const std::uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7FFFFFFFu;
  if (magnitude >= 0x7F800000u)
    return static_cast<std::uint16_t>(sign | 0x7C00u | (magnitude > 0x7F800000u ? 0x200u : 0u));
  if (magnitude >= 0x47800000u)
    return static_cast<std::uint16_t>(sign | 0x7C00u);  // 65536 and above
  if (magnitude < 0x38800000u) {                        // below 2^-14: subnormal, in units of 2^-24
    const double units = std::abs(static_cast<double>(std::bit_cast<float>(magnitude))) * 0x1p24;
    return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(std::nearbyint(units)));
  }
  const std::uint32_t rounded = magnitude + 0xFFFu + (magnitude >> 13 & 1u);
  return static_cast<std::uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

double half_to(std::uint16_t half) {
  const int exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
  const double sign = (half & 0x8000) != 0 ? -1 : 1;
  if (exponent == 31) return fraction != 0 ? std::nan("") : sign * INFINITY;
  if (exponent == 0) return sign * fraction * 0x1p-24;
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

std::uint16_t bfloat_from(double value) {
  const float f = static_cast<float>(value);
  std::uint32_t bits = std::bit_cast<std::uint32_t>(f);
  if (std::isnan(f)) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);
  if (static_cast<double>(f) != value && std::isfinite(f)) {
    if (std::abs(static_cast<double>(f)) > std::abs(value)) --bits;  // as in half_from()
    bits |= 1;
  }
  return static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

double bfloat_to(std::uint16_t value) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(value) << 16);
}

template <class Stored, class Convert>
void read_as(const Tensor& tensor, std::vector<double>& out, Convert convert) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Stored stored;
    std::memcpy(&stored, tensor.bytes.data() + i * sizeof(Stored), sizeof(Stored));
    out[i] = convert(stored);
  }
}

template <class Stored, class Convert>
std::vector<std::byte> written_as(const std::vector<double>& values, Convert convert) {
  std::vector<std::byte> bytes(values.size() * sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const Stored stored = convert(values[i]);
    std::memcpy(bytes.data() + i * sizeof(Stored), &stored, sizeof(Stored));
  }
  return bytes;
}

Tensor from_doubles(const std::vector<double>& values, std::vector<std::int64_t> shape,
                    DataType type) {
  Tensor tensor;
  tensor.type = type;
  tensor.shape = std::move(shape);
  switch (type) {
    case DataType::float16: tensor.bytes = written_as<std::uint16_t>(values, half_from); break;
    case DataType::bfloat16: tensor.bytes = written_as<std::uint16_t>(values, bfloat_from); break;
    case DataType::float32:
      tensor.bytes = written_as<float>(values, [](double v) { return static_cast<float>(v); });
      break;
    case DataType::float64:
      tensor.bytes = written_as<double>(values, [](double v) { return v; });
      break;
    case DataType::int64:
      tensor.bytes =
          written_as<std::int64_t>(values, [](double v) { return static_cast<std::int64_t>(v); });
      break;
    case DataType::uint8:
      tensor.bytes =
          written_as<std::uint8_t>(values, [](double v) { return static_cast<std::uint8_t>(v); });
      break;
  }
  return tensor;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace

std::size_t size_in_bytes(DataType type) {
  switch (type) {
    case DataType::float16:
    case DataType::bfloat16: return 2;
    case DataType::float32: return 4;
    case DataType::float64:
    case DataType::int64: return 8;
    case DataType::uint8: return 1;
  }
  return 0;
}

std::int64_t Tensor::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t side : shape) count *= side;
  return count;
}

std::vector<double> Tensor::to_doubles() const {
  std::vector<double> out(static_cast<std::size_t>(elements()));
  if (bytes.size() != out.size() * size_in_bytes(type))
    throw Error(fmt::format("tensor of shape {}: expected {} bytes, found {}", shape_text(shape),
                            out.size() * size_in_bytes(type), bytes.size()));
  const auto plain = [](auto v) { return static_cast<double>(v); };
  switch (type) {
    case DataType::float16: read_as<std::uint16_t>(*this, out, half_to); break;
    case DataType::bfloat16: read_as<std::uint16_t>(*this, out, bfloat_to); break;
    case DataType::float32: read_as<float>(*this, out, plain); break;
    case DataType::float64: read_as<double>(*this, out, plain); break;
    case DataType::int64: read_as<std::int64_t>(*this, out, plain); break;
    case DataType::uint8: read_as<std::uint8_t>(*this, out, plain); break;
  }
  return out;
}

std::vector<float> Tensor::to_floats() const {
  if (type == DataType::float32) {
    std::vector<float> out(static_cast<std::size_t>(elements()));
    if (bytes.size() == out.size() * sizeof(float)) {
      if (!out.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
      return out;
    }
  }
  const std::vector<double> values = to_doubles();
  return {values.begin(), values.end()};
}

Tensor Tensor::from(const std::vector<float>& values, std::vector<std::int64_t> shape) {
  Tensor tensor;
  tensor.shape = std::move(shape);
  tensor.bytes.resize(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

Tensor Tensor::from(const std::vector<double>& values, std::vector<std::int64_t> shape) {
  return from_doubles(values, std::move(shape), DataType::float64);
}

Tensor Tensor::converted(DataType to) const {
  if (type == to || type == DataType::int64 || type == DataType::uint8) return *this;
  return from_doubles(to_doubles(), shape, to);
}

void Weights::set(std::string name, Tensor tensor) {
  const auto [place, fresh] = index_.emplace(name, entries_.size());
  if (fresh)
    entries_.emplace_back(std::move(name), std::move(tensor));
  else
    entries_[place->second].second = std::move(tensor);
}

std::vector<std::pair<std::string, Tensor>> Weights::release() {
  index_.clear();
  return std::exchange(entries_, {});
}

const Tensor* Weights::find(const std::string& name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &entries_[found->second].second;
}

const Tensor& Weights::at(const std::string& name) const {
  if (const Tensor* tensor = find(name)) return *tensor;
  throw Error(fmt::format("weights: expected a tensor '{}', found none", name));
}

Weights converted(const Weights& weights, DataType type) {
  Weights result;
  for (const auto& [name, tensor] : weights.entries()) result.set(name, tensor.converted(type));
  return result;
}

void check(const Network& network, const Weights& weights) {
  std::vector<std::string> problems;
  for (const TensorSpec& spec : network.tensors) {
    const Tensor* tensor = weights.find(spec.name);
    if (tensor == nullptr)
      problems.push_back(fmt::format("{} is missing", spec.name));
    else if (tensor->shape != spec.shape)
      problems.push_back(fmt::format("{}: expected shape {}, found {}", spec.name,
                                     shape_text(spec.shape), shape_text(tensor->shape)));
  }
  if (problems.empty()) return;
  const std::size_t shown = std::min<std::size_t>(problems.size(), 5), count = problems.size();
  problems.resize(shown);
  throw Error(fmt::format(
      "weights do not fit {}: {} of {} tensors: {}{}{}", network.source, count,
      network.tensors.size(), fmt::join(problems, "; "), count > shown ? "; …" : "",
      head_layer(weights) < 0 ? " (they have no head: weights of a backbone are a start for "
                                "training, and nothing else)"
                              : ""));
}

int head_layer(const Weights& weights) {
  int found = -1;
  const std::string_view begin = "model.", end = ".m.0.weight";
  for (const auto& entry : weights.entries()) {
    const std::string_view name = entry.first;
    if (name.size() <= begin.size() + end.size() || name.substr(0, begin.size()) != begin ||
        name.substr(name.size() - end.size()) != end)
      continue;
    const std::string_view number =
        name.substr(begin.size(), name.size() - begin.size() - end.size());
    const auto layer = text::parse_int(number);
    // Whoever looks the head up writes the number plainly: "007" and "+7" are no layer's.
    if (layer && *layer >= 0 && *layer <= 10'000 && std::to_string(*layer) == number)
      found = std::max(found, static_cast<int>(*layer));
  }
  return found;
}

}  // namespace yolov7::network
