#include "exporting/format_table.hpp"

#include <gtest/gtest.h>

#include <set>

#include "exporting/export_settings.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;

TEST(FormatTable, NamesAndSpellingsAreTold) {
  EXPECT_EQ(format("onnx").name, "onnx");
  EXPECT_EQ(format("trt").name, "engine");
  EXPECT_EQ(format("ptl").name, "torchscript-lite");
  const std::string unknown = test::error_of([] { format("onx"); });
  EXPECT_NE(unknown.find("did you mean 'onnx'?"), std::string::npos) << unknown;
  EXPECT_EQ(
      test::error_of([] { format("mnn"); }),
      "export: --include: mnn is written by its vendor's program, from --include onnx --grid: "
      "mnnconvert -f ONNX --modelFile best.onnx --MNNModel best.mnn --bizCode yolov7");
  EXPECT_EQ(test::error_of([] { format("edgetpu"); }),
            "export: --include: edgetpu is written by its vendor's program, from --include tflite "
            "--int8, whose input and output are float32 (not tried here): edgetpu_compiler "
            "best-int8.tflite");
  for (const char* name : {"rknn", "hailo", "tfjs", "executorch", "paddle"})
    EXPECT_NE(test::error_of([&] { format(name); }).find("written by its vendor's program"),
              std::string::npos)
        << name;
}

TEST(FormatTable, IncludeIsAListOfBlanksAndCommas) {
  const auto names = [](const std::vector<std::string>& include) {
    std::vector<std::string> all;
    for (const Format* one : chosen_formats(include)) all.emplace_back(one->name);
    return all;
  };
  using Texts = std::vector<std::string>;
  EXPECT_EQ(names({"engine", "onnx"}), (Texts{"onnx", "engine"}));
  EXPECT_EQ(names({"openvino,onnx", "onnx"}), (Texts{"onnx", "openvino"}));
  EXPECT_EQ(names({"all"}), format_names());
  EXPECT_NE(test::error_of([&] { names({","}); }), "no error");
}

TEST(FormatTable, WhatAnOptionDoesNotChangeIsSaid) {
  const auto chosen = chosen_formats({"onnx", "engine"});
  EXPECT_EQ(options_without_effect(chosen, {"weights", "grid", "opset"}),
            std::vector<std::string>{});
  const auto integers = chosen_formats({"onnx", "openvino"});
  EXPECT_EQ(options_without_effect(integers, {"qdq"}, true, "tensorrt"),
            std::vector<std::string>{});
  EXPECT_EQ(options_without_effect(integers, {"qdq"}, true, "ort"),
            std::vector<std::string>{"openvino: without effect: --qdq (ONNX Runtime's form, which "
                                     "OpenVINO's own files do not have)"});
  EXPECT_EQ(options_without_effect(chosen, {"workspace", "simplify"}),
            (std::vector<std::string>{
                "onnx: without effect: --workspace, --simplify (the graph is written without "
                "anything to simplify)",
                "engine: without effect: --simplify (the graph is written without anything to "
                "simplify)"}));
  EXPECT_EQ(test::error_of([] { options_without_effect(chosen_formats({"onnx"}), {"mlmodel"}); }),
            "export: --mlmodel: expected a format that honours it, found onnx");
}

// A file for one image beside others is written, with a line; alone it is not what was asked for.
TEST(FormatTable, AFileForOneImageHasNoBatch) {
  EXPECT_EQ(options_without_effect(chosen_formats({"onnx", "coreml", "ncnn"}), {"batch-size"}),
            (std::vector<std::string>{
                "coreml: without effect: --batch-size (the file is for one image)",
                "ncnn: without effect: --batch-size (the format has no batch axis)"}));
  for (const char* alone : {"coreml", "ncnn"})
    EXPECT_EQ(
        test::error_of([&] { options_without_effect(chosen_formats({alone}), {"batch-size"}); }),
        std::string("export: --batch-size: expected a format that honours it, found ") + alone);
}

// A threshold without suppression changes no file but OpenVINO's metadata, only the comparison.
TEST(FormatTable, ThresholdsNeedASuppression) {
  const auto lines = [](const std::vector<std::string>& include,
                        const std::vector<std::string>& given, bool suppression) {
    return options_without_effect(chosen_formats(include), given, suppression);
  };
  EXPECT_EQ(lines({"onnx"}, {"conf-thres"}, true), std::vector<std::string>{});
  EXPECT_EQ(lines({"onnx"}, {"iou-thres"}, false),
            std::vector<std::string>{
                "onnx: without effect: --iou-thres (nothing is suppressed in the file; --nms and "
                "--end2end do that; the comparison takes it)"});
  EXPECT_EQ(lines({"openvino"}, {"iou-thres", "conf-thres"}, false), std::vector<std::string>{});
  EXPECT_EQ(lines({"onnx", "openvino"}, {"conf-thres"}, false),
            std::vector<std::string>{
                "onnx: without effect: --conf-thres (nothing is suppressed in the file; --nms and "
                "--end2end do that; the comparison takes it)"});
  EXPECT_EQ(test::error_of([&] { lines({"openvino"}, {"topk-all"}, false); }),
            "export: --topk-all: expected --nms or --end2end with it, found openvino");
}

TEST(FormatTable, WhoseSuppressionIsNotRunHere) {
  ExportModel model;
  const auto whose = [&](const char* name) { return suppression_not_run(format(name), model); };
  EXPECT_EQ(whose("engine"), "");
  model.form = OutputForm::nms_operator;
  EXPECT_EQ(whose("onnx"), "");
  EXPECT_EQ(whose("engine"), "TensorRT's");
  EXPECT_EQ(whose("saved_model"), "TensorFlow's");
  model.form = OutputForm::nms_plugin;
  EXPECT_EQ(whose("onnx"), "TensorRT's");
}

// A misspelled row would make an option of no effect.
TEST(FormatTable, RowsNameSettingsThatExist) {
  ExportOptions options;
  std::set<std::string> known;
  for (const std::string& name : settings(options).names()) known.insert(name);
  for (const Format& one : formats()) {
    for (const std::string_view option : one.options)
      EXPECT_TRUE(known.contains(std::string(option))) << one.name << ": " << option;
    for (const WithoutEffect& option : one.without_effect) {
      EXPECT_TRUE(known.contains(std::string(option.option))) << one.name << ": " << option.option;
      EXPECT_FALSE(honours(one, option.option)) << one.name << ": " << option.option;
    }
  }
}

// The program hands the library in; who calls the emitter without it is told.
TEST(FormatTable, TorchScriptNeedsItsLibrary) {
  const test::ScratchFolder folder;
  for (const char* name : {"torchscript", "torchscript-lite"}) {
    EXPECT_NE(test::error_of([&] {
                format(name).write({}, {}, folder / "x");
              }).find("needs the training library"),
              std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder / "x"));
  }
}

TEST(ExportOptions, FormsAndContradictions) {
  ExportOptions o;
  EXPECT_EQ(output_form(o), OutputForm::raw);
  o.grid = true;
  EXPECT_EQ(output_form(o), OutputForm::decoded);
  o.end2end = true;
  EXPECT_EQ(output_form(o), OutputForm::nms_plugin);
  o.max_wh = 640;
  EXPECT_EQ(output_form(o), OutputForm::nms_operator);
  EXPECT_EQ(class_offset(o, 80, 640), 640);
  o.agnostic_nms = true;
  EXPECT_EQ(class_offset(o, 80, 640), 0);
  o = {};
  o.nms = true;
  EXPECT_EQ(class_offset(o, 80, 640), 4096);
  const auto refused = [](auto change) {
    ExportOptions one;
    change(one);
    return test::error_of([&] { check(one); });
  };
  EXPECT_NE(refused([](auto& c) { c.half = c.int8 = true; }), "no error");
  EXPECT_NE(refused([](auto& c) { c.half_io = true; }), "no error");
  EXPECT_NE(refused([](auto& c) { c.max_wh = 640; }), "no error");
  EXPECT_NE(refused([](auto& c) { c.fold_obj = c.nms = true; }), "no error");
  EXPECT_NE(refused([](auto& c) { c.img_size = {1, 2, 3}; }), "no error");
  EXPECT_EQ(refused([](auto& c) { c.grid = c.dynamic = c.half = true; }), "no error");
}

// Float32 has 24 bits: neighbours near v are 2^(floor(log2 v) - 23) apart. 80 · 4096 = 327,680:
// 1/32. 80 · 1,000,000: 2^26 and more, 8. 1,203 · 4096 = 4,927,488: 2^22 and more, 1/2.
TEST(ExportOptions, AClassOffsetBeyondTheStepsOfFloat32IsSaid) {
  EXPECT_EQ(class_offset_note(4096, 80), "");
  EXPECT_EQ(class_offset_note(4096, 128), "") << "2^19";
  EXPECT_NE(class_offset_note(4096, 129), "");
  const std::string far = class_offset_note(1'000'000, 80);
  EXPECT_NE(far.find("up to 80000000 px, where float32 has steps of 8 px"), std::string::npos)
      << far;
  EXPECT_NE(far.find("at most 6553 "), std::string::npos) << "2^19 / 80: " << far;
  EXPECT_NE(class_offset_note(4096, 1203).find("steps of 0.5 px"), std::string::npos);
  ExportOptions o;
  o.nms = true;
  EXPECT_EQ(class_offset(o, 128, 640), 4096);
  EXPECT_EQ(class_offset(o, 129, 640), 1280) << "twice the longer side";
  EXPECT_EQ(class_offset(o, 1203, 2560), 4096);
  EXPECT_EQ(class_offset(o, 1203, 0), 4096) << "open";
  o.max_wh = 5000;
  EXPECT_EQ(class_offset(o, 1203, 640), 5000);
}

// Whatever their values are, the defaults among them.
TEST(ExportOptions, OptionsOfIntegersWantIntegers) {
  ExportOptions o;
  EXPECT_EQ(test::error_of([&] { check_given(o, {"weights", "half", "data"}); }), "no error");
  for (const std::string name :
       {"per-tensor", "calib-images", "calib-method", "effort", "qdq", "sensitivity"}) {
    EXPECT_EQ(test::error_of([&] {
                check_given(o, {"grid", name});
              }),
              "export: --" + name + ": expected --int8 with it");
    ExportOptions integers;
    integers.int8 = true;
    integers.images = "photos";
    EXPECT_EQ(test::error_of([&] { check_given(integers, {"grid", name}); }), "no error");
  }
}

// A certificate whose images are gone has options without them.
TEST(ExportOptions, ACalibrationWantsImages) {
  ExportOptions o;
  o.int8 = true;
  EXPECT_EQ(test::error_of([&] { check_given(o, {"int8"}); }),
            "export: --int8: expected --data or --images for the calibration, found neither");
  EXPECT_EQ(test::error_of([&] { check(o); }), "no error");
}

TEST(ExportOptions, OptionsOfTheComparisonWantOne) {
  ExportOptions o;
  o.images = "photos";
  for (const std::string name : {"split", "accuracy-budget"})
    for (const bool int8 : {false, true}) {
      o.int8 = int8, o.data.clear();
      EXPECT_EQ(test::error_of([&] {
                  check_given(o, {"images", name});
                }),
                "export: --" + name + ": expected --data with it");
      o.data = "data.yaml";
      EXPECT_EQ(test::error_of([&] { check_given(o, {"images", name}); }), "no error");
    }
  o = {};
  o.images = "photos", o.no_verify = true;
  EXPECT_EQ(test::error_of([&] { check_given(o, {"images"}); }),
            "export: --images: expected no --no-verify with it");
}

TEST(ExportOptions, AClassOffsetWantsClasses) {
  ExportOptions o;
  o.nms = o.agnostic_nms = true;
  o.max_wh = 640;
  EXPECT_EQ(test::error_of([&] {
              check_given(o, {"nms", "max-wh", "agnostic-nms"});
            }),
            "export: --max-wh: expected 0 with --agnostic-nms, which does not look at classes, "
            "found 640");
  for (const int same : {-1, 0}) {
    o.max_wh = same;
    EXPECT_EQ(test::error_of([&] {
                check_given(o, {"nms", "max-wh", "agnostic-nms"});
              }),
              "no error");
  }
}

TEST(ExportModel, NamesAreALiteral) {
  EXPECT_EQ(names_literal({"cat", "it's", "a\\b"}), R"({0: 'cat', 1: 'it\'s', 2: 'a\\b'})");
}
