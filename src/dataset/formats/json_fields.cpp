#include "dataset/formats/json_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/json.hpp"
#include "core/text.hpp"

namespace yolov7::dataset {
using nlohmann::json;

const json* member(const json& value, const char* key) {
  if (!value.is_object()) return nullptr;
  const auto found = value.find(key);
  return found == value.end() || found->is_null() ? nullptr : &*found;
}

std::optional<double> number_of(const json* value, bool in_text) {
  if (value == nullptr) return std::nullopt;
  std::optional<double> number;
  if (value->is_number())
    number = value->get<double>();
  else if (in_text && value->is_string())
    number = text::parse_double(text::trim(value->get_ref<const std::string&>()));
  return number && std::isfinite(*number) ? number : std::nullopt;
}

std::optional<double> number_at(const json& value, const char* key) {
  return number_of(member(value, key));
}

int size_at(const json& value, const char* key) {
  const auto number = number_of(member(value, key), true);
  return number && *number >= 0 && *number <= 1e9 && *number == std::floor(*number)
             ? static_cast<int>(*number)
             : 0;
}

std::string text_at(const json& value, const char* key) {
  const json* found = member(value, key);
  return found != nullptr && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::string> id_of(const json* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  if (value->is_number_unsigned()) return fmt::format("{}", value->get<std::uint64_t>());
  if (value->is_number_integer()) return fmt::format("{}", value->get<std::int64_t>());
  if (!value->is_number_float()) return std::nullopt;
  const double number = value->get<double>();
  constexpr double exact = 9007199254740992;  // 2^53
  if (!(std::abs(number) < exact) || number != std::floor(number)) return std::nullopt;
  return fmt::format("{:.0f}", number);
}

std::string id_at(const json& value, const char* key) {
  return id_of(member(value, key)).value_or("");
}

std::optional<std::int64_t> whole_id(const std::string& id) {
  const auto number = text::parse_int(id);
  return number && fmt::format("{}", *number) == id ? number : std::nullopt;
}

bool flag_at(const json& value, const char* key) {
  const json* found = member(value, key);
  if (found == nullptr) return false;
  if (found->is_boolean()) return found->get<bool>();
  if (found->is_number()) return found->get<double>() != 0;
  return found->is_string() && is_true(AttributeValue(found->get<std::string>()));
}

std::optional<std::vector<double>> numbers_of(const json* value) {
  if (value == nullptr || !value->is_array()) return std::nullopt;
  std::vector<double> numbers;
  numbers.reserve(value->size());
  for (const json& one : *value) {
    const auto number = number_of(&one);
    if (!number) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

std::optional<Ring> ring_of(const json* value) {
  if (value == nullptr || !value->is_array()) return std::nullopt;
  Ring ring;
  if (!value->empty() && value->front().is_array()) {
    for (const json& pair : *value) {
      const auto numbers = numbers_of(&pair);
      if (!numbers || numbers->size() != 2) return std::nullopt;
      ring.push_back({(*numbers)[0], (*numbers)[1]});
    }
    return ring;
  }
  const auto numbers = numbers_of(value);
  if (!numbers || numbers->size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < numbers->size(); i += 2)
    ring.push_back({(*numbers)[i], (*numbers)[i + 1]});
  return ring;
}

std::vector<Attribute> attributes_of(const json& value) {
  std::vector<Attribute> list;
  if (!value.is_object()) return list;
  for (const auto& [name, one] : value.items()) {
    if (one.is_null()) continue;
    if (one.is_boolean())
      list.push_back({name, one.get<bool>()});
    else if (one.is_number())
      list.push_back({name, one.get<double>()});
    else if (one.is_string())
      list.push_back({name, one.get<std::string>()});
    else
      list.push_back({name, json_text(one)});
  }
  return list;
}

json to_json(const AttributeValue& value) {
  if (const bool* flag = std::get_if<bool>(&value)) return *flag;
  if (const double* number = std::get_if<double>(&value)) {
    constexpr double exact = 9007199254740992;
    if (*number == std::floor(*number) && std::abs(*number) < exact)
      return static_cast<std::int64_t>(*number);
    return *number;
  }
  return std::get<std::string>(value);
}

std::string shown(const json* value) {
  constexpr std::size_t longest = 60;
  if (value == nullptr) return "nothing";
  std::string text = text::printable(json_text(*value));
  if (text.size() > longest) text = text.substr(0, longest) + "…";
  return text;
}

std::vector<std::string> first_members(std::string_view head) {
  std::vector<std::string> names;
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  int depth = 0, wanted = 1;
  bool expects_name = false;
  for (std::size_t i = 0; i < head.size(); ++i) {
    const char c = head[i];
    if (c == '"') {
      std::size_t end = i + 1;
      while (end < head.size() && head[end] != '"') end += head[end] == '\\' ? 2 : 1;
      if (end >= head.size()) break;
      if (expects_name && depth == wanted) names.emplace_back(head.substr(i + 1, end - i - 1));
      expects_name = false;
      i = end;
    } else if (c == '{' || c == '[') {
      if (++depth == 1 && c == '[') wanted = 2, names.emplace_back("[");
      expects_name = c == '{';
    } else if (c == '}' || c == ']') {
      if (--depth < wanted && wanted == 2) break;  // the first element is over
    } else if (c == ',') {
      expects_name = true;
    } else if (depth == 0 && c != ' ' && c != '\n' && c != '\r' && c != '\t') {
      break;
    }
  }
  return names;
}

bool any_json_has(const SourceTree& tree, const std::vector<std::string>& members,
                  std::size_t most) {
  std::vector<std::filesystem::path> files = tree.with_extension(".json");
  if (files.size() > most) files.resize(most);
  return std::any_of(files.begin(), files.end(), [&](const std::filesystem::path& file) {
    const std::vector<std::string> found = first_members(tree.head(file));
    return std::all_of(members.begin(), members.end(),
                       [&](const std::string& name) { return text::contains(found, name); });
  });
}

double tidy(double value) {
  return text::parse_double(fmt::format("{:.15g}", value)).value_or(value);
}

std::string number_text(double value, int digits) {
  const double plain = text::parse_double(fmt::format("{:.{}g}", value, digits)).value_or(value);
  return fmt::format("{}", plain == 0 ? 0.0 : plain);  // no "-0"
}

std::vector<std::pair<int, int>> joints_of(const json& list, std::size_t count, int first) {
  std::vector<std::pair<int, int>> joints;
  if (!list.is_array()) return joints;
  for (const json& one : list) {
    const auto ends = numbers_of(&one);
    if (!ends || ends->size() != 2) continue;
    const double a = (*ends)[0] - first, b = (*ends)[1] - first;
    const auto place = [&](double end) {
      return end >= 0 && end < static_cast<double>(count) && end == std::floor(end);
    };
    if (place(a) && place(b)) joints.emplace_back(static_cast<int>(a), static_cast<int>(b));
  }
  return joints;
}

}  // namespace yolov7::dataset
