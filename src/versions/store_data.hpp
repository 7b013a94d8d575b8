#pragma once
// "store:NAME@ID" where a data.yaml is wanted (data-services E7).
#include <filesystem>
#include <stop_token>
#include <string>

namespace yolov7::versions {

/// Whether it begins with "store:".
bool is_store_name(const std::string& data);
/// Behind "store:".
std::string reference_of(const std::string& data);
/// "store:NAME@<64 digits>", so that what is kept of a run stays exact. Errors: no store, no such
/// version.
std::string full_store_name(const std::string& data);
/// The data.yaml of a checkout of that version inside the store. It is made where there is none;
/// one that is there is compared with the version, file by file where sizes or times changed.
/// Errors: no store, no such version, a checkout that was changed (the first difference is named).
std::filesystem::path store_description(const std::string& data);
/// dataset::read_description() takes such names from now on. `stop` ends a checkout.
void read_data_from_stores(const std::stop_token& stop = {});

}  // namespace yolov7::versions
