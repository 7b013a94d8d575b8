// report.html of a check, from a result written by hand.
#include "monitoring/check_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "monitoring/stats_report.hpp"

namespace yolov7::monitoring {
namespace {

bool has(const std::string& page, const std::string& part) {
  return page.find(part) != std::string::npos;
}

nlohmann::json result() {
  return nlohmann::json::parse(R"({
    "data": "<set>.yaml", "errors": 1, "warnings": 0, "infos": 0,
    "splits": {"train": {"pictures": 3, "boxes": 4, "missing": 1, "empty": 0, "corrupt": 2,
                         "unread": 5, "absent": 6,
                         "classes": [{"name": "a<b", "boxes": 4}]}},
    "checks": [{"name": "broken-image", "family": "Images", "severity": "error",
                "summary": "cannot be read", "findings": 1},
               {"name": "gray-image", "family": "Images", "severity": "info",
                "summary": "without colour", "findings": 0}],
    "findings": [{"check": "broken-image", "severity": "error", "split": "train",
                  "file": "<script>.jpg", "text": "empty", "fixes": 1}],
    "causes": {"layout": "axes exchanged", "layout_evidence": "3 of 3", "classes_from_1": false,
               "class_evidence": "", "files": {"axes exchanged": 3}}})");
}

TEST(CheckReport, HasFindingsCausesAndCountsAndEscapesThem) {
  const std::string page = check_report(result());
  EXPECT_TRUE(has(page, "<td>&lt;script&gt;.jpg</td>")) << page;
  EXPECT_FALSE(has(page, "<script"));
  EXPECT_TRUE(has(page, "axes exchanged.</strong> Evidence: 3 of 3.")) << page;
  EXPECT_TRUE(has(page, "<td>a&lt;b</td><td>4</td>"));
  EXPECT_TRUE(has(page, "<td>2</td><td>5</td><td>6</td></tr>")) << page;
  EXPECT_TRUE(has(page, "Not looked at: no network was named"));
  EXPECT_TRUE(has(page, "1 errors, 0 warnings, 0 infos"));
  EXPECT_FALSE(has(page, "no structure to compare"));
  nlohmann::json plain = result();
  plain["plain"] = 3;
  EXPECT_TRUE(has(check_report(plain), "<p>3 images have no structure to compare: only equal"));
}

TEST(CheckReport, ShowsWhatTheNetworkCannotLearn) {
  nlohmann::json with = result();
  with["assignment"] = nlohmann::json::parse(R"({
    "network": "yolov7", "image_size": 640, "anchor_t": 4.0, "scales": [0.5, 1.6],
    "all": {"name": "all", "boxes": 9, "never": 2, "seldom": 1, "finest_only": 3},
    "sizes": [], "classes": [],
    "cures": [{"cure": "--img-size 1280", "never": 0, "seldom": 0}]})");
  const std::string page = check_report(with);
  EXPECT_TRUE(has(page, "<td>all</td><td>9</td><td>2</td><td>1</td><td>3</td>")) << page;
  EXPECT_TRUE(has(page, "<td>--img-size 1280</td><td>0</td><td>0</td>")) << page;
}

TEST(CheckReport, SaysHowManyMistakesItShows) {
  nlohmann::json with = result();
  nlohmann::json one = {{"kind", "doubled"}, {"score", 0.9}, {"split", "val"},
                        {"image", "a.jpg"},  {"given", "a"}, {"suggested", ""}};
  with["mistakes"] = nlohmann::json::array({one, one, one});
  with["mistakes"][0]["crop"] = "AA==";
  EXPECT_TRUE(has(check_report(with), "3 labels and predictions disagree; the 1 likeliest"));
}

TEST(StatsReport, SharesOfAColumnHaveBars) {
  const std::string page = stats_report(nlohmann::json::parse(R"({
    "data": "x", "columns": ["train"], "order": ["classes"],
    "advice": [{"topic": "tiles", "text": "none <needed>"}],
    "tables": {"classes": {"title": "Boxes by class", "counts": true,
               "rows": [{"name": "a", "values": [3]}, {"name": "b", "values": [1]}]}}})"));
  EXPECT_TRUE(has(page, "75.0%,transparent 75.0%)\">3 (75.0 %)")) << page;
  EXPECT_TRUE(has(page, "<strong>tiles</strong>: none &lt;needed&gt;."));
  EXPECT_FALSE(has(page, "<script"));
}

}  // namespace
}  // namespace yolov7::monitoring
