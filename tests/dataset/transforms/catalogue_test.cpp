// The list of transforms in a hyper-parameter file: names, parameters, stages, combinators,
// streams.
#include "dataset/augment/transforms/catalogue.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <opencv2/core.hpp>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::dataset {
namespace {

AugmentList list_of(const std::string& text) {
  return AugmentList::parse(parse_yaml(text, "hyp.yaml"));
}

std::string failure(const std::string& text) {
  try {
    list_of(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// One row of `width` pixels of value 10, 20, 30 … in all channels.
Sample row(int width) {
  Sample sample{cv::Mat(1, width, CV_8UC3), {}};
  for (int x = 0; x < width; ++x)
    sample.picture.at<cv::Vec3b>(0, x) = cv::Vec3b::all(static_cast<std::uint8_t>(10 * (x + 1)));
  return sample;
}

int value(const Sample& sample, int x) { return sample.picture.at<cv::Vec3b>(0, x)[0]; }

void run_all(const AugmentList& list, Sample& sample, std::uint64_t seed = 1,
             std::vector<std::string>* applied = nullptr) {
  TransformContext context;
  context.applied = applied;
  for (const Stage stage : {Stage::picture, Stage::mixing, Stage::policy, Stage::geometry,
                            Stage::pixels, Stage::erasing})
    list.run(
        stage, sample,
        [&](std::size_t i) { return Random(seed, 0, 0, static_cast<std::uint32_t>(i)); }, context);
}

TEST(Catalogue, AWordIsNoListOfTransforms) {
  const std::string message = failure("HorizontalFlip");
  EXPECT_NE(message.find("expected a list of transforms"), std::string::npos) << message;
  EXPECT_NE(message.find("'HorizontalFlip'"), std::string::npos) << message;
  EXPECT_NE(failure("5").find("found '5'"), std::string::npos);
}

TEST(Catalogue, NamesAreUniqueWhateverTheCaseAndThereAreMoreThanFifty) {
  std::set<std::string> names;
  for (const TransformEntry& one : catalogue()) {
    EXPECT_TRUE(names.insert(text::lower(one.name)).second) << one.name;
    for (const std::string_view alias : one.aliases)
      EXPECT_TRUE(names.insert(text::lower(alias)).second) << alias;
    EXPECT_FALSE(one.help.empty()) << one.name;
  }
  EXPECT_GE(catalogue().size(),
            100u);  // 109 rows (data 13), some of two names, some that are the pipeline itself
}

TEST(Catalogue, EveryTransformHasASettingsTableWithoutTheNamesThatStepsUse) {
  const std::set<std::string> reserved{"name",     "p",    "when",      "min_visibility",
                                       "min_area", "clip", "transforms"};
  for (const TransformEntry& one : catalogue()) {
    const auto transform = one.make();
    for (const Setting& s : transform->settings().entries)
      EXPECT_FALSE(reserved.count(s.name)) << one.name << ": " << s.name;
  }
}

TEST(Catalogue, WrongListsNameThePlaceAndTheNearest) {
  EXPECT_TRUE(has(failure("[{name: HorizontlFlip}]"), "HorizontalFlip"))
      << failure("[{name: HorizontlFlip}]");
  EXPECT_TRUE(has(failure("- {name: InvertImg}\n- {name: Nothing}"), "hyp.yaml:2"))
      << failure("- {name: InvertImg}\n- {name: Nothing}");
  EXPECT_TRUE(has(failure("[{name: RandomGamma, gama_limit: [80, 120]}]"), "gamma_limit"))
      << failure("[{name: RandomGamma, gama_limit: [80, 120]}]");
  EXPECT_TRUE(has(failure("[{name: RandomGamma, gamma_limit: [120, 80]}]"), "ascending"));
  EXPECT_TRUE(has(failure("[{name: InvertImg, p: 2}]"), "-1..1"));
  EXPECT_TRUE(has(failure("[{name: Normalize}]"), "divides by 255"));
  EXPECT_TRUE(has(failure("[{p: 1}]"), "name"));
  EXPECT_TRUE(has(failure("[InvertImg]"), "name: "));
  EXPECT_TRUE(has(failure("[{name: SomeOf}]"), "transforms"));
  EXPECT_TRUE(has(failure("[{name: InvertImg, transforms: [{name: ToGray}]}]"), "no list"));
  EXPECT_TRUE(has(failure("{name: InvertImg}"), "list"));
  // One parameter against another: before the first picture, with the place.
  EXPECT_TRUE(has(failure("- {name: InvertImg}\n- {name: GridMask, unit_min: 9, unit_max: 5}"),
                  "hyp.yaml:2"))
      << failure("- {name: InvertImg}\n- {name: GridMask, unit_min: 9, unit_max: 5}");
  EXPECT_TRUE(has(failure("[{name: RandomRotate90, clockwise: false, counter_clockwise: false, "
                          "upside_down: false}]"),
                  "at least one of"));
  EXPECT_EQ(failure("[{name: MinIoURandomCrop, min_ious: [0.9, 0.5, 0.2]}]"),
            "none");  // a list, no range
}

// Flow text is what a run stores; it must give the same list again.
TEST(Catalogue, FlowTextIsTheSameTree) {
  for (const std::string text :
       {"- name: CLAHE\n  p: 0.3\n  clip_limit: [1, 2]\n- {name: SomeOf, n: 2, transforms: [{name: "
        "InvertImg}, {name: ToGray, p: 1.0}]}",
        "[]", "[{a: 'true', b: true, c: '1', d: 1, e: null, f: \"x: y\"}]"}) {
    const Value tree = parse_yaml(text, "a");
    const std::string flow = yaml_flow(tree);
    EXPECT_EQ(flow.find('\n'), std::string::npos);
    EXPECT_EQ(yaml_flow(parse_yaml(flow, "b")), flow);
  }
  EXPECT_EQ(yaml_flow(parse_yaml("- {name: X, p: 0.5, range: [1, -2]}\n- 'on'", "a")),
            "[{name: X, p: 0.5, range: [1, -2]}, \"on\"]");
}

TEST(Catalogue, StagesOrderTheListAndCombinatorsStandWithTheirEarliestPart) {
  const AugmentList list = list_of(
      "[{name: InvertImg}, {name: HorizontalFlip}, {name: SomeOf, transforms: [{name: InvertImg}, "
      "{name: HorizontalFlip}]}, {name: InvertImg, when: picture}]");
  ASSERT_EQ(list.steps().size(), 4u);
  EXPECT_EQ(list.steps()[0].stage, Stage::pixels);
  EXPECT_EQ(list.steps()[1].stage, Stage::geometry);
  EXPECT_EQ(list.steps()[2].stage, Stage::geometry);
  EXPECT_EQ(list.steps()[3].stage, Stage::picture);
  std::vector<std::string> applied;
  Sample sample = row(3);
  run_all(list_of("[{name: InvertImg, p: 1}, {name: HorizontalFlip, p: 1}]"), sample, 1, &applied);
  EXPECT_EQ(applied, (std::vector<std::string>{"HorizontalFlip", "InvertImg"}));
  for (int x = 0; x < 3; ++x) EXPECT_EQ(value(sample, x), 255 - 10 * (3 - x));
}

TEST(Catalogue, ProbabilityZeroIsTheIdentityAndItsShareIsMet) {
  Sample sample = row(4);
  run_all(list_of("[{name: InvertImg, p: 0}, {name: HorizontalFlip, p: 0}]"), sample);
  for (int x = 0; x < 4; ++x) EXPECT_EQ(value(sample, x), 10 * (x + 1));
  const AugmentList list = list_of("[{name: InvertImg, p: 0.3}]");
  constexpr int runs = 4000;
  int inverted = 0;
  for (int i = 0; i < runs; ++i) {
    Sample one = row(1);
    run_all(list, one, static_cast<std::uint64_t>(i));
    inverted += value(one, 0) == 245;
  }
  EXPECT_NEAR(inverted, 0.3 * runs, 5 * std::sqrt(0.3 * 0.7 * runs));  // five standard deviations
}

TEST(Catalogue, EveryTransformWithProbabilityZeroIsTheIdentity) {
  for (const TransformEntry& one : catalogue()) {
    const bool combines = one.name == "OneOf" || one.name == "SomeOf" || one.name == "Sequential" ||
                          one.name == "RandomOrder";
    const AugmentList list = list_of("[{name: " + std::string(one.name) + ", p: 0" +
                                     (combines ? ", transforms: [{name: InvertImg}]}]" : "}]"));
    Sample sample{cv::Mat(12, 16, CV_8UC3, cv::Scalar(10, 200, 90)), {{3, {2, 2, 9, 8}, {}}}};
    for (std::uint64_t seed = 0; seed < 3; ++seed) run_all(list, sample, seed);
    EXPECT_EQ(
        cv::norm(sample.picture, cv::Mat(12, 16, CV_8UC3, cv::Scalar(10, 200, 90)), cv::NORM_INF),
        0)
        << one.name;
    ASSERT_EQ(sample.objects.size(), 1u) << one.name;
    EXPECT_EQ(sample.objects[0].box, (Xyxy{2, 2, 9, 8})) << one.name;
  }
}

// Weights 0.2 and 0.6 are 1 : 3.
TEST(Catalogue, OneOfChoosesInProportion) {
  const AugmentList list = list_of(
      "[{name: OneOf, transforms: [{name: InvertImg, p: 0.2}, {name: Solarize, p: 0.6, "
      "threshold_range: [0, 0]}, {name: ToGray, p: 0}]}]");
  std::map<std::string, int> counts;
  constexpr int runs = 4000;
  for (int i = 0; i < runs; ++i) {
    Sample sample = row(1);
    std::vector<std::string> applied;
    run_all(list, sample, static_cast<std::uint64_t>(i), &applied);
    ASSERT_EQ(applied.size(), 2u);
    ++counts[applied[1]];
  }
  EXPECT_NEAR(counts["InvertImg"], 0.25 * runs, 5 * std::sqrt(0.25 * 0.75 * runs));
  EXPECT_EQ(counts["InvertImg"] + counts["Solarize"], runs);
}

TEST(Catalogue, SomeOfTakesSoManyDifferentOnesInTheListsOrder) {
  const AugmentList list = list_of(
      "[{name: SomeOf, n: 2, transforms: [{name: InvertImg, p: 1}, {name: ToGray, p: 1}, {name: "
      "ToSepia, p: 1}]}]");
  std::set<std::vector<std::string>> seen;
  for (int i = 0; i < 200; ++i) {
    Sample sample = row(1);
    std::vector<std::string> applied;
    run_all(list, sample, static_cast<std::uint64_t>(i), &applied);
    seen.insert({applied.begin() + 1, applied.end()});
  }
  EXPECT_EQ(seen, (std::set<std::vector<std::string>>{
                      {"InvertImg", "ToGray"}, {"InvertImg", "ToSepia"}, {"ToGray", "ToSepia"}}));
}

// ± 0.2 · 0.5; 80 … 120 around 100; 3 … 7 has no neutral value.
TEST(Catalogue, MagnitudeShrinksRangesTowardsTheirNeutralValue) {
  const AugmentList list =
      list_of("[{name: SomeOf, magnitude: 0.5, transforms: [{name: RandomBrightnessContrast}]}]");
  const AugmentList none =
      list_of("[{name: SomeOf, magnitude: 0, transforms: [{name: RandomGamma, p: 1}]}]");
  Sample sample = row(5);
  run_all(none, sample);
  for (int x = 0; x < 5; ++x) EXPECT_EQ(value(sample, x), 10 * (x + 1));
  const AugmentList full =
      list_of("[{name: SomeOf, transforms: [{name: RandomGamma, p: 1, gamma_limit: [50, 60]}]}]");
  run_all(full, sample);
  EXPECT_GT(value(sample, 2), 30);
  EXPECT_FALSE(list.empty());
}

TEST(Catalogue, InsideBoxesLeavesTheRestAlone) {
  Sample sample{cv::Mat(20, 30, CV_8UC3, cv::Scalar::all(100)), {}};
  sample.objects.push_back({0, {5, 4, 15, 10}, {}});
  sample.picture.at<cv::Vec3b>(4, 5) = {1, 2, 3};
  const Sample before{sample.picture.clone(), sample.objects};
  run_all(list_of("[{name: BoxFlip, p_box: 1}]"), sample);
  EXPECT_EQ(sample.picture.at<cv::Vec3b>(4, 14), cv::Vec3b(1, 2, 3));
  EXPECT_EQ(sample.picture.at<cv::Vec3b>(4, 5), cv::Vec3b(100, 100, 100));
  EXPECT_EQ(sample.objects[0].box, before.objects[0].box);
  Sample none{before.picture.clone(), before.objects};
  run_all(list_of("[{name: BoxFlip, p_box: 0}]"), none);
  EXPECT_EQ(cv::norm(none.picture, before.picture, cv::NORM_INF), 0);
}

// A step's draws depend on its place and key alone: another step before it with p 0 changes the
// stream of nobody else.
TEST(Catalogue, StreamsGoByPlace) {
  Sample a{cv::Mat(16, 16, CV_8UC3, cv::Scalar::all(90)), {}}, b{a.picture.clone(), {}};
  run_all(list_of("[{name: ToGray, p: 0}, {name: GaussNoise, p: 1}]"), a);
  run_all(list_of("[{name: InvertImg, p: 0}, {name: GaussNoise, p: 1}]"), b);
  EXPECT_EQ(cv::norm(a.picture, b.picture, cv::NORM_INF), 0);
  EXPECT_GT(cv::norm(a.picture - cv::Scalar::all(90), cv::NORM_INF), 0);
}

}  // namespace
}  // namespace yolov7::dataset
