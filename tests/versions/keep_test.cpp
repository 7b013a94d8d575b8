// verify and gc.
#include "tests/versions/version_fixture.hpp"
#include "versions/checkout.hpp"
#include "versions/collect.hpp"
#include "versions/recipe.hpp"
#include "versions/verify.hpp"

namespace yolov7::versions {
namespace {

class Keep : public VersionFixture {
 protected:
  Verified verified() {
    Store from = store();
    return verify(from, {{}, 2, {}});
  }
  Collected collected(const std::vector<std::string>& drop, bool dry_run = false) {
    Store from = store();
    return collect_garbage(from, {drop, dry_run, {}});
  }
};

TEST_F(Keep, WholeStoreIsWhole) {
  write_set();
  commit();
  const Verified done = verified();
  EXPECT_EQ(done.versions, 1u);
  EXPECT_EQ(done.objects, 8u);
  EXPECT_EQ(done.bytes, 8 * bitmap(0).size());
  // Root, classes, one page or more, two different annotations.
  EXPECT_GE(done.texts, 5u);
  EXPECT_TRUE(done.damages.empty());
}

TEST_F(Keep, DamageIsNamedWithWhatItTakesAlong) {
  write_set();
  commit();
  Store from = store();
  const fs::path gone = from.objects().path_of(sha256_digest(bitmap(1)));
  const fs::path changed = from.objects().path_of(sha256_digest(bitmap(2)));
  fs::remove(gone);
  fs::remove(changed);
  test::write_text(changed, bitmap(3));
  from.database().run(
      "UPDATE text SET content = CAST('yolo' || char(10) AS BLOB) WHERE content = "
      "CAST('yolo' || char(10) || '1 0.5 0.5 0.25 0.25' || char(10) AS BLOB)");
  const Verified done = verified();
  ASSERT_EQ(done.damages.size(), 3u);
  std::size_t named = 0;
  for (const Damage& one : done.damages) {
    EXPECT_EQ(one.versions.size(), 1u);
    named += one.paths == std::vector<std::string>{"images/train/1.bmp"};
    named += one.paths == std::vector<std::string>{"images/train/2.bmp"};
    named += one.what.find("text") != std::string::npos && one.paths.size() == 4;
  }
  EXPECT_EQ(named, 3u);
}

TEST_F(Keep, RemovesWhatNoVersionNeeds) {
  write_set();
  const Created first = commit();
  scratch.write("data/images/train/new.bmp", bitmap(70));
  scratch.write("data/labels/train/new.txt", row(1, 0.125));
  const Created second = commit();
  EXPECT_EQ(collected({}).objects, 0u);
  const Collected dry = collected({"pets@v2"}, true);
  EXPECT_EQ(dry.dropped.size(), 1u);
  EXPECT_EQ(dry.objects, 1u);
  EXPECT_EQ(store().history().size(), 2u);
  const Collected done = collected({"pets@v2"});
  EXPECT_EQ(done.objects, 1u);
  EXPECT_EQ(done.objects_of_others, 1u);  // the image itself is there still
  EXPECT_EQ(done.object_bytes, bitmap(70).size());
  EXPECT_EQ(done.texts, dry.texts);
  EXPECT_GE(done.texts, 3u);  // annotation, page, root
  EXPECT_EQ(store().history().size(), 1u);
  EXPECT_TRUE(verified().damages.empty());
  EXPECT_EQ(scratch.read("data/images/train/new.bmp"), bitmap(70));
  // What was dropped comes again, under a number that was never used.
  const Created again = commit();
  EXPECT_EQ(again.entry.id, second.entry.id);
  EXPECT_EQ(again.entry.number, 3);
  EXPECT_TRUE(verified().damages.empty());
}

TEST_F(Keep, VersionThatAModelWasMadeFromStays) {
  write_set();
  const Created first = commit();
  scratch.write("data/labels/train/3.txt", row(1, 0.25));
  commit();
  Store from = store();
  Statement(from.database(),
            "INSERT INTO lineage (id, kind, path, created) VALUES (?, 'run', 'runs/exp', '')")
      .bind(0, first.entry.id)
      .run();
  EXPECT_NE(test::error_of([&] { collected({"pets@v1"}); }).find("the run runs/exp was"),
            std::string::npos);
  EXPECT_EQ(from.history().size(), 2u);
}

TEST_F(Keep, AParentOfARecipeStaysWithWhatWasMadeOfIt) {
  write_set();
  commit();
  Store from = store();
  const fs::path recipe =
      scratch.write("recipe.yaml", "seed: 1\nsteps:\n  - split: {train: 50, val: 50}\n");
  derive(from, {"pets@v1", recipe, "halves", "", "somebody", {1, {}}});
  const std::string error = test::error_of([&] { collected({"pets@v1"}); });
  EXPECT_NE(error.find("pets@v1"), std::string::npos) << error;
  EXPECT_NE(error.find("a recipe made halves@v1"), std::string::npos) << error;
  EXPECT_EQ(store().history().size(), 2u);
  EXPECT_EQ(collected({"pets@v1", "halves"}).dropped.size(), 2u);
}

TEST_F(Keep, FilesOfKilledProcessesGo) {
  write_set();
  commit();
  scratch.write("store/objects/.1.2.tmp", "half");
  Store from = store();
  test::write_text(from.objects().path_of(sha256_digest("orphan")), "orphan");
  const Collected done = collected({});
  EXPECT_EQ(done.leftovers, 1u);
  EXPECT_EQ(done.objects, 1u);
  EXPECT_FALSE(fs::exists(scratch / "store/objects/.1.2.tmp"));
  EXPECT_TRUE(verified().damages.empty());
}

TEST_F(Keep, SomethingElseIsNoStore) {
  EXPECT_NE(test::error_of([&] { Store::open(scratch.path()); }).find("expected a version store"),
            std::string::npos);
  scratch.write("bad/versions.sqlite", std::string(5000, 'x'));
  EXPECT_NE(test::error_of([&] { Store::open(scratch / "bad"); }).find("expected the database"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::versions
