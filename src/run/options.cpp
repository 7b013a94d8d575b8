#include "run/options.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "core/builtin.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/value.hpp"
#include "dataset/augment/transforms/catalogue.hpp"

namespace yolov7::run {

namespace {

constexpr const char *network_and_data = "Network and data", *training = "Training",
                     *images = "Images", *machine = "Machine", *processes = "Several processes",
                     *rates = "Learning rate", *loss = "Loss", *fine_tuning = "Fine-tuning",
                     *output = "Output";

// Options of the official program.

/// Network, data and their sizes.
std::vector<Setting> input_settings(TrainOptions& o) {
  return joined(
      {group(network_and_data,
             {setting("weights", o.weights,
                      "initial weights: a file; synth = the start for yolov7-tiny that belongs to "
                      "this program; auto = synth for yolov7-tiny, else ''; '' = from scratch "
                      "(needs --cfg)")
                  .basic(),
              setting("cfg", o.cfg, "network: a config file or the name of a built-in one").basic(),
              setting("data", o.data, "data.yaml, or annotations of any format").basic()}),
       group(training,
             {setting("hyp", o.hyp, "hyper-parameter file, or the name of a built-in one").basic(),
              setting("epochs", o.epochs, "number of epochs").range(1, 1'000'000).basic(),
              setting("batch-size", o.batch_size, "images per step").range(1, 65'536).basic()}),
       group(network_and_data,
             {setting("img-size", o.img_size, "training and validation size in pixels (long side)")
                  .range(32, 16'384)
                  .basic()})});
}

/// What a run does, and what it leaves out.
std::vector<Setting> course_settings(TrainOptions& o) {
  return joined(
      {group(images, {setting("rect", o.rect, "rectangular training batches, no mosaic")}),
       group(training, {setting("resume", o.resume,
                                "continue a run: its folder or last.pt; alone: the most recent one")
                            .optional_value("latest")
                            .basic()}),
       group(output, {setting("nosave", o.nosave, "write a checkpoint only after the last epoch"),
                      setting("notest", o.notest, "validate only after the last epoch")}),
       group(training,
             {setting("noautoanchor", o.noautoanchor,
                      "do not check how well the anchors fit, and never search better ones"),
              setting("evolve", o.evolve,
                      "evolve hyper-parameters: the same as `yolov7 evolve` with the other "
                      "options"),
              setting("bucket", o.bucket, "cloud bucket").refused("nothing is ever uploaded")})});
}

/// Images in memory, devices, processes, threads.
std::vector<Setting> machine_settings(TrainOptions& o) {
  return joined(
      {group(
           images,
           {setting("cache-images", o.cache_images,
                    "taken for the sake of older scripts: images are kept in memory without it, as "
                    "many as --cache-budget holds")
                .optional_value("ram")
                .choices({"", "ram"}),
            setting("image-weights", o.image_weights,
                    "draw images more often whose classes are rare or badly found")}),
       group(machine,
             {setting("device", o.device,
                      "cpu; 0 or 0,1: GPUs, a process for each; '' = a GPU where there is one")
                  .basic()}),
       group(images, {setting("multi-scale", o.multi_scale,
                              "random input size per batch, 0.5 to 1.5 times --img-size")}),
       group(network_and_data, {setting("single-cls", o.single_cls, "train all classes as one")}),
       group(rates, {setting("adam", o.adam, "the same as --optimizer adam")}),
       group(processes,
             {setting("sync-bn", o.sync_bn,
                      "several processes: batch-norms count the images of all of them"),
              setting("local_rank", o.local_rank,
                      "this process's number on its machine, where a launcher passes it; -1 = the "
                      "variable LOCAL_RANK")
                  .range(-1, 65'535)}),
       group(machine,
             {setting("workers", o.workers, "most loader threads; 0 = load in the training thread")
                  .range(0, 1024)
                  .basic()})});
}

/// The run's folder and what is kept there; at the end, options that came later.
std::vector<Setting> output_settings(TrainOptions& o) {
  const std::string tracker = "an option of a commercial experiment tracker";
  return joined(
      {group(output,
             {setting("project", o.project, "folder of the runs").basic(),
              setting("entity", o.entity, "tracker account").ignored(tracker),
              setting("name", o.name, "name of the run").basic(),
              setting("exist-ok", o.exist_ok, "use the run folder again instead of a new number")}),
       group(images, {setting("quad", o.quad, "four images in one of twice the size, loss × 4")}),
       group(rates, {setting("linear-lr", o.linear_lr, "the same as --schedule linear")}),
       group(loss, {setting("label-smoothing", o.label_smoothing, "ε of class label smoothing")
                        .range(0, 0.999)}),
       group(output,
             {setting("upload_dataset", o.upload_dataset, "tracker option").ignored(tracker),
              setting("bbox_interval", o.bbox_interval, "tracker option").ignored(tracker),
              setting("save_period", o.save_period,
                      "keep the averaged weights of every so many epochs; below 1 = only the usual "
                      "ones")
                  .range(-1, 1'000'000),
              setting("artifact_alias", o.artifact_alias, "tracker option").ignored(tracker)}),
       group(fine_tuning, {setting("freeze", o.freeze,
                                   "one number n: layers 0 to n-1; several: exactly these layers")
                               .range(0, 100'000)}),
       group(training, {setting("v5-metric", o.v5_metric,
                                "recall 1.0 as the end of the official precision-recall curve")})});
}

/// From here on options that the official program does not have: recipe, precision and memory.
std::vector<Setting> recipe_settings(TrainOptions& o) {
  return joined(
      {group(training,
             {setting("seed", o.seed, "seed of weights, order and augmentation")
                  .range(0, 2'147'483'647),
              setting("recipe", o.recipe,
                      "auto: smaller (nominal) batches and AdamW where the official ones would "
                      "leave fewer than 2,500 optimizer steps; official: the original's settings, "
                      "no --warmup-cap")
                  .choices({"auto", "official"})}),
       group(rates, {setting("warmup-cap", o.warmup_cap,
                             "largest share of all iterations for warm-up; 0 = official (at least "
                             "1,000 iterations)")
                         .range(0, 1)}),
       group(
           machine,
           {setting("precision", o.precision,
                    "of convolutions (weights, statistics and loss are float32); auto = bfloat16 "
                    "where the processor or GPU computes in it, float16 on older GPUs, if a "
                    "first batch agrees with float32; float16: GPUs only, with loss scaling")
                .choices({"auto", "float32", "bfloat16", "float16"}),
            setting("amp", o.amp, "the same as --precision bfloat16 (on GPUs without it: float16)"),
            setting("autobatch", o.autobatch,
                    "the largest batch up to --nbs that fits into memory, instead of "
                    "--batch-size"),
            setting("memory-limit", o.memory_limit,
                    "GB that this process may hold; 0 = what the machine and the cgroup leave")
                .range(0, 1e6)}),
       group(output, {setting("checkpoint-seconds", o.checkpoint_seconds,
                              "last.pt is never older than this, also within an epoch; 0 = only at "
                              "an epoch's end")
                          .range(0, 1e9)})});
}

/// How images are read and ordered.
std::vector<Setting> image_settings(TrainOptions& o) {
  return joined(
      {group(
           images,
           {setting("cache-budget", o.cache_budget, "GB of decoded images kept in memory; 0 = none")
                .range(0, 100'000),
            setting("scaled-decoding", o.scaled_decoding,
                    "decode training JPEGs at 1/2, 1/4 or 1/8 where they are that much larger "
                    "than --img-size: faster, and other pixels than the official program's; "
                    "validation is not changed")}),
       truncated_settings(o.truncated, images),
       group(machine, {setting("threads", o.threads,
                               "compute threads; 0 = one for each core that is free, chosen anew "
                               "before each epoch")
                           .range(0, 4096)}),
       group(images,
             {setting("recheck", o.recheck, "read every image again, whatever the cache says"),
              setting("strict", o.strict, "rows that would be dropped are errors"),
              setting("no-shuffle", o.no_shuffle,
                      "images in sorted order, as the official single-process program")})});
}

/// Optimizer and learning rate over the epochs.
std::vector<Setting> schedule_settings(TrainOptions& o) {
  return group(
      rates,
      {
          setting("optimizer", o.optimizer,
                  "sgd (Nesterov), adam (decay in the gradient) or adamw; auto = adamw with "
                  "--sgd-rates where --recipe auto finds few optimizer steps, else sgd")
              .choices({"auto", "sgd", "adam", "adamw"}),
          setting(
              "sgd-rates", o.sgd_rates,
              "adam and adamw: lr0 and warmup_bias_lr of the hyper-parameter file are meant for "
              "SGD, and a tenth of them is used; adamw: 20 times its weight_decay"),
          setting("schedule", o.schedule, "learning rate over the epochs")
              .choices({"cosine", "linear", "step", "plateau", "constant"}),
          setting("lr-steps", o.lr_steps,
                  "step: epochs at whose start the rate is multiplied by --lr-factor")
              .range(0, 1'000'000),
          setting("lr-factor", o.lr_factor, "step, plateau: what the rate is multiplied by")
              .range(0, 1),
          setting("lr-patience", o.lr_patience,
                  "plateau: epochs without a better fitness before the rate falls")
              .range(1, 1'000'000),
          setting("lr-floor", o.lr_floor, "plateau: least rate as a share of lr0").range(0, 1),
      });
}

/// Several processes.
std::vector<Setting> process_settings(TrainOptions& o) {
  return group(
      processes,
      {
          setting("nproc", o.nproc,
                  "processes to start on this machine; they share --batch-size and the cores")
              .range(1, 1024),
          setting("peer-timeout", o.peer_timeout,
                  "seconds after which a process that keeps the others waiting ends the training")
              .range(1, 1e6),
          setting(
              "global-loss-norm", o.global_loss_norm,
              "several processes: the loss's means over positives are taken over all of them, as "
              "if one process had the whole batch"),
      });
}

/// Optimizer steps, and when training ends.
std::vector<Setting> limit_settings(TrainOptions& o) {
  return group(
      training,
      {
          setting("nbs", o.nbs,
                  "nominal batch: gradients are accumulated over so many images per optimizer step")
              .range(1, 1'000'000),
          setting("clip-grad", o.clip_grad,
                  "largest Euclidean norm of all gradients together; 0 = no clipping")
              .range(0, 1e9),
          setting("patience", o.patience,
                  "end after so many epochs below the best fitness; 0 = never")
              .range(0, 1'000'000),
          setting("time", o.time,
                  "hours of training after which no further epoch begins; 0 = no limit")
              .range(0, 1e6),
          setting(
              "stop-after", o.stop_after,
              "end this call after so many epochs in all, validated, and let --resume go on: the "
              "schedule stays that of --epochs; 0 = off")
              .range(0, 1'000'000),
      });
}

/// Experiment tracking.
std::vector<Setting> watching_settings(TrainOptions& o) {
  return group(
      "MLflow",
      {
          setting(
              "mlflow", o.mlflow,
              "record the run on this MLflow server (http or https address); alone: that of the "
              "variable MLFLOW_TRACKING_URI; what cannot be sent is kept for `yolov7 mlflow`")
              .optional_value("env"),
          setting("mlflow-experiment", o.mlflow_experiment, "MLflow: name of the experiment"),
          setting("mlflow-model", o.mlflow_model,
                  "MLflow: register best.pt as a version of the model of this name; '' = not"),
      });
}

/// Which parts are trained when, and how fast.
std::vector<Setting> fine_tuning_settings(TrainOptions& o) {
  return joined(
      {group(images, {setting("close-mosaic", o.close_mosaic,
                              "last epochs without mosaic, mixup, copy-paste and paste-in")
                          .range(0, 1'000'000)}),
       group(loss, {setting("autobalance", o.autobalance,
                            "adapt the levels' weights of the objectness loss")}),
       group(
           fine_tuning,
           {setting("unfreeze-at", o.unfreeze_at,
                    "epoch:part, …: when parts begin to train, a part being backbone, neck, "
                    "head, all, a layer or first-last; without --freeze all but the head is "
                    "frozen before"),
            setting("lr-backbone", o.lr_backbone, "share of the learning rate for the backbone")
                .range(0, 1000),
            setting("lr-neck", o.lr_neck, "share of the learning rate for the neck").range(0, 1000),
            setting("freeze-bn", o.freeze_bn,
                    "batch-norms of frozen layers keep their statistics")}),
       group(network_and_data, {setting("accept-changed-data", o.accept_changed_data,
                                        "resume although the data set changed")})});
}

// Hyper-parameters.

/// Rates, momentum, decay, warm-up.
std::vector<Setting> rate_settings(Hyperparameters& h) {
  return {
      setting("lr0", h.lr0, "initial learning rate").range(0, 10),
      setting("lrf", h.lrf, "final rate as a fraction of lr0").range(0, 10),
      setting("momentum", h.momentum, "SGD momentum").range(0, 1),
      setting("weight_decay", h.weight_decay, "decay of convolution weights").range(0, 1),
      setting("warmup_epochs", h.warmup_epochs, "length of warm-up").range(0, 10'000),
      setting("warmup_momentum", h.warmup_momentum, "momentum at its start").range(0, 1),
      setting("warmup_bias_lr", h.warmup_bias_lr, "bias rate at its start").range(0, 10),
  };
}

/// Loss and anchors.
std::vector<Setting> loss_settings(Hyperparameters& h) {
  return {
      setting("box", h.box, "box loss gain").range(0, 1000),
      setting("cls", h.cls, "class loss gain").range(0, 1000),
      setting("cls_pw", h.cls_pw, "positive weight of the class loss").range(0, 1000),
      setting("obj", h.obj, "objectness loss gain").range(0, 1000),
      setting("obj_pw", h.obj_pw, "positive weight of the objectness loss").range(0, 1000),
      setting("iou_t", h.iou_t, "unused, kept for the sake of the files").range(0, 1),
      setting("anchor_t", h.anchor_t, "largest ratio of anchor and label sides").range(1, 1000),
      setting("anchors", h.anchors, "anchors per level from a search; 0 = those of the config")
          .range(0, 100),
      setting("fl_gamma", h.fl_gamma, "focal loss gamma; 0 = off").range(0, 100),
  };
}

/// Of the loss too; they stand at the end of the files.
std::vector<Setting> later_loss_settings(Hyperparameters& h) {
  return {
      setting("loss_ota", h.loss_ota, "1 = OTA loss, otherwise plain").range(0, 1),
      setting("label_smoothing", h.label_smoothing, "ε of class label smoothing; the option wins")
          .range(0, 0.999),
  };
}

}  // namespace

Settings settings(TrainOptions& o) {
  return {"train",
          joined({input_settings(o), course_settings(o), machine_settings(o), output_settings(o),
                  recipe_settings(o), image_settings(o), schedule_settings(o), process_settings(o),
                  limit_settings(o), watching_settings(o), fine_tuning_settings(o),
                  settings(o.distill), settings(o.qat), settings(o.semi)})};
}

Settings settings(Hyperparameters& h) {
  return {"hyper-parameters", joined({rate_settings(h), loss_settings(h), settings(h.augmentation),
                                      later_loss_settings(h)})};
}

namespace {

Value hyperparameter_file(const std::string& path) {
  if (std::filesystem::exists(path)) return read_yaml(path);
  const auto text = builtin_file(path);
  if (!text)
    throw Error(fmt::format(
        "{}: expected a hyper-parameter file or the name of a built-in one, found neither", path));
  return parse_yaml(*text, path);
}

}  // namespace

Hyperparameters read_hyperparameters(const std::string& path) {
  Hyperparameters hyp;
  Value file = hyperparameter_file(path);
  if (!std::filesystem::exists(path))
    log::info(fmt::format("{}: not a file here; using the built-in one", path));
  // The list is checked here, where the file and the line are known, and kept as one line of text.
  for (auto& [key, value] : file.mapping) {
    if (key != "augment") continue;
    dataset::AugmentList::parse(value);
    if (!value.is_sequence()) continue;  // the text that a run has kept
    value.scalar = yaml_flow(value);
    value.kind = Value::Kind::scalar;
    value.quoted = true;
    value.sequence.clear();
  }
  assign(settings(hyp), file);
  return hyp;
}

std::vector<std::string> hyperparameter_keys(const std::string& path) {
  std::vector<std::string> keys;
  for (const auto& entry : hyperparameter_file(path).mapping) keys.push_back(entry.first);
  return keys;
}

}  // namespace yolov7::run
