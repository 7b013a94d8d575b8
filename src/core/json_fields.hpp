#pragma once
// Reads members of a JSON object from an untrusted source. A missing member, or one of another
// type, is an Error of one line that names the field.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace yolov7 {

class JsonFields {
 public:
  /// `source` begins every message: "x.json: expected a text in the field 'weights.path', found a
  /// number". Error: `object` is no JSON object. `object` must outlive this.
  JsonFields(const nlohmann::json& object, std::string source);

  /// Whether there is such a member, null included.
  bool has(const std::string& name) const;
  /// Error, of each of the following: the field is missing or has another type.
  JsonFields object(const std::string& name) const;
  std::vector<JsonFields> objects(const std::string& name) const;  ///< a list of them
  std::string text(const std::string& name) const;
  double number(const std::string& name) const;
  /// Names of all members, sorted.
  std::vector<std::string> names() const;

 private:
  JsonFields(const nlohmann::json& object, std::string source, std::string place);
  const nlohmann::json& field(const std::string& name, const char* kind,
                              bool (nlohmann::json::*is)() const noexcept) const;

  const nlohmann::json* object_;
  std::string source_, place_;
};

/// "an object", "a list", "a text", "true or false", "null" or "a number", for messages.
const char* kind_of(const nlohmann::json& value);

}  // namespace yolov7
