#include "loop/place.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::loop {
namespace fs = std::filesystem;
namespace {

bool is_server(const std::string& to) { return to.find("://") != std::string::npos; }

}  // namespace

std::unique_ptr<Place> open_place(const PlaceOptions& options) {
  if (options.to.empty())
    throw usage_error("expected a place where people label (a server or a folder), found none");
  if (!is_server(options.to)) return folder_place(options);
  if (options.to.starts_with("roboflow:")) return roboflow_place(options);
  if (options.to.starts_with("cvat")) return cvat_place(options);
  if (options.to.starts_with("label-studio")) return label_studio_place(options);
  // The text may hold a password.
  throw usage_error(
      fmt::format("--to: expected label-studio://host:port/project, cvat://host:port/name, "
                  "roboflow://workspace/project or a folder, found '{}'",
                  options.to.find('@') == std::string::npos ? text::printable(options.to) : "***"));
}

std::string absolute_place(const std::string& to) {
  return to.empty() || is_server(to) ? to : fs::absolute(to).lexically_normal().string();
}

}  // namespace yolov7::loop
