#pragma once
// Formats whose annotations are one JSON file per image, or one JSON text per line.
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/formats/format.hpp"

namespace yolov7::dataset {

/// Whether a file is of a format: by the first names of its members and its first bytes.
using JsonSign = bool (*)(const std::vector<std::string>& members, std::string_view head);

bool has_sign(const SourceTree& tree, const std::filesystem::path& file, JsonSign sign);
/// Whether one of the first 200 .json files has the sign.
bool any_json_file(const SourceTree& tree, JsonSign sign);

/// For formats with one file per image: hands out each .json file that has the sign, parsed, with
/// an image whose annotation and split (by the folders' names) are set, then finds that image: by
/// image.written below the file's folder, its "images" and `further`; else by the file's own name
/// without ".json". A broken file is a fault of its image.
void read_json_files(
    const Reading& reading, AnnotatedSet& set, JsonSign sign,
    const std::vector<std::filesystem::path>& further,
    const std::function<void(const nlohmann::json& file, AnnotatedImage& image)>& take);

/// Each line that is not blank, parsed; a broken one as an image with a fault, put into `set`.
void each_json_line(
    const Reading& reading, AnnotatedSet& set, const std::filesystem::path& path,
    const std::function<void(const nlohmann::json& value, AnnotatedImage& image)>& take);

/// "shapes[3]: " in front of the fault, if there is one.
void name_fault(AnnotatedObject& object, std::string_view list, std::size_t number);
/// {left, top, width, height} under these names; the fault where one is no number.
void take_box(const nlohmann::json* value, const char* left, const char* top, const char* width,
              const char* height, AnnotatedObject& object);
/// [{"x": 1, "y": 2}, …]; nothing where one is no point.
std::optional<Ring> ring_of_points(const nlohmann::json* value);
/// The ring as a polygon of the object and its box; a fault where it has under 3 points.
void take_ring(const std::optional<Ring>& ring, const nlohmann::json* found,
               AnnotatedObject& object);

}  // namespace yolov7::dataset
