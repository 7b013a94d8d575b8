#include "core/version.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <sstream>

namespace yolov7 {
namespace {

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(std::string(YOLOV7_SOURCE_DIR) + "/" + path).rdbuf();
  return text.str();
}

TEST(Version, IsTheOneOfTheProject) {
  std::smatch found;
  const std::string project = text_of("CMakeLists.txt");
  ASSERT_TRUE(
      std::regex_search(project, found, std::regex(R"(project\(yolov7\.cpp VERSION ([0-9.]+))")));
  EXPECT_EQ(program_version(), found[1].str());
}

TEST(Version, IsTheNewestOfTheChangelog) {
  std::smatch found;
  const std::string changes = text_of("CHANGELOG.md");
  ASSERT_TRUE(std::regex_search(changes, found, std::regex(R"(\n## ([0-9]+\.[0-9]+\.[0-9]+))")));
  EXPECT_EQ(program_version(), found[1].str());
}

}  // namespace
}  // namespace yolov7
