#include "run/qat_recipe.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"

namespace yolov7::run {
namespace {

void require_alone(const TrainOptions& o) {
  const std::string qat = setting_name("qat");
  if (o.weights.empty() || o.weights == "auto" || o.weights == "synth")
    throw usage_error(
        fmt::format("train: {}: expected {} FILE, a trained float32 network, found {}", qat,
                    setting_name("weights"), o.weights.empty() ? "none" : o.weights));
  if (!o.cfg.empty())
    throw usage_error(fmt::format("train: {}: the network is that of {}: expected no {}, found {}",
                                  qat, setting_name("weights"), setting_name("cfg"), o.cfg));
  if (o.amp || (o.precision != "auto" && o.precision != "float32"))
    throw usage_error(
        fmt::format("train: {}: expected {} float32, whose numbers are exact behind the rounding, "
                    "found {}",
                    qat, setting_name("precision"), o.amp ? "bfloat16" : o.precision));
}

}  // namespace

void settle_qat(TrainOptions& o, const std::vector<std::string>& given) {
  const auto is_given = [&](const char* name) { return text::contains(given, name); };
  if (!o.qat.on) {
    for (const std::string& name : given)
      if (name.rfind("qat-", 0) == 0)
        throw usage_error(fmt::format("train: {}: expected {} as well, found none",
                                      setting_name(name), setting_name("qat")));
    return;
  }
  require_alone(o);
  constexpr int short_training = 10;
  if (!is_given("epochs")) o.epochs = short_training;
  if (!is_given("teacher")) o.distill.teacher = o.weights;
  if (!is_given("distill-off")) o.distill.off = 0;
  o.precision = "float32";
  o.noautoanchor = true;
}

}  // namespace yolov7::run
