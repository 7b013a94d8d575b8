#include "core/setting_name.hpp"

#include <atomic>

namespace yolov7 {
namespace {

std::atomic<SettingSpelling> installed = nullptr;

}  // namespace

SettingSpelling install_setting_spelling(SettingSpelling spelling) {
  return installed.exchange(spelling);
}

std::string setting_name(std::string_view key) {
  const SettingSpelling spelling = installed;
  return spelling != nullptr ? spelling(key) : std::string(key);
}

}  // namespace yolov7
