// yolov7 dataset version, as a user calls it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// A BMP of 16 × 16 pixels of one gray level.
std::string bitmap(char shade) {
  std::string bytes("BM\x36\x03\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x10\0\0\0\x10\0\0\0\1\0\x18\0", 30);
  return bytes + std::string(24, '\0') + std::string(16 * 16 * 3, shade);
}

class DatasetVersion : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < 6; ++i) {
      const std::string place = (i < 4 ? "train/" : "val/") + std::to_string(i);
      scratch.write("data/images/" + place + ".bmp", bitmap(static_cast<char>(i)));
      scratch.write("data/labels/" + place + ".txt", "0 0.5 0.5 0.5 0.5\n");
    }
    scratch.write("data/data.yaml", "train: images/train\nval: images/val\nnames: [cell]\n");
  }
  /// In the scratch folder, where the store is made.
  Outcome version(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"dataset", "version"});
    return run(arguments, scratch.path());
  }
  json result(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const Outcome outcome = version(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.code == 0 ? json::parse(outcome.out) : json();
  }
  ScratchFolder scratch;
};

TEST_F(DatasetVersion, FromFolderToFolder) {
  const Outcome made =
      version({"create", "data/data.yaml", "--name", "cells", "--message", "first"});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_TRUE(has(made.out, "cells@v1 (")) << made.out;
  EXPECT_TRUE(has(made.out, "6 images, 6 boxes")) << made.out;
  EXPECT_TRUE(fs::exists(scratch / ".yolov7/versions.sqlite"));
  scratch.write("data/labels/train/0.txt", "0 0.5 0.5 0.5 0.5\n0 0.25 0.25 0.125 0.125\n");
  const json second = result({"create", "data/data.yaml", "--name", "cells"});
  EXPECT_EQ(second["number"], 2);
  EXPECT_EQ(second["bytes_copied"], 0);
  const json list = result({"list"});
  ASSERT_EQ(list["versions"].size(), 2u);
  EXPECT_EQ(list["versions"][0]["message"], "first");
  EXPECT_EQ(list["versions"][1]["parents"][0], list["versions"][0]["id"]);
  const json show = result({"show", "cells@v2", "--files"});
  EXPECT_EQ(show["splits"]["train"]["boxes"], 5);
  EXPECT_EQ(show["classes"][0]["boxes"], 7);
  EXPECT_EQ(show["files"].size(), 6u);
  const Outcome diff = version({"diff", "cells@v1", "cells"});
  EXPECT_TRUE(has(diff.out, "boxes: 1 added")) << diff.out;
  EXPECT_TRUE(has(diff.out, "images/train/0.bmp (1 added)")) << diff.out;
  const Outcome out = version({"checkout", "cells@v1", "--out", "old"});
  ASSERT_EQ(out.code, 0) << out.err;
  EXPECT_EQ(scratch.read("old/labels/train/0.txt"), "0 0.5 0.5 0.5 0.5\n");
  const json again = result({"create", "old/data.yaml", "--name", "again"});
  EXPECT_EQ(again["id"], list["versions"][0]["id"]);
  const json against = result({"diff", "cells@v1", "--data", "data/data.yaml"});
  EXPECT_EQ(against["boxes"]["added"], 1);
}

TEST_F(DatasetVersion, StoreNamesAreTakenAsData) {
  const json made = result({"create", "data/data.yaml", "--name", "cells"});
  const Outcome checked =
      run({"dataset", "check", "--data", "store:cells", "--json"}, scratch.path());
  ASSERT_EQ(checked.code, 0) << checked.err;
  EXPECT_EQ(json::parse(checked.out)["splits"]["train"]["boxes"], 4);
  const Outcome none = run({"dataset", "check", "--data", "store:blood"}, scratch.path());
  EXPECT_EQ(none.code, 1);
  EXPECT_TRUE(has(none.err, "'blood', which is none")) << none.err;
  const fs::path label =
      scratch / (".yolov7/checkouts/" + made["id"].get<std::string>() + "/labels/train/0.txt");
  fs::remove(label);
  write_text(label, "0 0.5 0.5 0.25 0.5\n");
  const Outcome changed = run({"dataset", "check", "--data", "store:cells"}, scratch.path());
  EXPECT_EQ(changed.code, 1);
  EXPECT_TRUE(has(changed.err, "expected the files of cells@v1")) << changed.err;
}

TEST_F(DatasetVersion, VerifyAndGc) {
  result({"create", "data/data.yaml", "--name", "cells"});
  EXPECT_EQ(result({"verify"})["damages"].size(), 0u);
  scratch.write("data/images/train/new.bmp", bitmap(50));
  result({"create", "data/data.yaml", "--name", "cells"});
  const json dry = result({"gc", "--drop", "cells@v2", "--dry-run"});
  EXPECT_EQ(dry["images"], 1);
  EXPECT_EQ(result({"list", "cells"})["versions"].size(), 2u);
  EXPECT_EQ(result({"gc", "--drop", "cells@v2"})["images"], 1);
  fs::path object;
  for (const auto& entry : fs::recursive_directory_iterator(scratch / ".yolov7/objects"))
    if (entry.is_regular_file()) object = entry.path();
  fs::remove(object);
  const Outcome verified = version({"verify"});
  EXPECT_EQ(verified.code, 1);
  EXPECT_TRUE(has(verified.err, "needed by cells@v1")) << verified.err;
  EXPECT_TRUE(has(verified.out, "1 damaged or gone")) << verified.out;
}

TEST_F(DatasetVersion, BundleRecipeMergeAndWhich) {
  const json first = result({"create", "data/data.yaml", "--name", "cells"});
  const json bundle = result({"bundle", "cells", "--out", "cells.tar"});
  EXPECT_EQ(bundle["images"], 6);
  const json in = result({"bundle", "--import", "cells.tar", "--store", "second"});
  EXPECT_EQ(in["versions"][0]["id"], first["id"]);
  scratch.write("recipe.yaml", "steps:\n  - remap: {cell: thing}\n");
  const json derived =
      result({"create", "--recipe", "recipe.yaml", "--of", "cells", "--name", "things"});
  const json recreated = result({"verify", "things", "--recreate"});
  EXPECT_EQ(recreated["recreated"][0]["same"], true);
  scratch.write("data/labels/train/0.txt", "");
  result({"create", "data/data.yaml", "--name", "cells"});
  const json merged = result({"merge", "cells", "things"});
  EXPECT_EQ(merged["conflicts"].size(), 0u);
  EXPECT_EQ(merged["version"]["boxes"], 5);
  const json where = result({"which", "data/images/train/0.bmp"});
  EXPECT_EQ(where["versions"].size(), 4u);  // cells 1 to 3, things 1
  EXPECT_EQ(result({"which", "cells@v1"})["made"].size(), 0u);
  scratch.write("strange.pt", "x");
  const Outcome strange = version({"which", "strange.pt"});
  EXPECT_EQ(strange.code, 1);
  EXPECT_TRUE(has(strange.err, "knows nothing of this file")) << strange.err;
}

TEST_F(DatasetVersion, WrongCallsAreNamed) {
  EXPECT_EQ(version({}).code, 2);
  EXPECT_TRUE(has(version({"creat"}).err, "did you mean 'create'"));
  EXPECT_EQ(version({"create"}).code, 2);
  EXPECT_EQ(version({"show"}).code, 2);
  EXPECT_EQ(version({"diff", "a"}).code, 2);
  EXPECT_EQ(version({"checkout", "a"}).code, 2);
  EXPECT_EQ(version({"bundle", "a"}).code, 2);
  EXPECT_EQ(version({"merge", "a"}).code, 2);
  EXPECT_EQ(version({"which"}).code, 2);
  const Outcome none = version({"list"});
  EXPECT_EQ(none.code, 1);
  EXPECT_TRUE(has(none.err, "expected a version store")) << none.err;
  EXPECT_TRUE(has(version({"--help"}).out, "checkout"));
}

}  // namespace
}  // namespace yolov7::test
