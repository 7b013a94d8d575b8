// What comes from which version, and "store:NAME@ID" as a data set.
#include "versions/lineage.hpp"

#include <cstdlib>

#include "dataset/index/description.hpp"
#include "dataset/index/read_index.hpp"
#include "tests/versions/version_fixture.hpp"
#include "versions/store_data.hpp"

namespace yolov7::versions {
namespace {

class Lineage : public VersionFixture {
 protected:
  void SetUp() override {
    write_set();
    made_ = commit();
    ::setenv("YOLOV7_STORE", (scratch / "store").c_str(), 1);
  }
  void TearDown() override { ::unsetenv("YOLOV7_STORE"); }
  Created made_;
};

TEST_F(Lineage, BothDirections) {
  scratch.write("best.pt", "weights");
  scratch.write("best.onnx", "graph");
  const std::string data = full_store_name("store:pets");
  EXPECT_EQ(data, "store:pets@" + hex(made_.entry.id));
  record_model(scratch / "best.pt", "checkpoint", {}, data);
  record_model(scratch / "best.pt", "checkpoint", {}, data);  // once more is the same record
  record_model(scratch / "best.onnx", "export", scratch / "best.pt", {});
  Store from = store();
  const auto all = made_of_version(from, made_.entry.id);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].kind, "checkpoint");
  EXPECT_EQ(all[1].kind, "export");
  EXPECT_EQ(all[1].made_from, sha256_digest("weights"));
  const auto behind = made_with_hash(from, sha256_digest("graph"));
  ASSERT_EQ(behind.size(), 1u);
  EXPECT_EQ(behind[0].id, made_.entry.id);
}

TEST_F(Lineage, StrangersAreNotRecorded) {
  scratch.write("other.pt", "other weights");
  scratch.write("other.onnx", "graph");
  record_model(scratch / "other.onnx", "export", scratch / "other.pt", "data.yaml");
  Store from = store();
  EXPECT_TRUE(made_of_version(from, made_.entry.id).empty());
  const std::string said = test::messages_of(
      [&] { record_model(scratch / "other.onnx", "export", scratch / "none.pt", {}); });
  EXPECT_NE(said.find("the version store does not know of"), std::string::npos);
}

TEST_F(Lineage, WhereAnImageIs) {
  fs::remove(scratch / "data/images/train/0.bmp");
  commit();
  Store from = store();
  const auto uses = uses_of_image(from, sha256_digest(bitmap(0)));
  ASSERT_EQ(uses.size(), 1u);
  EXPECT_EQ(uses[0].entry.number, 1);
  EXPECT_EQ(uses[0].items.at(0).path, "images/train/0.bmp");
  EXPECT_EQ(uses_of_image(from, sha256_digest(bitmap(1))).size(), 2u);
}

TEST_F(Lineage, StoreNamesAreDataSets) {
  read_data_from_stores();
  const dataset::Description description = dataset::read_description("store:pets@v1");
  EXPECT_EQ(description.names, (std::vector<std::string>{"cat", "dog"}));
  const dataset::Index train = dataset::read_index(description, "train", {});
  EXPECT_EQ(train.entries.size(), 6u);
  EXPECT_EQ(train.label_count(), 6u);
  // The folder itself has the same images and labels.
  const dataset::Index own =
      dataset::read_index(dataset::read_description(scratch / "data/data.yaml"), "train", {});
  EXPECT_EQ(train.identity, own.identity);
  // The second time it is there and looked over.
  EXPECT_EQ(dataset::read_description("store:pets@v1").file, description.file);
  EXPECT_NE(test::error_of([] { dataset::read_description("store:pets@v7"); }).find("pets@v7"),
            std::string::npos);
}

// A training must not learn from files that are no longer the version.
TEST_F(Lineage, ChangedCheckoutIsRefused) {
  const fs::path folder = store_description("store:pets@v1").parent_path();
  const fs::path label = folder / "labels/train/0.txt";
  EXPECT_EQ(fs::status(label).permissions() & fs::perms::owner_write, fs::perms::none);
  fs::remove(label);
  test::write_text(label, row(1, 0.5));
  const std::string said = test::error_of([] { store_description("store:pets@v1"); });
  EXPECT_NE(said.find("images/train/0.bmp (1 re-classed)"), std::string::npos) << said;
}

TEST_F(Lineage, OtherFormatsToo) {
  scratch.write("coco/0.bmp", bitmap(0));
  scratch.write("coco/annotations.json",
                R"({"images":[{"id":7,"file_name":"0.bmp","width":16,"height":16}],)"
                R"("categories":[{"id":3,"name":"cat"}],"annotations":[{"id":1,"image_id":7,)"
                R"("category_id":3,"bbox":[2,4,8,4],"area":32,"iscrowd":0,"segmentation":[]}]})");
  CreateOptions o = options();
  o.source = scratch / "coco", o.from = "coco", o.name = "coco";
  create(o);
  const fs::path file = store_description("store:coco");
  EXPECT_EQ(store_description("store:coco"), file);
  const dataset::Index train = dataset::read_index(dataset::read_description(file), "train", {});
  ASSERT_EQ(train.label_count(), 1u);
  EXPECT_NEAR(train.entries[0].labels[0].box.cx, 6.0 / 16, 1e-6);
}

}  // namespace
}  // namespace yolov7::versions
