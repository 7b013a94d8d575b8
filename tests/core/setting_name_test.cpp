#include "core/setting_name.hpp"

#include <gtest/gtest.h>

namespace yolov7 {
namespace {

TEST(SettingName, IsTheKeyUntilAFrontEndSpellsIt) {
  EXPECT_EQ(setting_name("batch-size"), "batch-size");
  EXPECT_EQ(install_setting_spelling([](std::string_view key) { return "--" + std::string(key); }),
            nullptr);
  EXPECT_EQ(setting_name("batch-size"), "--batch-size");
  EXPECT_NE(install_setting_spelling(nullptr), nullptr);
  EXPECT_EQ(setting_name("save_period"), "save_period");
}

}  // namespace
}  // namespace yolov7
