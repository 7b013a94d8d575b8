#pragma once
// What `yolov7 train` can be asked for, and the hyper-parameter file (training 2 and 20). Free of
// LibTorch, so that the program knows its options before it loads the training library.
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "dataset/augment/augment.hpp"
#include "image/codec/truncated.hpp"
#include "run/distill_options.hpp"
#include "run/qat_options.hpp"
#include "run/semi_options.hpp"

namespace yolov7::run {

struct TrainOptions {
  std::string weights = "auto";  ///< initial weights: a file, "synth" or "auto"
                                 ///< (start_weights.hpp); empty = from scratch, which needs cfg
  std::string cfg;
  std::string data = "data/coco.yaml";
  std::string hyp = "data/hyp.scratch.p5.yaml";
  int epochs = 300;
  int batch_size = 16;
  std::vector<int> img_size{640, 640};  ///< training and validation; one value serves both
  bool rect = false;
  std::string resume;  ///< "" = off, "latest", or a checkpoint or run folder
  bool nosave = false, notest = false, noautoanchor = false;
  std::string cache_images;
  std::string device;
  bool single_cls = false;
  int workers = 8;
  std::string project = "runs/train", name = "exp";
  bool sync_bn = false;  ///< several processes: batch-norms count the pictures of all of them
  int local_rank = -1;   ///< as torchrun's LOCAL_RANK, for launchers that pass it as an option
  bool exist_ok = false, quad = false, linear_lr = false, adam = false, image_weights = false,
       multi_scale = false;
  int save_period = -1;  ///< keep the averaged weights of every so many epochs; below 1 = off
  double label_smoothing = 0;
  std::vector<int> freeze{0};
  bool v5_metric = false;
  // Ours
  int seed = 0;
  std::string recipe = "auto";  ///< auto: more optimizer steps where there would be few; official:
                                ///< the original's settings
  double warmup_cap =
      0.2;  ///< largest share of all iterations that warm-up may take; 0 = official rule
  std::string precision = "auto";  ///< of convolutions and activations; auto = bfloat16 where the
                                   ///< processor computes in it, guarded
  bool amp = false;                ///< the same as precision bfloat16
  bool autobatch = false;          ///< batch_size becomes the largest that fits into memory
  double memory_limit = 0;  ///< GB for the whole process; 0 = what the machine and the cgroup leave
  double checkpoint_seconds =
      300;                  ///< last.pt is never older than that; 0 = only at the end of an epoch
  double cache_budget = 1;  ///< GB of decoded pictures kept in memory
  TruncatedRule truncated;  ///< JPEG files that lack their end
  bool scaled_decoding = false;  ///< large JPEGs are decoded at 1/2, 1/4 or 1/8 of their size
  int threads = 0;               ///< compute threads; 0 = usable cores
  bool recheck = false, strict = false, no_shuffle = false;
  bool accept_changed_data = false;
  std::string optimizer = "auto",
              schedule =
                  "cosine";  ///< auto = adamw where optimizer steps are few, else sgd (recipe.hpp)
  bool sgd_rates = false;    ///< rates and decay of the hyper-parameter file are SGD's: adam and
                             ///< adamw convert them (used_rates)
  std::vector<int> lr_steps{};  ///< epochs at whose start `step` multiplies the rate by lr_factor
  double lr_factor = 0.1;       ///< step, plateau
  int lr_patience = 10;         ///< plateau: epochs without a better fitness
  double lr_floor = 0.001;      ///< plateau: least share of lr0
  int nproc =
      1;  ///< processes that the program starts on this machine; their batch is --batch-size in all
  double peer_timeout = 300;  ///< seconds that a process may keep the others waiting
  bool global_loss_norm =
      false;             ///< several processes: means over positives are taken over all of them
  int nbs = 64;          ///< nominal batch: pictures per optimizer step
  double clip_grad = 0;  ///< largest Euclidean norm of all gradients; 0 = off
  int patience = 0;      ///< epochs below the best fitness after which training ends; 0 = off
  double time = 0;       ///< hours of training; 0 = no limit
  int stop_after = 0;  ///< epochs after which this call ends, the schedule being that of `epochs`;
                       ///< --resume goes on; 0 = off
  std::string mlflow;  ///< MLflow server: its address, or "env" = MLFLOW_TRACKING_URI; "" = none
  std::string
      mlflow_experiment = "yolov7",
      mlflow_model;  ///< name of the experiment; name under which best.pt is registered, "" = not
  int close_mosaic = 0;  ///< last epochs without mosaic, mixup, copy-paste and paste-in
  bool autobalance = false, freeze_bn = false;
  std::string
      unfreeze_at;  ///< "10:backbone,20:all": epochs at which parts of the network begin to train
  double lr_backbone = 1, lr_neck = 1;  ///< shares of the rate for these parts
  DistillOptions distill;
  QatOptions qat;
  SemiOptions semi;
  // Accepted for the sake of scripts, or refused by name: never read.
  std::string bucket, entity, artifact_alias;
  bool evolve = false, upload_dataset = false;
  int bbox_interval = -1;
};

Settings settings(TrainOptions& options);
/// Errors (usage) on options of a new run that do not go together; `verb` stands in front.
void require_possible(const TrainOptions& options, const char* verb);

struct Hyperparameters {
  double lr0 = 0.01, lrf = 0.1, momentum = 0.937, weight_decay = 0.0005;
  double warmup_epochs = 3, warmup_momentum = 0.8, warmup_bias_lr = 0.1;
  double box = 0.05, cls = 0.3, cls_pw = 1, obj = 0.7, obj_pw = 1, iou_t = 0.2, anchor_t = 4,
         fl_gamma = 0;
  int anchors = 0;
  int loss_ota = 1;
  double label_smoothing = 0;
  dataset::AugmentOptions augmentation;
};

/// Keys of the hyper-parameter files; defaults are those of hyp.scratch.p5.yaml.
Settings settings(Hyperparameters& hyp);
/// A file, or a built-in one found by base name. Errors name file, line and the nearest known key.
Hyperparameters read_hyperparameters(const std::string& path);
/// The keys that stand in it.
std::vector<std::string> hyperparameter_keys(const std::string& path);

}  // namespace yolov7::run
