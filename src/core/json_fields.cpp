#include "core/json_fields.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7 {
namespace {

using nlohmann::json;

std::string inside(const std::string& place, const std::string& name) {
  return place.empty() ? name : place + "." + name;
}

}  // namespace

const char* kind_of(const json& value) {
  switch (value.type()) {
    case json::value_t::object: return "an object";
    case json::value_t::array: return "a list";
    case json::value_t::string: return "a text";
    case json::value_t::boolean: return "true or false";
    case json::value_t::null: return "null";
    default: return value.is_number() ? "a number" : "another value";
  }
}

JsonFields::JsonFields(const json& object, std::string source)
    : JsonFields(object, std::move(source), {}) {}

JsonFields::JsonFields(const json& object, std::string source, std::string place)
    : object_(&object), source_(std::move(source)), place_(std::move(place)) {
  if (!object.is_object())
    throw Error(fmt::format("{}: expected an object{}, found {}", source_,
                            place_.empty() ? "" : fmt::format(" in the field '{}'", place_),
                            kind_of(object)));
}

bool JsonFields::has(const std::string& name) const { return object_->contains(name); }

const json& JsonFields::field(const std::string& name, const char* kind,
                              bool (json::*is)() const noexcept) const {
  const auto found = object_->find(name);
  if (found == object_->end() || !((*found).*is)())
    throw Error(fmt::format("{}: expected {} in the field '{}', found {}", source_, kind,
                            text::printable(inside(place_, name)),
                            found == object_->end() ? "no such field" : kind_of(*found)));
  return *found;
}

JsonFields JsonFields::object(const std::string& name) const {
  return {field(name, "an object", &json::is_object), source_, inside(place_, name)};
}

std::vector<JsonFields> JsonFields::objects(const std::string& name) const {
  std::vector<JsonFields> all;
  const json& list = field(name, "a list of objects", &json::is_array);
  for (std::size_t i = 0; i < list.size(); ++i)
    all.push_back({list[i], source_, fmt::format("{}[{}]", inside(place_, name), i)});
  return all;
}

std::string JsonFields::text(const std::string& name) const {
  return field(name, "a text", &json::is_string).get<std::string>();
}

double JsonFields::number(const std::string& name) const {
  return field(name, "a number", &json::is_number).get<double>();
}

std::vector<std::string> JsonFields::names() const {
  std::vector<std::string> all;
  for (const auto& [name, value] : object_->items()) all.push_back(name);
  return all;
}

}  // namespace yolov7
