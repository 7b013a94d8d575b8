#pragma once
// From a weights file to a detector that is ready to run; what val and detect share.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "image/boxes/nms.hpp"
#include "network/graph/graph.hpp"
#include "runtime/detector.hpp"
#include "runtime/server/server_options.hpp"

namespace yolov7::api {

struct OpenModel {
  std::string path;                ///< of the weights
  network::Network network;        ///< as in the checkpoint, not fused
  std::vector<std::string> names;  ///< class_count of them; "0", "1", … if the checkpoint has none
  int image_size = 640;            ///< what it was trained at
  std::string dataset_identity;    ///< dataset::Index::identity of its training split
  /// Of the suppression inside a model file; negative: none, or not told.
  double file_conf_thres = -1, file_iou_thres = -1;
  /// That a model file wants for the suppression of whoever reads it; negative: not told.
  double wanted_conf_thres = -1, wanted_iou_thres = -1;
  std::unique_ptr<runtime::Detector> detector;
};

struct ModelOptions {
  std::vector<std::string> weights;  ///< several make an ensemble; also addresses of models that a
                                     ///< server of the Open Inference Protocol runs
  std::string backend = "openvino";  ///< fused, LibTorch is not loaded; or "libtorch": the
                                     ///< reference, needs the training library
  runtime::DetectorOptions detector;
  bool augment = false, clip_tails = false;  ///< test-time augmentation
  std::string names;  ///< class names of a model file that has none: a list with commas, a text
                      ///< file of one name a line, or a YAML file with `names`
  runtime::ServerOptions server;  ///< for addresses
};

/// The options of a command line that these members are; `precision` is a verb's own.
std::vector<Setting> settings(ModelOptions& options);

/// The averaged (EMA) weights of a checkpoint, or its plain ones, in the chosen back end. Paths are
/// taken as they are: nothing is looked up elsewhere, downloaded, or changed in case; a server is
/// asked where its address is given, and then alone. Of an ensemble, OpenModel tells the first.
/// Errors: no such file, members with different class names, names that do not fit the class count,
/// whatever reading and building report.
OpenModel open_detector(const ModelOptions& options);
/// Error: no path, a file that is not there, or an address of another form; what open_detector()
/// begins with, for those who do more before it.
void require_weights(const std::vector<std::string>& weights);
/// `count` detectors that work at the same time, or the model's only one where its back end has no
/// others.
std::vector<std::unique_ptr<runtime::Detector>> workers(OpenModel& model, std::size_t count);
/// "auto", "none" or a folder → where compiled networks are kept; empty = nowhere.
std::filesystem::path model_cache_folder(const std::string& option);

/// Error (usage): an option of the command line contradicts what a model file says of itself, with
/// both sides. `given`: names of the settings on the command line; others are taken from the file.
void require_agreement(const OpenModel& model, int image_size, const NmsOptions& nms,
                       const std::vector<std::string>& given);

/// The thresholds that a model file wants, where the command line gives none; they are said.
void take_wanted_thresholds(const OpenModel& model, const std::vector<std::string>& given,
                            NmsOptions& nms);

/// `image_size` rounded up to a multiple of the detector's stride (at least 32); a change is a
/// warning.
int usable_image_size(int image_size, const runtime::Detector& detector);

/// Error (usage) unless `device` is "" or "cpu".
void require_cpu(const std::string& device, const std::string& verb);

}  // namespace yolov7::api
