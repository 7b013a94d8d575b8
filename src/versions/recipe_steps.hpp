#pragma once
// The steps of recipes, and what they read of a recipe.
#include <string>
#include <vector>

#include "core/value.hpp"
#include "versions/recipe.hpp"

namespace yolov7::versions {

// On annotations alone.
void filter_step(const Value& step, Workshop& work);
void remap_step(const Value& step, Workshop& work);
void split_step(const Value& step, Workshop& work);
// On images.
void resize_step(const Value& step, Workshop& work);
void tile_step(const Value& step, Workshop& work);
void augment_step(const Value& step, Workshop& work);

/// Error names a key that the step does not have.
void require_keys(const Value& step, const std::vector<std::string>& known);
/// The number under `key`, or `otherwise`. Error: it is outside of low … high.
double number_in(const Value& step, const char* key, double otherwise, double low, double high);
int whole_in(const Value& step, const char* key, int otherwise, int low, int high);

}  // namespace yolov7::versions
