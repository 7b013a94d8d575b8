#include "core/settings.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/value.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

struct Options {
  int batch_size = 16;
  double conf_thres = 0.25;
  bool save_txt = false, save_conf = false;
  std::string task = "val";
  std::vector<int> img_size{640, 640};
  std::vector<std::string> weights;
};

Settings table(Options& o) {
  return Settings{
      "demo",
      {setting("batch-size", o.batch_size, "batch").range(1, 1024),
       setting("conf-thres", o.conf_thres, "threshold").range(0, 1),
       setting("save-txt", o.save_txt, "labels"), setting("save_conf", o.save_conf, "scores"),
       setting("task", o.task, "split").choices({"val", "test"}),
       setting("img-size", o.img_size, "sides"), setting("weights", o.weights, "files")}};
}

TEST(Settings, NamesAreFoundByPrefixAndEitherDash) {
  Options o;
  const Settings s = table(o);
  EXPECT_EQ(s.resolve("batch-size").name, "batch-size");
  EXPECT_EQ(s.resolve("batch_size").name, "batch-size");
  EXPECT_EQ(s.resolve("save-conf").name, "save_conf");
  EXPECT_EQ(s.resolve("img").name, "img-size");
  EXPECT_EQ(test::error_of([&] { s.resolve("save"); }),
            "demo: 'save' is ambiguous: save-txt, save_conf");
  EXPECT_EQ(test::error_of([&] { s.resolve("wieghts"); }),
            "demo: unknown option wieghts, did you mean weights?");
  EXPECT_EQ(test::error_of([&] { s.resolve("bogus"); }),
            "demo: unknown option bogus; help all shows all");
}

TEST(Settings, ValuesAreChecked) {
  Options o;
  const Settings s = table(o);
  s.resolve("batch-size").assign({"32"}, "--batch");
  EXPECT_EQ(o.batch_size, 32);
  EXPECT_EQ(test::error_of([&] { s.resolve("batch-size").assign({"0"}, "--batch"); }),
            "--batch: expected a whole number in 1..1024, found '0'");
  EXPECT_EQ(test::error_of([&] { s.resolve("conf-thres").assign({"nan"}, "--conf"); }),
            "--conf: expected a number in 0..1, found 'nan'");
  EXPECT_EQ(test::error_of([&] { s.resolve("task").assign({"valid"}, "--task"); }),
            "--task: expected one of val, test, found 'valid'");
  EXPECT_EQ(test::error_of([&] {
              s.resolve("task").assign({"val", "test"}, "--task");
            }),
            "--task: expected one value, found 'val test'");
  s.resolve("img-size").assign({"320,640"}, "x");
  EXPECT_EQ(o.img_size, (std::vector<int>{320, 640}));
  EXPECT_EQ(test::error_of([&] { s.resolve("img-size").assign({"320,"}, "--img"); }),
            "--img: expected a whole number, found ''");
}

TEST(Settings, YamlComesBackAsItWas) {
  Options o;
  o.conf_thres = 0.1;
  o.weights = {"a b.pt", "yes"};
  o.img_size = {};
  Options back;
  assign(table(back), parse_yaml(to_yaml(table(o)), "run.yaml"));
  EXPECT_EQ(back.conf_thres, 0.1);
  EXPECT_EQ(back.weights, o.weights);
  EXPECT_TRUE(back.img_size.empty());
}

TEST(Settings, YamlRefusesUnknownKeys) {
  Options o;
  EXPECT_EQ(test::error_of([&] { assign(table(o), parse_yaml("conf_thre: 1\n", "x.yaml")); }),
            "x.yaml:1:12: unknown key 'conf_thre', did you mean 'conf-thres'?");
  EXPECT_EQ(test::error_of([&] { assign(table(o), parse_yaml("task: [a, b]\n", "x.yaml")); }),
            "x.yaml:1:7: expected one value for 'task', found a list");
}

TEST(Settings, AnEnumerationIsBoundByItsNames) {
  enum class Colour { red, green, blue };
  Colour colour = Colour::green;
  const Settings s{"demo", {setting("colour", colour, "of it", {"red", "green", "blue"})}};
  EXPECT_EQ(s.entries[0].text(), "green");
  s.resolve("colour").assign({"blue"}, "--colour");
  EXPECT_EQ(colour, Colour::blue);
  EXPECT_EQ(to_yaml(s), "colour: blue\n");
  EXPECT_EQ(test::error_of([&] { s.resolve("colour").assign({"pink"}, "--colour"); }),
            "--colour: expected one of red, green, blue, found 'pink'");
  EXPECT_EQ(test::error_of([&] {
              s.resolve("colour").assign({"red", "blue"}, "--colour");
            }),
            "--colour: expected one value, found 'red blue'");
  EXPECT_EQ(colour, Colour::blue);
  assign(s, parse_yaml("colour: red\n", "x.yaml"));
  EXPECT_EQ(colour, Colour::red);
}

TEST(Settings, GroupsAndLevels) {
  Options o;
  const auto all =
      joined({group("Data", {setting("weights", o.weights, "files").basic(),
                             group("Inner", {setting("task", o.task, "split")}).front()}),
              {setting("save-txt", o.save_txt, "labels")}});
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].group, "Data");
  EXPECT_EQ(all[0].level, SettingLevel::basic);
  EXPECT_EQ(all[1].group, "Inner");  // the title that it has stays
  EXPECT_EQ(all[1].level, SettingLevel::further);
  EXPECT_EQ(all[2].group, "");
}

}  // namespace
}  // namespace yolov7
