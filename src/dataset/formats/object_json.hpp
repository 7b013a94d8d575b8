#pragma once
// The properties of an object beside its class and box as JSON: what annotations.extra.jsonl keeps
// for formats that have no place for them.
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "dataset/formats/annotated_set.hpp"

namespace yolov7::dataset {

/// Only what is not the usual value; an empty object where there is nothing. `with_rings`: polygons
/// too.
nlohmann::json properties_json(const AnnotatedObject& object, bool with_rings);
/// Puts such properties into `object`; members of other names are left alone. Returns what is
/// wrong, or "".
std::string take_properties(const nlohmann::json& value, AnnotatedObject& object);

/// [["nose", 12.5, 3], ["tail", 4, 5, "hidden"]]: key points as text, for formats that keep them as
/// an attribute of this name.
inline constexpr const char* key_points_name = "key_points";
std::string key_points_text(const AnnotatedObject& object);
/// The attribute key_points_name of such a text. False: it is another one.
bool take_key_points(const Attribute& attribute, AnnotatedObject& object);

nlohmann::json attributes_json(const std::vector<Attribute>& attributes);

}  // namespace yolov7::dataset
