#include "core/failpoint.hpp"

#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>

namespace yolov7::failpoint {
namespace {

std::map<std::string, std::set<int>, std::less<>> wanted() {
  std::map<std::string, std::set<int>, std::less<>> result;
  const char* text = std::getenv("YOLOV7_FAILPOINTS");
  if (text == nullptr) return result;
  std::istringstream places(text);
  for (std::string place; std::getline(places, place, ';');) {
    const auto equals = place.find('=');
    if (equals == std::string::npos) continue;
    std::istringstream passes(place.substr(equals + 1));
    for (std::string pass; std::getline(passes, pass, ',');)
      result[place.substr(0, equals)].insert(std::atoi(pass.c_str()));
  }
  return result;
}

}  // namespace

bool hit(std::string_view place) {
  static const auto faults = wanted();
  if (faults.empty()) return false;
  const auto found = faults.find(place);
  if (found == faults.end()) return false;
  static std::mutex mutex;
  static std::map<std::string, int, std::less<>> passes;
  const std::lock_guard lock(mutex);
  return found->second.contains(++passes[std::string(place)]);
}

}  // namespace yolov7::failpoint
