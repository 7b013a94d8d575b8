#include "platforms/place.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::platforms {
namespace {

Error wrong(const std::string& text, const std::vector<std::string>& services,
            const std::string& found) {
  std::vector<std::string> forms;
  for (const std::string& one : services)
    forms.push_back(one == "roboflow"       ? "roboflow://workspace/project/version"
                    : one == "label-studio" ? "label-studio://host:port/project"
                                            : one + "://host:port/task");
  return usage_error(
      fmt::format("expected {}, found {}: '{}'", text::join(forms, " or "), found,
                  text.find('@') == std::string::npos ? text::printable(text) : "***"));
}

bool plain_part(const std::string& part) {
  return !part.empty() && part != "." && part != ".." && text::printable(part) == part &&
         part.find('\\') == std::string::npos;
}

/// Workspaces, projects and versions of Roboflow.
bool plain_word(const std::string& part) {
  return std::all_of(part.begin(), part.end(), [](const char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  });
}

http::Address server_of(const std::string& host, const std::string& prefix, bool secure,
                        bool chosen, const std::string& text) {
  http::Address address = http::parse_address("https://" + host + prefix, text);
  address.scheme = secure || (!chosen && !address.is_loopback()) ? "https" : "http";
  return address;
}

}  // namespace

Place parse_place(const std::string& text, const std::vector<std::string>& services,
                  std::size_t least, std::size_t most) {
  const std::size_t colon = text.find("://");
  if (colon == std::string::npos) throw wrong(text, services, "a text without '://'");
  Place place;
  place.text = text;
  const std::string scheme = text.substr(0, colon);
  const std::size_t plus = scheme.find('+');
  place.service = scheme.substr(0, plus);
  const std::string carrier = plus == std::string::npos ? "" : scheme.substr(plus + 1);
  if (!text::contains(services, place.service) ||
      (plus != std::string::npos &&
       (place.service == "roboflow" || (carrier != "http" && carrier != "https"))))
    throw wrong(text, services, "another scheme");
  std::string rest = text.substr(colon + 3);
  while (rest.ends_with('/')) rest.pop_back();
  if (rest.find('@') < rest.find('/')) throw wrong(text, services, "a user or a password");
  std::vector<std::string> parts;
  for (const std::string_view part : text::split(rest, '/')) parts.emplace_back(part);
  if (place.service == "roboflow") {
    place.parts = parts;
  } else {
    const std::string host = parts.front();
    std::string prefix;
    for (std::size_t i = 1; i + 1 < parts.size(); ++i) prefix += "/" + parts[i];
    if (parts.size() > 1) place.parts = {parts.back()};
    try {
      place.server = server_of(host, prefix, carrier == "https", !carrier.empty(), text);
    } catch (const Error&) {  // which shows the host, and a password may hold a slash
      if (text.find('@') == std::string::npos) throw;
      throw wrong(text, services, "a user or a password");
    }
  }
  if (place.parts.size() < least || place.parts.size() > most)
    throw wrong(text, services, fmt::format("{} parts", place.parts.size()));
  for (const std::string& part : place.parts)
    if (!plain_part(part) || (place.service == "roboflow" && !plain_word(part)))
      throw wrong(text, services, "a part that is empty or has other characters");
  return place;
}

}  // namespace yolov7::platforms
