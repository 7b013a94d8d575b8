#pragma once
// Descriptions that are no file: "store:NAME@ID" means a version of a data set.
#include <filesystem>
#include <string>
#include <string_view>

namespace yolov7::dataset {

/// From now on read_description() hands names that begin with `prefix` to `description_of`, which
/// gives the data.yaml behind them. Installed once, by the program; `prefix` is kept as it is.
void install_store_reader(std::string_view prefix,
                          std::filesystem::path (*description_of)(const std::string& name));

}  // namespace yolov7::dataset
