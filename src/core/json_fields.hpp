#pragma once
// The members of a JSON object that another program, or a hand, may have written: what is missing,
// or of another kind, is told in one line with its place.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace yolov7 {

class JsonFields {
 public:
  /// `source` stands in front of errors: "x.json: expected a text in the field 'weights.path',
  /// found a number". Error: no object. The document outlives this.
  JsonFields(const nlohmann::json& object, std::string source);

  bool has(const std::string& name) const;
  /// Errors, of each: no such field, or one of another kind.
  JsonFields object(const std::string& name) const;
  std::vector<JsonFields> objects(const std::string& name) const;  ///< a list of them
  std::string text(const std::string& name) const;
  double number(const std::string& name) const;
  /// Of an object.
  std::vector<std::string> names() const;

 private:
  JsonFields(const nlohmann::json& object, std::string source, std::string place);
  const nlohmann::json& field(const std::string& name, const char* kind,
                              bool (nlohmann::json::*is)() const noexcept) const;

  const nlohmann::json* object_;
  std::string source_, place_;
};

/// "a text", "none", …
const char* kind_of(const nlohmann::json& value);

}  // namespace yolov7
