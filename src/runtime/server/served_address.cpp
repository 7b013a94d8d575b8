#include "runtime/server/served_address.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::runtime {
namespace {

constexpr std::string_view models = "/v2/models/";

}  // namespace

bool is_served_model(std::string_view text) {
  const std::string start = text::lower(std::string(text.substr(0, 8)));
  return start.starts_with("http://") || start.starts_with("https://");
}

ServedAddress parse_served_address(const std::string& text, const std::string& what) {
  ServedAddress address;
  address.server = http::parse_address(text, what);
  const std::string path = address.server.prefix;
  const std::size_t at = path.rfind(models);
  const auto parts = at == std::string::npos
                         ? std::vector<std::string_view>{}
                         : text::split(std::string_view(path).substr(at + models.size()), '/');
  const bool plain = parts.size() == 1,
             versioned = parts.size() == 3 && parts[1] == "versions" && !parts[2].empty();
  if ((!plain && !versioned) || parts[0].empty())
    throw usage_error(
        fmt::format("{}: expected http://HOST:PORT/v2/models/NAME, or with /versions/NUMBER behind "
                    "it, for a server of the Open Inference Protocol, found '{}'",
                    what, text::printable(text)));
  address.name = parts[0];
  address.model = path.substr(at);
  address.server.prefix = path.substr(0, at);
  return address;
}

}  // namespace yolov7::runtime
