// report.html of compress, from a result written by hand.
#include "monitoring/compress_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace yolov7::monitoring {
namespace {

bool has(const std::string& page, const std::string& part) {
  return page.find(part) != std::string::npos;
}

nlohmann::json result() {
  return nlohmann::json::parse(R"({
    "weights": "<best>.pt", "split": "val", "images": 8, "labels": 30, "img_size": 160,
    "budget": 0.01, "kept": true, "reason": "parent in int8: 2.50 times",
    "chosen": {"command": "yolov7 detect --weights out/chosen/best.pt"},
    "held_out": {"split": "test", "images": 7, "labels": 20, "parent_map": 0.5, "map": 0.475,
                 "map_change": {"value": -0.025, "low": -0.05, "high": 0.0}, "keeps_budget": false},
    "candidates": [
      {"network": "parent", "numbers": "int8", "missing": "", "chosen": true, "bytes": 6132500,
       "parameters": 6000000, "map50": 0.75, "map": {"value": 0.5, "low": 0.4, "high": 0.6},
       "map_change": {"value": -0.005, "low": -0.02, "high": 0.01}, "keeps_budget": true,
       "latency_ms": {"least": 8.25, "median": 8.5}, "images_per_second": 250.5,
       "classes": [{"name": "a<b", "ap": 0.25}, {"name": "none", "ap": null}]},
      {"network": "time-35", "numbers": "int8", "chosen": false, "missing": "not tried: <why>"}],
    "advice": ["parent: int8 is 1.50 times as fast as bfloat16"],
    "stages": [{"stage": "prune time-35", "seconds": 3.25, "refused": "", "command": "yolov7 prune"}],
    "machine": {"processor": "A & B", "usable_cores": 2, "threads": 1,
                "times": "the processor's"}})");
}

TEST(CompressReport, TellsChoiceCandidatesClassesAndStages) {
  const std::string page = compress_report(result());
  EXPECT_TRUE(has(page, "&lt;best&gt;.pt")) << page;
  EXPECT_FALSE(has(page, "<best>"));
  EXPECT_TRUE(has(page, "Chosen: parent in int8: 2.50 times"));
  EXPECT_TRUE(has(page, "yolov7 detect --weights out/chosen/best.pt"));
  EXPECT_TRUE(has(page, "Budget: 0.01 mAP, on 8 images with 30 labels of the val split"));
  EXPECT_TRUE(has(page,
                  "<td>6.13</td><td>6000000</td><td>8.25</td><td>8.5</td><td>250.5</td>"
                  "<td>0.75</td><td>0.5</td><td>0.4000 to 0.6000</td><td>-0.005</td>"
                  "<td>-0.0200 to +0.0100</td><td>yes</td>"))
      << page;
  EXPECT_TRUE(has(page, "time-35 in int8: not tried: &lt;why&gt;."));
  EXPECT_TRUE(has(page, "<td>a&lt;b</td><td>0.25</td>")) << page;
  EXPECT_TRUE(has(page, "<td>none</td><td>–</td>"));
  EXPECT_TRUE(has(page, "1.50 times as fast as bfloat16"));
  EXPECT_TRUE(has(page, "<td>prune time-35</td>"));
  EXPECT_TRUE(has(page, "A &amp; B, 2 usable cores. Times: one image of 160 px on 1 threads"));
  EXPECT_TRUE(has(page,
                  "On the test split, which took no part (7 images): mAP 0.4750, the parent "
                  "0.5000, change -0.0250 (-0.0500 to +0.0000): over the budget."));
}

TEST(CompressReport, ANoIsANo) {
  nlohmann::json no = result();
  no["kept"] = false, no["chosen"] = nullptr, no["reason"] = "nothing that was tried";
  no["held_out"] = nullptr;
  const std::string page = compress_report(no);
  EXPECT_TRUE(has(page, "None: nothing that was tried")) << page;
  EXPECT_FALSE(has(page, "yolov7 detect"));
  EXPECT_TRUE(has(page, "No other split was measured."));
}

}  // namespace
}  // namespace yolov7::monitoring
