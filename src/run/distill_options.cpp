#include "run/distill_options.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/error.hpp"
#include "core/setting_name.hpp"

namespace yolov7::run {
namespace {

constexpr double off_share = 0.06;  ///< of the epochs

}  // namespace

std::vector<Setting> settings(DistillOptions& o) {
  return group(
      "Distillation",
      {
          setting("teacher", o.teacher,
                  "checkpoint of a teacher, whose features or outputs the network learns to repeat "
                  "beside its own loss"),
          setting("distill", o.method,
                  "channel: where each channel of the neck's outputs is active; output: "
                  "objectness, classes and boxes; logit: softened classes; feature: the neck's "
                  "outputs near objects")
              .choices({"channel", "output", "logit", "feature"}),
          setting("distill-weight", o.weight, "weight of the teacher's term; 0 = plain training")
              .range(0, 1e6),
          setting("distill-off", o.off,
                  "last epochs without the teacher; -1 = those of --close-mosaic, else 6 % of all")
              .range(-1, 1'000'000),
          setting("distill-temperature", o.temperature,
                  "channel, logit: temperature; 0 = 1 for channel, 3 for logit")
              .range(0, 1000),
      });
}

bool distils(const DistillOptions& o) { return !o.teacher.empty() && o.weight > 0; }

int off_epochs(const DistillOptions& o, int epochs, int close_mosaic) {
  if (o.off >= 0) return o.off;
  return close_mosaic > 0 ? close_mosaic : static_cast<int>(std::lround(off_share * epochs));
}

bool distils_in(const DistillOptions& o, int epoch, int epochs, int close_mosaic) {
  return distils(o) && epoch < epochs - off_epochs(o, epochs, close_mosaic);
}

double temperature_of(const DistillOptions& o) {
  return o.temperature > 0 ? o.temperature : o.method == "logit" ? 3 : 1;
}

void require_possible(const DistillOptions& o, const std::vector<std::string>& given,
                      const char* verb) {
  if (!o.teacher.empty()) return;
  for (const std::string& name : given)
    if (name.rfind("distill", 0) == 0)
      throw usage_error(fmt::format("{}: {}: expected {} as well, found none", verb,
                                    setting_name(name), setting_name("teacher")));
}

}  // namespace yolov7::run
