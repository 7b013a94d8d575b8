#pragma once
// A bounded tree read from YAML: scalars stay text, every node knows its line and column. Nothing
// is evaluated. Limits guard against alias bombs, depth and size before memory is spent.
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yolov7 {

struct YamlLimits {
  std::size_t bytes = 16u << 20;
  std::size_t nodes = 2'000'000;  ///< after aliases are expanded
  int depth = 64;
};

class Value {
 public:
  enum class Kind { null, scalar, sequence, mapping };

  // Defined in the .cpp: clang 14 instantiates the pair below too early otherwise.
  Value();
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();

  Kind kind = Kind::null;
  std::string scalar;   ///< text of a scalar, unquoted
  bool quoted = false;  ///< the scalar stood in quotes: never null, a number or a switch
  std::vector<Value> sequence;
  std::vector<std::pair<std::string, Value>> mapping;  ///< order of the file; keys are unique
  std::string source;                                  ///< file name for messages
  int line = 0, column = 0;                            ///< from 1

  bool is_null() const { return kind == Kind::null; }
  bool is_scalar() const { return kind == Kind::scalar; }
  bool is_sequence() const { return kind == Kind::sequence; }
  bool is_mapping() const { return kind == Kind::mapping; }

  /// The entry of a mapping, or nullptr.
  const Value* find(std::string_view key) const;
  /// The entry of a mapping; Error names source, line and the missing key.
  const Value& at(std::string_view key) const;

  // Conversions: Error "file:line:column: expected a number, found 'abc'".
  double number() const;
  long long integer() const;
  bool boolean() const;  ///< true/false, yes/no, on/off, 1/0
  const std::string& text() const;

  std::string where() const;  ///< "file:line:column"
};

/// One YAML document. Errors: syntax, duplicate keys, a second document, anything over the limits.
Value parse_yaml(std::string_view text, const std::string& source, const YamlLimits& limits = {});
Value read_yaml(const std::filesystem::path& path, const YamlLimits& limits = {});
/// A YAML scalar: quoted where a plain one would be read as something else.
std::string yaml_scalar(std::string_view text);
/// The tree in one line, flow style; parse_yaml() of it gives the same tree.
std::string yaml_flow(const Value& value);

}  // namespace yolov7
