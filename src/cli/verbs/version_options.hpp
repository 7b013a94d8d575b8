#pragma once
// What the parts of `yolov7 dataset version` share.
#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/settings.hpp"
#include "versions/store.hpp"

namespace yolov7::cli {

/// --store.
Setting store_setting(std::string& store);
versions::Store open_store(const std::string& given);
/// "expected NAME or NAME@ID, found none".
void require_reference(std::string_view part, const std::string& reference);
nlohmann::json entry_json(const versions::Entry& entry);
/// "blood@v3 (0123456789ab): 364 images, 4888 boxes, 2 images not annotated"
std::string entry_line(const versions::Entry& entry);
/// "12 hard links, 3 copies (1.2 MiB)"
std::string transfer_text(const std::array<std::size_t, 4>& by_transfer);
nlohmann::json transfer_json(const std::array<std::size_t, 4>& by_transfer);
/// At most ten of them as warnings, and how many more there are.
void warn_of(const std::vector<std::string>& list, const std::string& what);

}  // namespace yolov7::cli
