#pragma once
// The formats of `yolov7 export`. A new one is a file with its emitter, and a row here.
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporting/export_model.hpp"
#include "exporting/export_options.hpp"

namespace yolov7::exporting {

/// Writes a file, or makes the folder and its files, at the given path, which does not exist yet
/// and is not the final one. Errors: what the format cannot hold; nothing needs to be removed.
using WriteFormat = void (*)(const ExportModel&, const ExportOptions&,
                             const std::filesystem::path&);

struct WithoutEffect {
  std::string_view option, reason;
  /// Without another format that honours it, the option is an error.
  bool refused_alone = false;
};

struct Format {
  std::string_view name;                    ///< as in --include
  std::vector<std::string_view> spellings;  ///< others that mean the same
  std::string_view file_name;               ///< "{}.onnx": {} is the weights' name without suffix
  std::string_view description;             ///< one line
  /// Names of settings that change the file, besides weights, include, out, img-size, batch-size,
  /// device, images, data, split, accuracy-budget and no-verify, which every format honours unless
  /// without_effect names it.
  std::vector<std::string_view> options = {};
  /// Accepted, and said to change nothing: the file is already what the option asks for, or the
  /// format cannot be what it asks for.
  std::vector<WithoutEffect> without_effect = {};
  /// What uses the file, as a line for a shell; none: yolov7 detect.
  std::string (*command)(const ExportModel&, const ExportOptions&,
                         const std::filesystem::path&) = nullptr;
  WriteFormat write = nullptr;
  /// What is still to be done to have the format itself, where the file is only what it is built
  /// from; empty: the file is the format.
  std::string_view not_built = {};
  /// Of a format that nothing here runs, and whose files of --int8 hold weights alone in 8 bits
  /// (nothing is calibrated): the weights as the file has them. None: a format of another kind.
  network::Weights (*read_weights)(const std::filesystem::path&,
                                   const network::NetworkAndWeights& like) = nullptr;
  bool readable = false;     ///< OpenVINO, or LibTorch, reads it back
  bool by_libtorch = false;  ///< written and read by ExportModel::script_library
  bool holds_names = true;   ///< class names are part of it
};

/// Whose suppression stands in the format's file of this model, where nothing here runs it
/// ("TensorRT's", "TensorFlow's"): what leads to it is what can be compared. Empty: none, or one
/// that is run.
std::string_view suppression_not_run(const Format& format, const ExportModel& model);

std::span<const Format> formats();
/// Error (usage): unknown, with the nearest name.
const Format& format(std::string_view name_or_spelling);
std::vector<std::string> format_names();
/// Of --include: blanks and commas separate, "all" is all of them; each once, in the
/// order of the table.
std::vector<const Format*> chosen_formats(const std::vector<std::string>& include);
/// Which of the given options (names of settings) do nothing for which chosen format, a line each.
/// `suppression`: boxes are suppressed in the graph; else the thresholds have nothing to act on,
/// but for those that OpenVINO's metadata tell its readers. `qdq`: what --qdq is. Error (usage): no
/// chosen format honours one.
std::vector<std::string> options_without_effect(std::span<const Format* const> chosen,
                                                const std::vector<std::string>& given,
                                                bool suppression = true, std::string_view qdq = {});
bool honours(const Format& format, std::string_view option);

}  // namespace yolov7::exporting
