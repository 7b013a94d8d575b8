#include "dataset/formats/json_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/json_fields.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
using nlohmann::json;

bool has_sign(const SourceTree& tree, const fs::path& file, JsonSign sign) {
  const std::string head = tree.head(file);
  return sign(first_members(head), head);
}

bool any_json_file(const SourceTree& tree, JsonSign sign) {
  constexpr std::size_t most = 200;
  std::vector<fs::path> files = tree.with_extension(".json");
  if (files.size() > most) files.resize(most);
  return std::any_of(files.begin(), files.end(),
                     [&](const fs::path& file) { return has_sign(tree, file, sign); });
}

void read_json_files(const Reading& reading, AnnotatedSet& set, JsonSign sign,
                     const std::vector<fs::path>& further,
                     const std::function<void(const json&, AnnotatedImage&)>& take) {
  constexpr std::uint64_t most_bytes = 256u << 20;
  for (const fs::path& path : reading.tree.with_extension(".json")) {
    check_stop(reading.stop);
    if (!has_sign(reading.tree, path, sign)) continue;
    AnnotatedImage image;
    image.annotation = path;
    image.split = split_of_folders(path);
    try {
      take(parse_json(reading.tree.read(path, most_bytes), path.string()), image);
    } catch (const Error& error) {
      image.fault = error.what();
    }
    std::vector<fs::path> folders = {path.parent_path(), path.parent_path() / "images"};
    folders.insert(folders.end(), further.begin(), further.end());
    if (image.fault.empty() && !image.written.empty())
      reading.finder.assign(image, folders, reading.account.notes);
    else if (image.fault.empty())
      reading.finder.assign_by_stem(image, path.stem().string(), folders, reading.account.notes);
    set.images.push_back(std::move(image));
  }
}

void each_json_line(const Reading& reading, AnnotatedSet& set, const fs::path& path,
                    const std::function<void(const json&, AnnotatedImage&)>& take) {
  const std::string content = reading.tree.read(path);
  int line = 0;
  for (const std::string_view row : text::lines(content)) {
    ++line;
    check_stop(reading.stop);
    if (text::trim(row).empty()) continue;
    AnnotatedImage image;
    image.annotation = path;
    image.line = line;
    image.shares_file = true;
    try {
      const json value = parse_json(row, fmt::format("line {}", line));
      if (!value.is_object()) throw Error("expected an object, found " + shown(&value));
      take(value, image);
    } catch (const Error& error) {
      image.fault = error.what();
    }
    set.images.push_back(std::move(image));
  }
}

void name_fault(AnnotatedObject& object, std::string_view list, std::size_t number) {
  if (!object.fault.empty()) object.fault = fmt::format("{}[{}]: {}", list, number, object.fault);
}

void take_box(const json* value, const char* left, const char* top, const char* width,
              const char* height, AnnotatedObject& object) {
  std::optional<double> n[4];
  const char* names[] = {left, top, width, height};
  for (int i = 0; i < 4 && value != nullptr; ++i) n[i] = number_at(*value, names[i]);
  if (!n[0] || !n[1] || !n[2] || !n[3]) {
    object.fault = fmt::format("expected a box with {}, {}, {} and {} as numbers, found {}", left,
                               top, width, height, shown(value));
    return;
  }
  object.box = {*n[0], *n[1], *n[0] + *n[2], *n[1] + *n[3]};
  if (!std::isfinite(object.box.x2) || !std::isfinite(object.box.y2))
    object.fault = "its box is too large for a number: " + shown(value);
}

std::optional<Ring> ring_of_points(const json* value) {
  if (value == nullptr || !value->is_array()) return std::nullopt;
  Ring ring;
  for (const json& point : *value) {
    const auto x = number_at(point, "x"), y = number_at(point, "y");
    if (!x || !y) return std::nullopt;
    ring.push_back({*x, *y});
  }
  return ring;
}

void take_ring(const std::optional<Ring>& ring, const json* found, AnnotatedObject& object) {
  if (!ring || ring->size() < 3) {
    object.fault = "expected a polygon of 3 points or more, found " + shown(found);
    return;
  }
  object.rings.push_back(*ring);
  object.box = box_around(object.rings);
}

}  // namespace yolov7::dataset
