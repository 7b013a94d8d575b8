#include "network/torch_file/pickle_calls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::network {
namespace {

using Kind = PickleValue::Kind;

const std::map<std::string_view, StorageType>& storages() {
  using Held = StorageType::Kind;
  static const std::map<std::string_view, StorageType> table = {
      {"torch.HalfStorage", {DataType::float16, Held::plain}},
      {"torch.BFloat16Storage", {DataType::bfloat16, Held::plain}},
      {"torch.FloatStorage", {DataType::float32, Held::plain}},
      {"torch.DoubleStorage", {DataType::float64, Held::plain}},
      {"torch.LongStorage", {DataType::int64, Held::plain}},
      {"torch.IntStorage", {DataType::int64, Held::int32}},
      {"torch.ShortStorage", {DataType::int64, Held::int16}},
      {"torch.CharStorage", {DataType::int64, Held::int8}},
      {"torch.ByteStorage", {DataType::uint8, Held::plain}},
      {"torch.BoolStorage", {DataType::uint8, Held::plain}},
      {"torch.storage.UntypedStorage", {DataType::uint8, Held::plain}}};
  return table;
}

const std::set<std::string_view>& functions() {
  static const std::set<std::string_view> table = {"torch._utils._rebuild_tensor_v2",
                                                   "torch._utils._rebuild_tensor",
                                                   "torch._utils._rebuild_parameter",
                                                   "torch._utils._rebuild_parameter_with_state",
                                                   "torch.storage.TypedStorage",
                                                   "torch.Size",
                                                   "torch.device",
                                                   "collections.OrderedDict",
                                                   "_codecs.encode",
                                                   "numpy.ndarray",
                                                   "numpy.dtype",
                                                   "numpy.core.multiarray._reconstruct",
                                                   "numpy.core.multiarray.scalar",
                                                   "numpy._core.multiarray._reconstruct",
                                                   "numpy._core.multiarray.scalar",
                                                   "pathlib.PosixPath",
                                                   "pathlib.WindowsPath",
                                                   "pathlib.PurePosixPath",
                                                   "pathlib.PureWindowsPath"};
  return table;
}

const std::set<std::string_view>& element_types() {
  static const std::set<std::string_view> table = {
      "float16", "half",  "bfloat16", "float32", "float", "float64", "double", "uint8",
      "int8",    "int16", "short",    "int32",   "int",   "int64",   "long",   "bool"};
  return table;
}

/// "set" of "builtins.set" or "__builtin__.set", if it is one of the plain types; else "".
std::string_view plain_type(std::string_view name) {
  static const std::set<std::string_view> table = {"set", "frozenset", "dict", "list", "tuple",
                                                   "int", "float",     "str",  "bool", "bytes"};
  for (const std::string_view prefix : {"builtins.", "__builtin__."})
    if (name.substr(0, prefix.size()) == prefix && table.count(name.substr(prefix.size())) != 0)
      return name.substr(prefix.size());
  return {};
}

bool is_identifier(std::string_view s) {
  if (s.empty() || std::isdigit(static_cast<unsigned char>(s[0])) != 0) return false;
  return std::all_of(s.begin(), s.end(),
                     [](unsigned char c) { return c == '_' || (c < 128 && std::isalnum(c) != 0); });
}

/// Classes of modules, which stay opaque whatever they are.
bool is_module_class(std::string_view name) {
  for (const std::string_view prefix : {"models.", "torch.nn.modules.", "torch.nn.parallel."})
    if (name.substr(0, prefix.size()) == prefix) return true;
  return false;
}

std::string refusal(const std::string& name) {
  std::string reason =
      fmt::format("the class or function '{}', which is not allowed; nothing of it was executed",
                  text::printable(name));
  if (name == "builtins.getattr" || name == "__builtin__.getattr")
    reason +=
        ". A folded model object was saved: save an unfolded model, or a plain tensor dictionary";
  else if (name.rfind("torch._utils._rebuild_", 0) == 0)
    reason += ". Quantized, sparse, complex and meta tensors are unsupported";
  return reason;
}

}  // namespace

void PickleCalls::fail(const std::string& reason) const {
  fail_(reason);
  throw Error(reason);  // not reached: fail_ throws
}

void PickleCalls::count_copies(std::size_t elements, std::size_t text_bytes) {
  copied_elements_ += elements;
  copied_text_ += text_bytes;
  if (copied_elements_ > limits_.values) fail("too many copies of values");
  if (copied_text_ > limits_.text_bytes) fail("too much text");
}

PickleValue& PickleCalls::global(const std::string& module, const std::string& name) {
  const std::string full = module + "." + name;
  bool well_formed = is_identifier(name);
  for (const std::string_view part : text::split(module, '.'))
    well_formed = well_formed && is_identifier(part);
  if (well_formed && module == "torch" && element_types().count(name) != 0) {
    PickleValue& value = make_(Kind::text);
    value.text = full;
    return value;
  }
  if (!well_formed || (functions().count(full) == 0 && storages().count(full) == 0 &&
                       plain_type(full).empty() && !is_module_class(full)))
    fail(refusal(full));
  PickleValue& value = make_(Kind::global);
  value.text = full;
  return value;
}

PickleValue& PickleCalls::reduce(const PickleValue& function, const PickleValue& arguments) {
  const std::string& name = function.text;
  if (function.kind != Kind::global || arguments.kind != Kind::tuple)
    fail("a call of something else than a known function");
  if (name == "torch._utils._rebuild_tensor_v2" || name == "torch._utils._rebuild_tensor")
    return tensor(arguments);
  if (name.rfind("torch._utils._rebuild_parameter", 0) == 0) {
    if (arguments.sequence.empty() || arguments.sequence[0]->kind != Kind::tensor)
      fail("a parameter of unknown form");
    return *arguments.sequence[0];
  }
  if (name == "collections.OrderedDict") return mapping(arguments);
  if (name == "torch.Size") return collection(Kind::tuple, arguments);
  if (name == "torch.device") return device(arguments);
  if (name == "_codecs.encode") return encoded(arguments);
  if (name.rfind("pathlib.", 0) == 0) return path(arguments);
  if (name == "numpy.dtype") return dtype(arguments);
  if (name.rfind("numpy.", 0) == 0 && name.size() > 7 && name.substr(name.size() - 7) == ".scalar")
    return numpy_scalar(arguments);
  if (name.rfind("numpy.", 0) == 0 && name != "numpy.ndarray") {  // _reconstruct
    if (arguments.sequence.size() != 3 || arguments.sequence[0]->kind != Kind::global ||
        arguments.sequence[0]->text != "numpy.ndarray")
      fail("an array of unknown form");
    return make_(Kind::array);
  }
  const std::string_view type = plain_type(name);
  if (type.empty()) fail(fmt::format("a call of '{}', which cannot be called", name));
  if (type == "set" || type == "frozenset") return collection(Kind::set, arguments);
  if (type == "list") return collection(Kind::list, arguments);
  if (type == "tuple") return collection(Kind::tuple, arguments);
  if (type == "dict") return mapping(arguments);
  return plain(std::string(type), arguments);
}

PickleValue& PickleCalls::collection(Kind kind, const PickleValue& arguments) {
  if (arguments.sequence.size() > 1) fail("a collection of unknown form");
  PickleValue& value = make_(kind);
  if (arguments.sequence.empty()) return value;
  const PickleValue& elements = *arguments.sequence[0];
  if (!elements.is_sequence() && elements.kind != Kind::set) fail("a collection of unknown form");
  count_copies(elements.sequence.size());
  value.sequence = elements.sequence;
  return value;
}

PickleValue& PickleCalls::mapping(const PickleValue& arguments) {
  if (arguments.sequence.size() > 1) fail("a dictionary with arguments of unknown form");
  PickleValue& value = make_(Kind::dictionary);
  if (arguments.sequence.empty()) return value;
  const PickleValue& pairs = *arguments.sequence[0];
  count_copies(pairs.dictionary.size() + pairs.sequence.size());
  if (pairs.kind == Kind::dictionary) {
    value.dictionary = pairs.dictionary;
    return value;
  }
  if (!pairs.is_sequence()) fail("a dictionary with arguments of unknown form");
  for (const PickleValue* pair : pairs.sequence) {
    if (!pair->is_sequence() || pair->sequence.size() != 2)
      fail("a dictionary with arguments of unknown form");
    value.dictionary.emplace_back(pair->sequence[0], pair->sequence[1]);
  }
  return value;
}

PickleValue& PickleCalls::plain(const std::string& name, const PickleValue& arguments) {
  const auto& a = arguments.sequence;
  const bool text = name == "str", bytes = name == "bytes", real = name == "float";
  const Kind kind = text             ? Kind::text
                    : bytes          ? Kind::bytes
                    : real           ? Kind::real
                    : name == "bool" ? Kind::boolean
                                     : Kind::integer;
  if (a.empty()) return make_(kind);
  if (a.size() != 1) fail(fmt::format("a call of {} with arguments of unknown form", name));
  if (a[0]->kind == kind) return *a[0];
  PickleValue& value = make_(kind);
  if (real && a[0]->kind == Kind::integer) {
    value.real = static_cast<double>(a[0]->integer);
  } else if (bytes && a[0]->is_sequence()) {
    count_copies(0, a[0]->sequence.size());
    for (const PickleValue* byte : a[0]->sequence) {
      if (byte->kind != Kind::integer || byte->integer < 0 || byte->integer > 255)
        fail("bytes of unknown form");
      value.text += static_cast<char>(byte->integer);
    }
  } else {
    fail(fmt::format("a call of {} with arguments of unknown form", name));
  }
  return value;
}

/// Protocol 2 writes bytes as text of the same code points.
PickleValue& PickleCalls::encoded(const PickleValue& arguments) {
  const auto& a = arguments.sequence;
  if (a.size() != 2 || a[0]->kind != Kind::text || a[1]->kind != Kind::text ||
      (a[1]->text != "latin1" && a[1]->text != "latin-1"))
    fail("bytes of unknown form");
  PickleValue& value = make_(Kind::bytes);
  const std::string& s = a[0]->text;
  count_copies(0, s.size());
  for (std::size_t i = 0; i < s.size(); ++i) {
    const auto c = static_cast<unsigned char>(s[i]);
    if (c < 0x80) {
      value.text += static_cast<char>(c);
    } else if ((c == 0xC2 || c == 0xC3) && i + 1 < s.size()) {
      value.text += static_cast<char>((c & 3) << 6 | (static_cast<unsigned char>(s[++i]) & 0x3F));
    } else {
      fail("bytes of unknown form");
    }
  }
  return value;
}

PickleValue& PickleCalls::path(const PickleValue& arguments) {
  PickleValue& value = make_(Kind::text);
  for (const PickleValue* part : arguments.sequence) {
    if (part->kind != Kind::text) fail("a path of unknown form");
    if (value.text.size() + part->text.size() > 65536) fail("a path of more than 65536 bytes");
    count_copies(0, part->text.size());
    value.text += (value.text.empty() || value.text.back() == '/' ? "" : "/") + part->text;
  }
  return value;
}

PickleValue& PickleCalls::device(const PickleValue& arguments) {
  const auto& a = arguments.sequence;
  if (a.empty() || a.size() > 2 || a[0]->kind != Kind::text || a[0]->text.size() > 100 ||
      (a.size() == 2 && a[1]->kind != Kind::integer))
    fail("a device of unknown form");
  PickleValue& value = make_(Kind::text);
  value.text = a[0]->text + (a.size() == 2 ? fmt::format(":{}", a[1]->integer) : std::string());
  return value;
}

PickleValue& PickleCalls::new_object(const PickleValue& type, const PickleValue& arguments) {
  if (type.kind != Kind::global || !is_module_class(type.text))
    fail("a new object of something else than a module's class");
  if (arguments.kind != Kind::tuple || !arguments.sequence.empty())
    fail(fmt::format("a new {} with arguments", type.text));
  PickleValue& value = make_(Kind::module);
  value.text = type.text;
  return value;
}

void PickleCalls::build(PickleValue& object, const PickleValue& state) {
  if (object.kind == Kind::dictionary) return;  // attributes of an OrderedDict are dropped
  if (object.kind != Kind::module && object.kind != Kind::array && object.kind != Kind::dtype)
    fail("attributes of something that has none");
  if (object.built) fail("attributes of an object that has its attributes");
  object.built = true;
  if (object.kind == Kind::array) return build_array(object, state);
  if (object.kind == Kind::dtype) {
    const bool formed = state.kind == Kind::tuple && state.sequence.size() > 1 &&
                        state.sequence[1]->kind == Kind::text;
    if (!formed || (state.sequence[1]->text != "<" && state.sequence[1]->text != "|"))
      fail("numpy data of another byte order, or of unknown form");
    return;
  }
  if (state.kind != Kind::dictionary)
    fail(fmt::format("attributes of a {} that are no dictionary", object.text));
  for (const auto& [key, value] : state.dictionary)
    if (key->kind != Kind::text) fail(fmt::format("attributes of a {} without names", object.text));
  count_copies(state.dictionary.size());
  object.dictionary = state.dictionary;
}

/// ("storage", class, key, location, elements[, view]) or ("module", class, file name, source
/// text).
PickleValue& PickleCalls::persistent(const PickleValue& id) {
  const auto& s = id.sequence;
  const bool named = id.kind == Kind::tuple && s.size() >= 2 && s[0]->kind == Kind::text &&
                     s[1]->kind == Kind::global;
  if (legacy_ && named && s.size() == 4 && s[0]->text == "module") {
    if (!is_module_class(s[1]->text))
      fail(fmt::format("the source of '{}', which is no module", s[1]->text));
    return *s[1];
  }
  if (!named || s[0]->text != "storage" || s.size() != (legacy_ ? 6u : 5u) ||
      s[2]->kind != Kind::text || s[2]->text.size() > 100 || s[4]->kind != Kind::integer ||
      s[4]->integer < 0 || s[4]->integer > (std::int64_t{1} << 44))
    fail("a storage of unknown form");
  const auto type = storages().find(s[1]->text);
  if (type == storages().end()) fail(fmt::format("a storage of the class '{}'", s[1]->text));
  PickleValue& value = make_(Kind::storage);
  value.tensor = std::make_unique<TensorClaim>();
  TensorClaim& claim = *value.tensor;
  claim.type = type->second;
  claim.key = s[2]->text;
  claim.storage_elements = claim.view_elements = s[4]->integer;
  if (legacy_) read_view(*s[5], claim);
  return value;
}

/// none, or (view key, offset, size) in elements: a slice of the storage.
void PickleCalls::read_view(const PickleValue& view, TensorClaim& claim) const {
  if (view.kind == Kind::none) return;
  const auto& s = view.sequence;
  if (view.kind != Kind::tuple || s.size() != 3 || s[1]->kind != Kind::integer ||
      s[2]->kind != Kind::integer)
    fail("a view of unknown form");
  const std::int64_t offset = s[1]->integer, size = s[2]->integer;
  if (offset < 0 || size < 0 || offset > claim.storage_elements ||
      size > claim.storage_elements - offset)
    fail("a view that reaches beyond its storage");
  claim.view_offset = offset;
  claim.view_elements = size;
}

}  // namespace yolov7::network
