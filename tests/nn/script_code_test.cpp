#include "nn/script_code.hpp"

#include <gtest/gtest.h>
#include <torch/csrc/jit/api/module.h>

#include "kernels/torch.hpp"
#include "nn/torchscript.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::nn {

TEST(ScriptCode, WordsThatReachOutOfANetwork) {
  EXPECT_EQ(outward_word("x = torch.conv2d(y, self.weight)\nreturn ops.prim.NumToTensor(3)"), "");
  EXPECT_EQ(outward_word("saved = self.save_as.loaded"), "") << "parts of words";
  EXPECT_EQ(outward_word("torch . save(x, \"/home/me/file\")"), "save");
  EXPECT_EQ(outward_word("x = torch.from_file(\"/etc/passwd\")"), "from_file");
  EXPECT_EQ(outward_word("def __setstate__(self, state):"), "__setstate__");
  EXPECT_EQ(outward_word("ops.torchvision.nms(x)"), "ops.torchvision");
  EXPECT_EQ(outward_word("ops"), "ops.");
}

// The file that it would write is not there afterwards.
TEST(ScriptCode, AFileThatWritesIsNotRun) {
  const test::ScratchFolder folder;
  const std::string target = (folder / "written").string();
  torch::jit::Module module("writer");
  module.define("def forward(self, x: Tensor):\n    torch.save(x, \"" + target +
                "\")\n    return torch.reshape(x, [-1])[:700].reshape([1, 100, 7])\n");
  module.save((folder / "x.torchscript").string());
  const std::string error = test::error_of([&] { open_script(folder / "x.torchscript", {}); });
  EXPECT_NE(error.find("expected the code of a network, found 'save'"), std::string::npos) << error;
  EXPECT_FALSE(std::filesystem::exists(target));
}

}  // namespace yolov7::nn
