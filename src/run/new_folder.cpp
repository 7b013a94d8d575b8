#include "run/new_folder.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <system_error>

namespace yolov7::run {
namespace {

namespace fs = std::filesystem;

/// Names of the files that a run may write before its first batch is trained.
bool is_written_before_the_first_batch(const std::string& name) {
  static constexpr std::array<std::string_view, 14> names{
      ".lock",           "data_account.json",
      "hyp.yaml",        "opt.yaml",
      "results.csv",     "results.txt",
      "train_data.txt",  "transfer_plan.svg",
      "labels.png",      "labels_correlogram.png",
      "weights",         "weights/init.pt",
      "weights/last.pt", "weights/last.previous.pt"};
  return std::find(names.begin(), names.end(), name) != names.end() ||
         name.starts_with("events.out.tfevents.") || name.starts_with("mlflow.sqlite") ||
         name.starts_with("train_batch");
}

}  // namespace

NewFolder::~NewFolder() {
  if (folder_.empty()) return;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error))
    if (!is_written_before_the_first_batch(
            entry->path().lexically_relative(folder_).generic_string()))
      return;
  if (!error) fs::remove_all(folder_, error);
}

}  // namespace yolov7::run
