// A certificate beside a new one of the same file: what was edited is named.
#include "exporting/certificate_figures.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

using namespace yolov7::exporting;
using nlohmann::json;

namespace {

json certificate() {
  return json::parse(R"({
    "kind": "export", "format": "onnx", "verdict": "equal", "detail": "words",
    "precision": "float32", "checked": "2026-01-01T00:00:00Z",
    "files": [{"name": "a.onnx", "bytes": 10, "sha256": "00"}],
    "limits": {"box_px": 0.01, "score": 0.0001},
    "images": [{"name": "noise", "height": 32, "width": 32, "sha256": "11"}],
    "differences": {"rows": 400, "largest_box_px": 0.0008, "largest_score": 2e-6},
    "detections": {"conf_thres": 0.25, "weights": 300, "file": 300, "matched": 300, "lost": 0},
    "accuracy": {"data": "../data.yaml", "images": 4, "weights": {"map": 0.5}, "file": {"map": 0.5},
                 "map_change": {"value": 0, "low": -0.001, "high": 0.001}},
    "speed": {"file": {"latency_ms": 3}}})");
}

/// What is said where one place of the written one was edited.
std::vector<std::string> differences(const char* place, const json& value, SameInputs same = {}) {
  json edited = certificate();
  edited[json::json_pointer(place)] = value;
  return compare_figures(edited, certificate(), same).differences;
}

}  // namespace

TEST(CertificateFigures, TheSameOneAgrees) {
  const FigureComparison found = compare_figures(certificate(), certificate(), {});
  EXPECT_TRUE(found.differences.empty());
  // format, precision, verdict; 3 of the file; 2 limits; 4 of the image; 3 differences; 5 of
  // detections; images and two mAP and three of its change.
  EXPECT_EQ(found.equal, 3U + 3 + 2 + 4 + 3 + 5 + 6);
}

TEST(CertificateFigures, AnEditedFieldIsNamedWithBothValues) {
  EXPECT_EQ(differences("/verdict", "structure only"),
            std::vector<std::string>{"verdict: structure only in the certificate, equal found"});
  EXPECT_EQ(differences("/files/0/bytes", 11),
            std::vector<std::string>{"files[0].bytes: 11 in the certificate, 10 found"});
  EXPECT_EQ(differences("/differences/rows", 401),
            std::vector<std::string>{"differences.rows: 401 in the certificate, 400 found"});
  EXPECT_EQ(differences("/limits/box_px", 1),
            std::vector<std::string>{"limits.box_px: 1 in the certificate, 0.01 found"});
  EXPECT_EQ(differences("/images/0/sha256", "22"),
            std::vector<std::string>{"images[0].sha256: 22 in the certificate, 11 found"});
  EXPECT_EQ(differences("/differences/largest_score", "small").size(), 1U);
}

// Four times each other: 0.0002 ... 0.0032. A hundredth of the limit: 0.0001.
TEST(CertificateFigures, RoundingMayChangeTheLargestDifference) {
  for (const double good : {0.00021, 0.0008, 0.0031})
    EXPECT_TRUE(differences("/differences/largest_box_px", good).empty()) << good;
  for (const double bad : {0.0, 0.00019, 0.0033})
    EXPECT_EQ(differences("/differences/largest_box_px", bad).size(), 1U) << bad;
  EXPECT_TRUE(differences("/differences/largest_score", 1e-6).empty()) << "a hundredth of 1e-4";
  EXPECT_TRUE(differences("/differences/largest_score", 2.9e-6).empty());
  EXPECT_EQ(differences("/differences/largest_score", 2e-5).size(), 1U);
  EXPECT_EQ(differences("/differences/largest_box_px", 0),
            std::vector<std::string>{
                "differences.largest_box_px: 0 in the certificate, 0.0008 found; expected within 4 "
                "times each other, or at most 0.0001 apart, because they are rounding, which "
                "another processor or number of threads changes"});
}

// One in a hundred of 300: 3.
TEST(CertificateFigures, DetectionsAtAThreshold) {
  EXPECT_TRUE(differences("/detections/lost", 3).empty());
  EXPECT_EQ(differences("/detections/lost", 4),
            std::vector<std::string>{
                "detections.lost: 4 in the certificate, 0 found; expected at most 3 apart, because "
                "rounding decides about a score that stands at a threshold"});
  EXPECT_EQ(differences("/detections/conf_thres", 0.26).size(), 1U) << "which was asked for";
}

TEST(CertificateFigures, MapAndItsInterval) {
  EXPECT_TRUE(differences("/accuracy/file/map", 0.5005).empty());
  EXPECT_EQ(differences("/accuracy/file/map", 0.5006).size(), 1U);
  EXPECT_TRUE(differences("/accuracy/map_change/low", -0.003).empty());
  EXPECT_EQ(differences("/accuracy/map_change/low", -0.0031).size(), 1U);
  EXPECT_EQ(differences("/accuracy/images", 5).size(), 1U);
}

// One in a hundred of 500 rows: 5. A tenth of 0.3 px and of 0.01: factors of 1.09 and 1.12.
TEST(CertificateFigures, LikelyRowsOfIntegers) {
  json found = certificate();
  found["accuracy"]["likely_rows"] = {{"rows", 500}, {"box_px", 0.3}, {"score", 0.01}};
  const auto count = [&](const char* field, const json& value) {
    json edited = found;
    edited["accuracy"]["likely_rows"][field] = value;
    return compare_figures(edited, found, {}).differences.size();
  };
  EXPECT_EQ(count("rows", 505), 0U);
  EXPECT_EQ(count("rows", 506), 1U);
  EXPECT_EQ(count("box_px", 0.3000001), 0U);
  EXPECT_EQ(count("box_px", 0.327), 0U);
  EXPECT_EQ(count("box_px", 0.336), 1U);
  EXPECT_EQ(count("score", 0.0109), 0U);
  EXPECT_EQ(count("score", 0.0112), 1U);
}

// Without the data of the certificate their accuracy is not measured, which is no other verdict.
TEST(CertificateFigures, TheVerdictOfIntegersHangsOnTheData) {
  json written = certificate(), found = certificate();
  written["verdict"] = "within the accuracy budget", found["verdict"] = "accuracy not measured";
  EXPECT_EQ(compare_figures(written, found, {.data = false}).differences.size(), 1U);
  written["precision"] = found["precision"] = "int8";
  EXPECT_TRUE(compare_figures(written, found, {.data = false}).differences.empty());
  EXPECT_EQ(compare_figures(written, found, {}).differences.size(), 1U);
}

TEST(CertificateFigures, WhatBelongsToOtherInputsOrAnotherHourIsLeftOut) {
  for (const char* place : {"/detail", "/checked", "/speed/file/latency_ms", "/accuracy/data"})
    EXPECT_TRUE(differences(place, "other").empty()) << place;
  EXPECT_TRUE(differences("/differences/rows", 1, {.images = false}).empty());
  EXPECT_TRUE(differences("/accuracy/images", 1, {.data = false}).empty());
  EXPECT_EQ(differences("/accuracy/images", 1, {.images = false}).size(), 1U);
}

TEST(CertificateFigures, FieldsOfOneSideAlone) {
  json less = certificate();
  less.erase("detections");
  EXPECT_EQ(compare_figures(less, certificate(), {}).differences.at(0),
            "detections.conf_thres: no such field in the certificate, 0.25 found");
  EXPECT_EQ(compare_figures(certificate(), less, {}).differences.at(0),
            "detections.conf_thres: 0.25 in the certificate, no such field found");
  // --no-verify: there is nothing that could be another.
  less["verdict"] = "not compared";
  EXPECT_TRUE(compare_figures(less, certificate(), {}).differences.empty());
}
