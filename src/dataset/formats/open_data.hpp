#pragma once
// The data of training and validation, whatever format they are in.
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "dataset/index/description.hpp"
#include "dataset/index/examination.hpp"

namespace yolov7::dataset {

struct Conversion;

struct OpenDataOptions {
  bool recheck = false;  ///< read every image again, whatever the cache says
  bool strict = false;   ///< anything that is dropped is an Error
  int threads = 0;       ///< 0 = usable cores
  std::stop_token stop = {};
  const ImageLooks* looks = nullptr;  ///< asked while images of annotations are decoded
  /// Takes the account of annotations in another format than data.yaml. It is then not said through
  /// log: whoever asks for it says it.
  Conversion* account = nullptr;
};

/// `data`: a data.yaml; or a folder, or one annotation file, in any format that is read;
/// "FORMAT:PATH" names the format where the files could be of several. A folder with a data.yaml
/// that leads to its images is read by it. Else Description::ready holds what `dataset convert`
/// would write as YOLO text, label by label, while every image stays where it is: splits, classes,
/// drops, clipping and fallbacks by the same rules, said through log and kept in
/// ReadySet::account. Where there is no val split, the training images stand in for it, with a
/// warning. Errors: as of read_description() and convert(); stopped_error().
Description open_data(const std::string& data, const OpenDataOptions& options = {});

/// Where data are: the format that "FORMAT:PATH" names, else "auto", and the path.
struct DataAddress {
  std::string format = "auto";
  std::filesystem::path path;
};
DataAddress data_address(const std::string& data);
/// The data.yaml that is meant: the file itself, or that of a folder, where its paths lead to
/// images (else a warning). Nothing: annotations of another format. Errors: the file is no
/// description of a data set, or a wrong one, wherever it lies; what open_data() says of paths.
std::optional<Description> find_description(const DataAddress& address);
/// Where images are unpacked that stand inside annotation files: in the user's cache folder.
std::filesystem::path unpack_folder(const std::filesystem::path& source);

/// `data` as a path that holds from any folder; "FORMAT:" stays in front. What does not exist is
/// left as it is.
std::string absolute_data(const std::string& data);

}  // namespace yolov7::dataset
