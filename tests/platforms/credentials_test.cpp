// Where keys come from, and that no message shows one.
#include "platforms/credentials.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/error.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::platforms {
namespace {

class Credentials : public testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("TEST_KEY");
    ::unsetenv("TEST_OLD_KEY");
    ::setenv("YOLOV7_CREDENTIALS", file.c_str(), 1);
  }
  void TearDown() override {
    ::unsetenv("TEST_KEY");
    ::unsetenv("TEST_OLD_KEY");
    ::unsetenv("YOLOV7_CREDENTIALS");
  }
  void write(const std::string& text, mode_t mode = 0600) {
    test::write_text(file, text);
    ::chmod(file.c_str(), mode);
  }
  std::string key(const std::string& service = "roboflow", const std::string& origin = "") {
    return find_credential(service, origin, {"TEST_KEY", "TEST_OLD_KEY"}).value;
  }
  std::string fault(const std::string& service = "roboflow", const std::string& origin = "") {
    return test::error_of([&] { key(service, origin); });
  }
  void expect_fault(const std::string& part) {
    const std::string said = fault();
    EXPECT_NE(said.find(part), std::string::npos) << said;
    EXPECT_EQ(said.find("s3cret"), std::string::npos) << said;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
  test::ScratchFolder folder;
  std::filesystem::path file = folder / "credentials";
};

TEST_F(Credentials, TheFirstVariableThatIsSetWins) {
  ::setenv("TEST_OLD_KEY", "old", 1);
  EXPECT_EQ(key(), "old");
  ::setenv("TEST_KEY", "new", 1);
  EXPECT_EQ(key(), "new");
  ::setenv("TEST_KEY", "", 1);
  EXPECT_EQ(key(), "old");
}

TEST_F(Credentials, TheFileHasAServiceAndAnAddress) {
  write(
      "# keys\n\nroboflow s3cret1  # mine\nlabel-studio https://a:8080 s3cret2\r\n"
      "label-studio https://b s3cret3\n");
  EXPECT_EQ(key(), "s3cret1");
  EXPECT_EQ(key("label-studio", "https://b"), "s3cret3");
  EXPECT_EQ(key("label-studio", "https://a:8080"), "s3cret2");
  // A key of one server never goes to another one.
  EXPECT_NE(fault("label-studio", "https://c").find("expected a key in TEST_KEY"),
            std::string::npos);
  EXPECT_NE(fault("label-studio", "http://b").find("found none"), std::string::npos);
  EXPECT_EQ(optional_credential("cvat", "https://c", {"TEST_KEY"}).value, "");
  EXPECT_EQ(find_credential("roboflow", "", {"TEST_KEY"}).from, file.string() + ":3");
}

TEST_F(Credentials, OthersMayNotReadIt) {
  for (const mode_t mode : {0640, 0604, 0622, 0660}) {
    write("roboflow s3cret\n", mode);
    expect_fault("expected mode 600");
  }
  write("roboflow s3cret\n", 0400);
  EXPECT_EQ(key(), "s3cret");
}

TEST_F(Credentials, ABadFileIsNamedAndNotShown) {
  expect_fault("found none");
  write("other s3cret\nroboflow\n");
  expect_fault("credentials:2: expected SERVICE KEY");
  write("roboflow s3cret with blanks\n");
  expect_fault("credentials:1: expected SERVICE KEY");
  write("roboflow s3c\x01ret\n");
  expect_fault("without blanks and control characters");
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  expect_fault("expected a file with keys");
  std::filesystem::remove(file);
  ::setenv("TEST_KEY", "s3cret\nX-Other: 1", 1);
  expect_fault("TEST_KEY: expected a key without blanks");
}

}  // namespace
}  // namespace yolov7::platforms
