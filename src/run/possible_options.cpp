// Which training options go together.
#include <fmt/format.h>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "run/options.hpp"

namespace yolov7::run {
namespace {

/// Error (usage): options of a schedule that is not the chosen one, or a lack of them.
void require_one_schedule(const TrainOptions& o, const char* verb) {
  const std::string schedule = setting_name("schedule"), steps = setting_name("lr-steps");
  if (o.linear_lr && o.schedule != "cosine" && o.schedule != "linear")
    throw usage_error(
        fmt::format("{}: {} is the same as {} linear: expected one schedule, found {} {} as well",
                    verb, setting_name("linear-lr"), schedule, schedule, o.schedule));
  const bool falls = o.schedule == "step";
  if (falls && o.lr_steps.empty())
    throw usage_error(
        fmt::format("{}: {} step: expected {} as well, found none", verb, schedule, steps));
  if (!falls && !o.lr_steps.empty())
    throw usage_error(fmt::format("{}: {}: expected {} step as well, found {} {}", verb, steps,
                                  schedule, schedule, o.schedule));
  if (o.schedule == "plateau" && o.notest)
    throw usage_error(fmt::format("{}: {} plateau: expected trainings with validations, found {}",
                                  verb, schedule, setting_name("notest")));
}

}  // namespace

void require_possible(const TrainOptions& o, const char* verb) {
  require_one_schedule(o, verb);
  if (o.cfg.empty() && (o.weights.empty() || o.weights == "auto"))
    throw usage_error(
        fmt::format("{}: expected {} (from scratch) or {} (fine-tuning), found neither", verb,
                    setting_name("cfg"), setting_name("weights")));
  if (o.adam && o.optimizer != "auto" && o.optimizer != "adam")
    throw usage_error(fmt::format(
        "{}: {} is the same as {} adam: expected one optimizer, found {} {} as well", verb,
        setting_name("adam"), setting_name("optimizer"), setting_name("optimizer"), o.optimizer));
  if (o.recipe == "official" && o.scaled_decoding)
    throw usage_error(
        fmt::format("{}: {} gives other pixels than the official program's: expected it without {} "
                    "official, found both",
                    verb, setting_name("scaled-decoding"), setting_name("recipe")));
}

}  // namespace yolov7::run
