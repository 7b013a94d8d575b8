#include "run/used_folder.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::run {
namespace {

namespace fs = std::filesystem;

class UsedFolder : public testing::Test {
 protected:
  void SetUp() override {
    test::write_text(folder / "weights/best.pt", "trained");
    test::write_text(folder / "hyp.yaml", "lr0: 0.01");
    test::write_text(scratch / "start.pt", "start");
  }
  std::string refusal(const std::vector<NamedInput>& inputs) const {
    try {
      require_inputs_elsewhere(folder, inputs);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::usage);
      return error.what();
    }
    return "";
  }
  test::ScratchFolder scratch;
  const fs::path folder = scratch / "exp";
};

TEST_F(UsedFolder, InputsOutsideAndThoseThatDoNotExistAreFine) {
  EXPECT_EQ(refusal({{scratch / "start.pt", "--weights"}, {"", "--cfg"}, {"yolov7.yaml", "--cfg"}}),
            "");
}

TEST_F(UsedFolder, AnInputInTheFolderIsRefused) {
  EXPECT_EQ(
      refusal({{folder / "weights/best.pt", "--weights"}}),
      (folder / "weights/best.pt").string() +
          ": expected another file than --weights, found the same; an input is never replaced");
  EXPECT_NE(refusal({{folder / "hyp.yaml", "--hyp"}}).find("another file than --hyp"),
            std::string::npos);
}

TEST_F(UsedFolder, LinksOfBothKindsAreSeen) {
  fs::create_symlink(folder / "weights/best.pt", scratch / "link.pt");
  EXPECT_NE(refusal({{scratch / "link.pt", "--weights"}}), "");
  fs::create_hard_link(folder / "hyp.yaml", scratch / "hard.yaml");
  EXPECT_NE(refusal({{scratch / "hard.yaml", "--hyp"}}), "");
  fs::create_symlink(scratch / "start.pt", folder / "weights/last.pt");
  EXPECT_NE(refusal({{scratch / "start.pt", "--weights"}}), "");
}

TEST_F(UsedFolder, ImagesAndLabelsOfASplit) {
  dataset::Index index;
  test::write_text(scratch / "images/a.jpg", "image");
  index.entries.push_back({scratch / "images/a.jpg", 10, 10, {}, false, "hash"});
  require_images_elsewhere(folder, index);
  test::write_text(folder / "train_batch0.jpg", "sheet");
  test::write_text(folder / "train_batch0.txt", "0 .5 .5 .1 .1");
  index.entries.push_back({folder / "train_batch0.jpg", 10, 10, {}, false, "hash"});
  EXPECT_THROW(require_images_elsewhere(folder, index), Error);
  // The label file alone: the image is a link to a file elsewhere.
  index.entries.back() = {scratch / "train_batch0.jpg", 10, 10, {}, true, "hash"};
  test::write_text(scratch / "train_batch0.jpg", "image");
  fs::create_symlink(folder / "train_batch0.txt", scratch / "train_batch0.txt");
  EXPECT_THROW(require_images_elsewhere(folder, index), Error);
  // A folder without files replaces nothing.
  fs::create_directories(scratch / "new/weights");
  require_images_elsewhere(scratch / "new", index);
}

}  // namespace
}  // namespace yolov7::run
