#pragma once
// Fields of JSON that strangers wrote: what is absent or of another type is nothing, never an
// exception of the library.
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "dataset/formats/source_tree.hpp"

namespace yolov7::dataset {

/// The member, or nullptr where it is absent, null, or `value` is no object.
const nlohmann::json* member(const nlohmann::json& value, const char* key);
/// A finite number; numbers in quotes count where `in_text`.
std::optional<double> number_of(const nlohmann::json* value, bool in_text = false);
std::optional<double> number_at(const nlohmann::json& value, const char* key);
/// A whole number in 0 … 1e9, else 0.
int size_at(const nlohmann::json& value, const char* key);
/// Text as it is; "" where it is no text.
std::string text_at(const nlohmann::json& value, const char* key);
/// An id as text: a whole number of up to 64 bits, or a text. Nothing for others, and for numbers
/// that a double has rounded.
std::optional<std::string> id_of(const nlohmann::json* value);
std::string id_at(const nlohmann::json& value, const char* key);
/// The whole number that an id or group is, for formats that have no texts there; nothing where
/// another text would come back ("07").
std::optional<std::int64_t> whole_id(const std::string& id);
/// true, a number other than 0, "1", "true", "yes".
bool flag_at(const nlohmann::json& value, const char* key);
/// The numbers of an array; nothing where one is none.
std::optional<std::vector<double>> numbers_of(const nlohmann::json* value);
/// Pairs of an array [x, y, x, y …], or of [[x, y], …]; nothing where they are none.
std::optional<Ring> ring_of(const nlohmann::json* value);
/// Members that are texts, numbers or switches; others as their JSON text.
std::vector<Attribute> attributes_of(const nlohmann::json& value);
nlohmann::json to_json(const AttributeValue& value);
/// At most 60 characters of the JSON text, for messages.
std::string shown(const nlohmann::json* value);

/// The first names of members of the outermost object, or of the first object of the outermost
/// array, as far as `head` goes; "[" is the first name where it is an array. Empty: no JSON.
std::vector<std::string> first_members(std::string_view head);
/// Whether one of the first `most` .json files has all of these among first_members().
bool any_json_has(const SourceTree& tree, const std::vector<std::string>& members,
                  std::size_t most = 50);

/// The value to 15 significant digits: what arithmetic added behind them goes away.
double tidy(double value);
/// The value to so many significant digits as text, shortest form.
std::string number_text(double value, int digits = 15);

/// [[1, 2], …] as places from 0 among `count` key points, `first` being the lowest number; pairs of
/// other points are left out.
std::vector<std::pair<int, int>> joints_of(const nlohmann::json& list, std::size_t count,
                                           int first);

}  // namespace yolov7::dataset
