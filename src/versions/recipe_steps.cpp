#include "versions/recipe_steps.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::versions {

void require_keys(const Value& step, const std::vector<std::string>& known) {
  if (!step.is_mapping())
    throw Error(fmt::format("{}: expected a mapping with {}, found something else", step.where(),
                            text::join(known, ", ")));
  for (const auto& [key, value] : step.mapping)
    if (!text::contains(known, key))
      throw Error(fmt::format("{}: expected one of {}, found '{}'{}", value.where(),
                              text::join(known, ", "), key, text::did_you_mean(key, known)));
}

double number_in(const Value& step, const char* key, double otherwise, double low, double high) {
  const Value* value = step.find(key);
  if (value == nullptr) return otherwise;
  const double found = value->number();
  if (!(found >= low && found <= high))
    throw Error(fmt::format("{}: expected {} in {} … {}, found {}", value->where(), key, low, high,
                            text::general(found)));
  return found;
}

int whole_in(const Value& step, const char* key, int otherwise, int low, int high) {
  const double found = number_in(step, key, otherwise, low, high);
  if (found != std::floor(found))
    throw Error(fmt::format("{}: expected a whole number for {}, found {}", step.where(), key,
                            text::general(found)));
  return static_cast<int>(found);
}

namespace {

struct Step {
  const char* name;
  void (*run)(const Value& step, Workshop& work);
};
constexpr Step steps[] = {{"filter", filter_step}, {"remap", remap_step},
                          {"split", split_step},   {"resize", resize_step},
                          {"tile", tile_step},     {"augment", augment_step}};

}  // namespace

void run_step(const std::string& name, const Value& step, Workshop& work) {
  std::vector<std::string> names;
  for (const Step& one : steps) {
    if (name == one.name) {
      one.run(step, work);
      return;
    }
    names.emplace_back(one.name);
  }
  throw Error(fmt::format("{}: expected a step of {}, found '{}'{}", step.where(),
                          text::join(names, ", "), name, text::did_you_mean(name, names)));
}

}  // namespace yolov7::versions
