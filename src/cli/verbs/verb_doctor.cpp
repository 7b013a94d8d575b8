// yolov7 doctor [--data D]: what this machine has and can do.
#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/doctor_data.hpp"
#include "cli/verbs/doctor_machine.hpp"

namespace yolov7::cli {
namespace {

constexpr const char *data = "Data", *measuring = "Measuring", *training = "Training";

Settings settings(DoctorOptions& o) {
  run::TrainOptions& t = o.train;
  return Settings{
      "doctor",
      joined(
          {group(data,
                 {setting("data", t.data,
                          "data.yaml, or annotations of any format: how long an epoch takes, and "
                          "how large a batch may be")
                      .basic(),
                  setting("cfg", o.networks,
                          "networks to measure; without: yolov7-tiny and yolov7, and the others "
                          "estimated by their operations")
                      .basic()}),
           group(training,
                 {setting("img-size", t.img_size, "training and validation size in pixels")
                      .range(32, 16'384)
                      .basic(),
                  setting("batch-size", t.batch_size, "images per step").range(1, 65'536).basic(),
                  setting("epochs", t.epochs, "of the training that is asked about")
                      .range(1, 1'000'000)
                      .basic(),
                  setting("hyp", t.hyp,
                          "hyper-parameter file, or the name of a built-in one; '' = that of each "
                          "network"),
                  setting("recipe", t.recipe, "as of train").choices({"auto", "official"}),
                  setting("precision", t.precision,
                          "as of train; auto = the narrow type, which a training may begin later")
                      .choices({"auto", "float32", "bfloat16", "float16"}),
                  setting("device", t.device, "as of train").basic(),
                  setting("memory-limit", t.memory_limit, "as of train").range(0, 1e6),
                  setting("threads", t.threads, "as of train").range(0, 4096),
                  setting("workers", t.workers, "as of train").range(0, 1024),
                  setting("scaled-decoding", t.scaled_decoding, "as of train")}),
           group(measuring,
                 {setting("seconds", o.seconds, "of measuring, all networks together, about")
                      .range(1, 3600)
                      .basic(),
                  setting("hours", o.hours, "that a training may take, for the advice")
                      .range(0.01, 100'000)
                      .basic()})})};
}

}  // namespace

nlohmann::json run_doctor(const std::vector<std::string>& arguments, Output& output) {
  DoctorOptions options;
  options.train.data.clear();
  options.train.hyp.clear();
  const Settings table = settings(options);
  if (!parse_arguments(table, arguments, output)) return {};
  const std::vector<std::string> given = given_names(table, arguments);
  if (options.train.data.empty())
    for (const std::string& name : given)
      if (name != "json" && name != "quiet" && name != "verbose")
        throw usage_error("doctor: --" + name + ": expected --data beside it, found none");
  if (options.train.img_size.empty() || options.train.img_size.size() > 2)
    throw usage_error("doctor: --img-size: expected one or two sizes");
  nlohmann::json result = machine_facts();
  print_machine(result, output);
  if (options.train.data.empty()) return result;
  result["training"] = data_facts(options, given);
  print_data(result["training"], output);
  return result;
}

}  // namespace yolov7::cli
