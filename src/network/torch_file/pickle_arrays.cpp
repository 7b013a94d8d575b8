// Of PickleCalls: tensors, and the arrays and numbers of numpy.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <set>

#include "core/text.hpp"
#include "network/torch_file/pickle_calls.hpp"

namespace yolov7::network {
namespace {

using Kind = PickleValue::Kind;

double element(std::string_view code, const char* at) {
  const std::size_t size = static_cast<std::size_t>(code[1] - '0');
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < size; ++i)
    bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
  if (code == "f8") return std::bit_cast<double>(bits);
  if (code == "f4") return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
  if (code == "f2") {
    Tensor half;
    half.type = DataType::float16;
    half.bytes = {static_cast<std::byte>(bits & 0xFF), static_cast<std::byte>(bits >> 8)};
    return half.to_doubles().at(0);
  }
  if (code[0] == 'i' && size < 8 && (bits >> (8 * size - 1) & 1) != 0)
    bits |= ~std::uint64_t{0} << (8 * size);
  return code[0] == 'i' ? static_cast<double>(static_cast<std::int64_t>(bits))
                        : static_cast<double>(bits);
}

}  // namespace

PickleValue& PickleCalls::dtype(const PickleValue& arguments) {
  static const std::set<std::string_view> known = {"f2", "f4", "f8", "i1", "i2", "i4",
                                                   "i8", "u1", "u2", "u4", "u8", "b1"};
  if (arguments.sequence.empty() || arguments.sequence[0]->kind != Kind::text)
    fail("a numpy type of unknown form");
  const std::string& code = arguments.sequence[0]->text;
  if (known.count(code) == 0)
    fail(fmt::format("the numpy type '{}': expected numbers of 1 to 8 bytes",
                     text::printable(code.substr(0, 40))));
  PickleValue& value = make_(Kind::dtype);
  value.text = code;
  return value;
}

PickleValue& PickleCalls::numpy_scalar(const PickleValue& arguments) {
  const auto& a = arguments.sequence;
  if (a.size() != 2 || a[0]->kind != Kind::dtype || a[1]->kind != Kind::bytes ||
      a[1]->text.size() != static_cast<std::size_t>(a[0]->text[1] - '0'))
    fail("a numpy number of unknown form");
  PickleValue& value = make_(Kind::real);
  value.real = element(a[0]->text, a[1]->text.data());
  return value;
}

/// (version, shape, type, Fortran order, bytes)
void PickleCalls::build_array(PickleValue& array, const PickleValue& state) {
  const auto& s = state.sequence;
  if (state.kind != Kind::tuple || s.size() != 5 || s[2]->kind != Kind::dtype ||
      s[4]->kind != Kind::bytes)
    fail("an array of unknown form");
  std::int64_t elements = 1;
  for (const std::int64_t side : integers(*s[1])) {
    if (side != 0 && elements > static_cast<std::int64_t>(limits_.array_elements) / side)
      fail("an array of too many elements");
    elements *= side;
  }
  const std::string& code = s[2]->text;
  const auto size = static_cast<std::size_t>(code[1] - '0');
  if (s[4]->text.size() != static_cast<std::size_t>(elements) * size)
    fail("an array whose shape and bytes differ");
  for (std::int64_t i = 0; i < elements; ++i) {
    PickleValue& number = make_(Kind::real);
    number.real = element(code, s[4]->text.data() + static_cast<std::size_t>(i) * size);
    array.sequence.push_back(&number);
  }
}

std::vector<std::int64_t> PickleCalls::integers(const PickleValue& value) const {
  if (!value.is_sequence() || value.sequence.size() > 8)
    fail("a shape of unknown form, or of more than 8 dimensions");
  std::vector<std::int64_t> out;
  for (const PickleValue* element : value.sequence) {
    if (element->kind != Kind::integer || element->integer < 0 ||
        element->integer > (std::int64_t{1} << 40))
      fail("a shape with a number out of range");
    out.push_back(element->integer);
  }
  return out;
}

/// Everything about a view is checked here, so that reading one cannot leave its storage.
PickleValue& PickleCalls::tensor(const PickleValue& arguments) {
  const auto& a = arguments.sequence;
  if (a.size() < 4 || a.size() > 7 || a[0]->kind != Kind::storage || a[1]->kind != Kind::integer ||
      a[1]->integer < 0)
    fail("a tensor of unknown form");
  PickleValue& value = make_(Kind::tensor);
  value.tensor = std::make_unique<TensorClaim>(*a[0]->tensor);
  TensorClaim& claim = *value.tensor;
  claim.offset = a[1]->integer;
  claim.shape = integers(*a[2]);
  claim.strides = integers(*a[3]);
  if (claim.strides.size() != claim.shape.size()) fail("a tensor whose shape and strides differ");
  std::int64_t elements = 1;
  const auto count = [&](std::int64_t side) {
    if (elements > (std::int64_t{1} << 40) / side) fail("a tensor that is too large");
    elements *= side;
  };
  if (std::count(claim.shape.begin(), claim.shape.end(), 0) != 0) {
    // Whoever counts the elements may multiply the other sides first.
    for (const std::int64_t side : claim.shape)
      if (side != 0) count(side);
    return value;
  }
  const auto beyond = [&] {
    fail(fmt::format("a tensor that reaches beyond its storage of {} elements",
                     claim.view_elements));
  };
  std::int64_t last = claim.offset;
  if (last >= claim.view_elements) beyond();
  for (std::size_t i = 0; i < claim.shape.size(); ++i) {
    const std::int64_t steps = claim.shape[i] - 1, stride = claim.strides[i];
    if (steps > 0 && stride > (claim.view_elements - 1 - last) / steps) beyond();
    last += steps * stride;
    count(claim.shape[i]);
  }
  return value;
}

}  // namespace yolov7::network
