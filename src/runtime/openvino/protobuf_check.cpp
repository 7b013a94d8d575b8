#include "runtime/openvino/protobuf_check.hpp"

#include <fmt/format.h>

#include <array>
#include <fstream>
#include <optional>
#include <span>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::runtime {
namespace {

/// What a field holds, where that is looked at.
enum Content {
  words,  // UTF-8
  onnx_model,
  onnx_graph,
  onnx_node,
  onnx_attribute,
  onnx_tensor,
  onnx_value,
  pair_of_words,
  one_word,
  tf_saved_model,
  tf_meta_graph,
  tf_meta_info,
  tf_graph,
  tf_node,
  tf_attribute_entry,
  tf_attribute,
  tf_tensor,
  tf_shape,
  named_side,
  onnx_type,
  onnx_tensor_type,
  onnx_shape,
  tf_list,
  tf_signature_entry,
  tf_signature,
  tf_tensor_entry,
  tf_tensor_info,
  message_alone,    // whose fields are not looked into
  packed_integers,  // one behind the other
  packed_floats,
};

struct Field {
  int number;
  Content content;
};

/// Public schemas (Apache-2.0), by field numbers. Fields that are not listed are passed over.
std::span<const Field> onnx_fields(Content message) {
  static constexpr std::array model{
      Field{2, words},      Field{3, words},    Field{4, words},         Field{6, words},
      Field{7, onnx_graph}, Field{8, one_word}, Field{14, pair_of_words}};
  static constexpr std::array graph{
      Field{1, onnx_node},   Field{2, words},       Field{5, onnx_tensor}, Field{10, words},
      Field{11, onnx_value}, Field{12, onnx_value}, Field{13, onnx_value}};
  static constexpr std::array node{Field{1, words},         Field{2, words}, Field{3, words},
                                   Field{4, words},         Field{6, words}, Field{7, words},
                                   Field{5, onnx_attribute}};
  static constexpr std::array attribute{Field{1, words}, Field{5, onnx_tensor},
                                        Field{6, onnx_graph}, Field{7, packed_floats},
                                        Field{8, packed_integers}};
  static constexpr std::array tensor{Field{1, packed_integers}, Field{4, packed_floats},
                                     Field{5, packed_integers}, Field{7, packed_integers},
                                     Field{8, words}};
  static constexpr std::array value{Field{1, words}, Field{2, onnx_type}};
  static constexpr std::array type{Field{1, onnx_tensor_type}};
  static constexpr std::array tensor_type{Field{2, onnx_shape}};
  static constexpr std::array sides{Field{1, named_side}};
  static constexpr std::array word{Field{1, words}};
  static constexpr std::array two_words{Field{1, words}, Field{2, words}};
  switch (message) {
    case onnx_model: return model;
    case onnx_graph: return graph;
    case onnx_node: return node;
    case onnx_attribute: return attribute;
    case onnx_tensor: return tensor;
    case onnx_value: return value;
    case onnx_type: return type;
    case onnx_tensor_type: return tensor_type;
    case onnx_shape: return sides;
    case one_word: return word;
    case pair_of_words: return two_words;
    default: return {};
  }
}

std::span<const Field> tensorflow_fields(Content message) {
  static constexpr std::array saved{Field{2, tf_meta_graph}};
  static constexpr std::array meta{Field{1, tf_meta_info}, Field{2, tf_graph},
                                   Field{5, tf_signature_entry}};
  static constexpr std::array info{Field{1, words}, Field{4, words}, Field{5, words},
                                   Field{6, words}};
  static constexpr std::array graph{Field{1, tf_node}, Field{2, message_alone},
                                    Field{4, message_alone}, Field{5, message_alone}};
  static constexpr std::array node{Field{1, words},
                                   Field{2, words},
                                   Field{3, words},
                                   Field{4, words},
                                   Field{5, tf_attribute_entry},
                                   Field{6, message_alone},
                                   Field{7, message_alone}};
  static constexpr std::array entry{Field{1, words}, Field{2, tf_attribute}};
  static constexpr std::array values{Field{1, tf_list}, Field{7, tf_shape}, Field{8, tf_tensor},
                                     Field{9, words}, Field{10, message_alone}};
  static constexpr std::array list{Field{3, packed_integers}, Field{4, packed_floats},
                                   Field{5, packed_integers}, Field{6, packed_integers},
                                   Field{7, tf_shape},        Field{8, tf_tensor}};
  static constexpr std::array tensor{Field{2, tf_shape}};
  static constexpr std::array sides{Field{2, named_side}};
  static constexpr std::array side{Field{2, words}};
  static constexpr std::array signatures{Field{1, words}, Field{2, tf_signature}};
  static constexpr std::array signature{Field{1, tf_tensor_entry}, Field{2, tf_tensor_entry},
                                        Field{3, words}};
  static constexpr std::array tensors{Field{1, words}, Field{2, tf_tensor_info}};
  static constexpr std::array tensor_info{Field{1, words}, Field{3, tf_shape}};
  switch (message) {
    case tf_saved_model: return saved;
    case tf_meta_graph: return meta;
    case tf_meta_info: return info;
    case tf_graph: return graph;
    case tf_node: return node;
    case tf_attribute_entry: return entry;
    case tf_attribute: return values;
    case tf_list: return list;
    case tf_tensor: return tensor;
    case tf_shape: return sides;
    case named_side: return side;
    case tf_signature_entry: return signatures;
    case tf_signature: return signature;
    case tf_tensor_entry: return tensors;
    case tf_tensor_info: return tensor_info;
    default: return {};
  }
}

std::span<const Field> fields_of(Content message) {
  const auto onnx = onnx_fields(message);
  return onnx.empty() ? tensorflow_fields(message) : onnx;
}

/// Whether a field of this number has this wire type in a file's outermost message. The schemas
/// have some way to go to the largest number.
bool is_outermost(Content message, int field, unsigned wire_type) {
  constexpr int largest = 63;
  const bool number = message == onnx_model ? field == 1 || field == 5
                                            : field == (message == tf_saved_model ? 1 : 3);
  return field <= largest && (wire_type == 2) != number && (wire_type == 2 || wire_type == 0);
}

/// Graphs stand in attributes of nodes; real ones are a few deep.
constexpr int deepest = 64;
constexpr std::uint64_t longest_text = 1 << 24;

class Walk {
 public:
  explicit Walk(const std::filesystem::path& path) : in_(path, std::ios::binary) {
    in_.seekg(0, std::ios::end);
    size_ = static_cast<std::uint64_t>(std::max<std::streamoff>(in_.tellg(), 0));
    if (!in_) throw Error(fmt::format("{}: cannot be read", path.string()));
  }

  std::uint64_t size() const { return size_; }
  /// Messages directly in the file, by field number.
  std::size_t count(int field) const {
    std::size_t sum = 0;
    for (const int one : top_) sum += one == field ? 1 : 0;
    return sum;
  }

  /// "" or the fault.
  std::string message(Content content, std::uint64_t from, std::uint64_t to, int depth) {
    if (depth > deepest) return fmt::format("byte {}: messages more than {} deep", from, deepest);
    for (std::uint64_t at = from; at < to;) {
      const std::uint64_t start = at;
      const auto key = varint(at, to);
      if (!key) return fmt::format("byte {}: a number that does not end", start);
      const auto field = static_cast<int>(*key >> 3 & 0x1FFFFFFF);
      if (*key >> 32 != 0 || field == 0)
        return fmt::format("byte {}: expected a field of a message, found none", start);
      if (depth == 0 && !is_outermost(content, field, *key & 7))
        return fmt::format("byte {}: a field that no file of this kind has", start);
      std::uint64_t length = 0;
      switch (*key & 7) {
        case 0:
          if (const std::uint64_t value = at; !varint(at, to))
            return fmt::format("byte {}: a number that does not end", value);
          continue;
        case 1: length = 8; break;
        case 5: length = 4; break;
        case 2: {
          const auto told = varint(at, to);
          if (!told) return fmt::format("byte {}: a length that does not end", start);
          length = *told;
          break;
        }
        default: return fmt::format("byte {}: expected a field of a message, found none", start);
      }
      if (length > to - at)
        return fmt::format("byte {}: expected {} more bytes, found {}", start, length, to - at);
      if ((*key & 7) == 2) {
        if (depth == 0) top_.push_back(field);
        for (const Field& known : fields_of(content))
          if (known.number == field)
            if (std::string fault = inner(known.content, at, at + length, depth); !fault.empty())
              return fault;
      }
      at += length;
    }
    return {};
  }

 private:
  std::string inner(Content content, std::uint64_t from, std::uint64_t to, int depth) {
    if (content == packed_floats)
      return (to - from) % 4 == 0 ? "" : fmt::format("byte {}: numbers that do not end", from);
    if (content == packed_integers) {
      for (std::uint64_t at = from; at < to;)
        if (!varint(at, to)) return fmt::format("byte {}: numbers that do not end", from);
      return {};
    }
    if (content != words) return message(content, from, to, depth + 1);
    if (to - from > longest_text)
      return fmt::format("byte {}: a text of {} bytes", from, to - from);
    std::string text;
    for (std::uint64_t at = from; at < to; ++at) text += static_cast<char>(byte(at));
    return text::is_utf8(text) ? std::string()
                               : fmt::format("byte {}: expected text, found other bytes", from);
  }

  /// Moves `at` behind the number; nothing where it does not end before `to`.
  std::optional<std::uint64_t> varint(std::uint64_t& at, std::uint64_t to) {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 70 && at < to; shift += 7) {
      const std::uint8_t one = byte(at++);
      if (shift < 64) value |= static_cast<std::uint64_t>(one & 127U) << shift;
      if (one < 128) return value;
    }
    return std::nullopt;
  }

  std::uint8_t byte(std::uint64_t at) {
    if (at < first_ || at >= first_ + held_) {
      in_.clear();
      in_.seekg(static_cast<std::streamoff>(at));
      in_.read(window_.data(), static_cast<std::streamsize>(window_.size()));
      first_ = at;
      held_ = static_cast<std::uint64_t>(in_.gcount());
      if (held_ == 0) throw Error("a model file became shorter while it was read");
    }
    return static_cast<std::uint8_t>(window_[static_cast<std::size_t>(at - first_)]);
  }

  std::ifstream in_;
  std::uint64_t size_ = 0, first_ = 0, held_ = 0;
  std::vector<char> window_ = std::vector<char>(4096);
  std::vector<int> top_;
};

}  // namespace

std::string protobuf_fault(const std::filesystem::path& path, ProtobufKind kind) {
  Walk walk(path);
  const auto check = [&](Content content,
                         std::initializer_list<std::pair<int, const char*>> needed) {
    std::string fault = walk.message(content, 0, walk.size(), 0);
    for (const auto& [field, what] : needed)
      if (fault.empty() && walk.count(field) == 0) fault = fmt::format("no {} in it", what);
    return fault;
  };
  switch (kind) {
    case ProtobufKind::onnx: return check(onnx_model, {{7, "graph"}, {8, "operator set"}});
    case ProtobufKind::saved_model: return check(tf_saved_model, {{2, "graph"}});
    case ProtobufKind::frozen_graph: return check(tf_graph, {{1, "operation"}});
  }
  return "unknown kind";
}

}  // namespace yolov7::runtime
