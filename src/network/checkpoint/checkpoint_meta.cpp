#include "network/checkpoint/checkpoint_meta.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"

namespace yolov7::network {
namespace {

// A tree of JSON takes up to forty times its text.
constexpr std::size_t largest_meta = 16u << 20;
// Of an image, in pixels; rounding it up to a stride stays a number.
constexpr int longest_side = 65'535;

}  // namespace

std::string meta_text(const Checkpoint& c, bool with_state) {
  nlohmann::json meta = {{"config", c.config},
                         {"config_source", c.config_source},
                         {"class_count", c.class_count},
                         {"names", c.names},
                         {"image_size", c.image_size},
                         {"dataset_identity", c.dataset_identity},
                         {"state", with_state ? c.state : std::string()}};
  if (!c.certificate.empty()) meta["certificate"] = c.certificate;
  if (!c.quantization.empty()) meta["quantization"] = c.quantization;
  return json_text(meta);
}

void read_meta(const std::string& text, const std::string& source, Checkpoint& c) {
  if (text.size() > largest_meta)
    throw Error(fmt::format("{}: expected a description of at most {} bytes, found {}", source,
                            largest_meta, text.size()));
  const nlohmann::json meta = parse_json(text, source + ": meta");
  try {
    c.config = meta.at("config").get<std::string>();
    c.config_source = meta.at("config_source").get<std::string>();
    c.class_count = meta.at("class_count").get<int>();
    c.names = meta.at("names").get<std::vector<std::string>>();
    c.image_size = meta.at("image_size").get<int>();
    c.dataset_identity = meta.at("dataset_identity").get<std::string>();
    c.state = meta.at("state").get<std::string>();
    c.certificate = meta.value("certificate", std::string());
    c.quantization = meta.value("quantization", std::string());
  } catch (const nlohmann::json::exception& error) {
    throw Error(fmt::format("{}: expected the description of a network: {}", source, error.what()));
  }
  if (c.class_count < 1 || static_cast<std::size_t>(c.class_count) != c.names.size())
    throw Error(fmt::format("{}: expected as many names as classes, found {} and {}", source,
                            c.names.size(), c.class_count));
  if (c.image_size < 1 || c.image_size > longest_side)
    throw Error(fmt::format("{}: expected an image size of 1 to {}, found {}", source, longest_side,
                            c.image_size));
}

}  // namespace yolov7::network
