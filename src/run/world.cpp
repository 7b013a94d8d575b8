#include "run/world.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"

namespace yolov7::run {
namespace {

using Get = std::function<const char*(const char*)>;

int number(const Get& get, const char* name, int low, int high,
           std::optional<int> otherwise = std::nullopt) {
  const char* text = get(name);
  if (text == nullptr || *text == '\0') {
    if (otherwise) return *otherwise;
    throw usage_error(
        fmt::format("training by several processes: expected the variable {}, found none (torchrun "
                    "sets it, {} does as well)",
                    name, setting_name("nproc")));
  }
  const auto value = text::parse_int(text);
  if (!value || *value < low || *value > high)
    throw usage_error(fmt::format(
        "training by several processes: expected {} … {} in the variable {}, found '{}'", low, high,
        name, text::printable(text)));
  return static_cast<int>(*value);
}

}  // namespace

World world_of(const Get& get) {
  World world;
  world.size = number(get, "WORLD_SIZE", 1, 65'536, 1);
  if (world.alone()) return world;
  world.rank = number(get, "RANK", 0, world.size - 1);
  world.local_size = number(get, "LOCAL_WORLD_SIZE", 1, world.size, world.size);
  world.local_rank =
      number(get, "LOCAL_RANK", 0, world.local_size - 1, world.rank % world.local_size);
  world.port = static_cast<std::uint16_t>(number(get, "MASTER_PORT", 1, 65'535));
  const char* address = get("MASTER_ADDR");
  if (address == nullptr || *address == '\0')
    throw usage_error(fmt::format(
        "training by several processes: expected the variable MASTER_ADDR, found none (torchrun "
        "sets it, {} does as well)",
        setting_name("nproc")));
  world.address = address;
  return world;
}

std::vector<int> gpus_of(const std::string& device) {
  std::vector<int> gpus;
  if (device.empty() || device == "cpu") return gpus;
  for (const std::string_view one : text::split(device, ',')) {
    const auto value = text::parse_int(one);
    const bool known =
        value && std::find(gpus.begin(), gpus.end(), static_cast<int>(*value)) != gpus.end();
    if (!value || *value < 0 || *value > 1023 || known)
      throw usage_error(
          fmt::format("{}: expected cpu, a GPU's number or several different ones with commas "
                      "between, found '{}'",
                      setting_name("device"), text::printable(device)));
    gpus.push_back(static_cast<int>(*value));
  }
  return gpus;
}

}  // namespace yolov7::run
