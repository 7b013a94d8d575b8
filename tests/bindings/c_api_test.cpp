// The C interface as a caller meets it: nothing of ours but yolov7.h and yolov7.hpp.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "yolov7/yolov7.h"
#include "yolov7/yolov7.hpp"

namespace {

const std::string weights = std::string(YOLOV7_SOURCE_DIR) + "/weights/yolov7-tiny-synth.pt";

/// Discs and bars, which the network was trained on, as B G R rows.
struct Drawn {
  int width = 160, height = 96;
  std::vector<unsigned char> bgr;
  Drawn() : bgr(static_cast<std::size_t>(3 * width * height)) {
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const bool disc = (x - 40) * (x - 40) + (y - 50) * (y - 50) < 625;
        const bool bar = x > 90 && x < 140 && y > 30 && y < 60;
        const unsigned char color[3] = {static_cast<unsigned char>(disc ? 220 : 90),
                                        static_cast<unsigned char>(bar ? 30 : 100),
                                        static_cast<unsigned char>(disc || bar ? 200 : 110)};
        std::memcpy(&bgr[static_cast<std::size_t>(3 * (y * width + x))], color, 3);
      }
  }
  yolov7::Image image() const { return {bgr.data(), width, height, 0, YOLOV7_BGR}; }
};

yolov7::DetectOptions every_box() {
  yolov7::DetectOptions options;
  options.image_size = 160, options.conf_thres = 0.002;
  return options;
}

std::vector<yolov7::Box> boxes_of(const yolov7::Results& results, std::size_t image = 0) {
  const yolov7::Boxes boxes = results.boxes(image);
  return {boxes.begin(), boxes.end()};
}

void expect_same(const std::vector<yolov7::Box>& a, const std::vector<yolov7::Box>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].class_index, b[i].class_index);
    EXPECT_EQ(a[i].score, b[i].score);
    EXPECT_EQ(a[i].x1, b[i].x1);
    EXPECT_EQ(a[i].y2, b[i].y2);
  }
}

template <class Call>
std::string failure(int code, const Call& call) {
  yolov7_error* error = nullptr;
  EXPECT_EQ(call(&error), code);
  EXPECT_EQ(yolov7_error_code(error), code);
  const std::string message = yolov7_error_message(error);
  yolov7_error_free(error);
  return message;
}

class CApi : public testing::Test {
 protected:
  static void SetUpTestSuite() {
#ifdef YOLOV7_WITH_OPENVINO
    detector_ = new yolov7::Detector(weights);
#endif
  }
  void SetUp() override {
    if (detector_ == nullptr) GTEST_SKIP() << "this build has no OpenVINO";
  }
  static void TearDownTestSuite() {
    delete detector_;
    detector_ = nullptr;
  }
  static yolov7::Detector* detector_;
  Drawn drawn_;
};
yolov7::Detector* CApi::detector_ = nullptr;

TEST_F(CApi, TellsVersionAndModel) {
  EXPECT_EQ(yolov7_abi_version(), YOLOV7_ABI_VERSION);
  EXPECT_EQ(std::string(yolov7_version()), YOLOV7_EXPECTED_VERSION);
  const yolov7::Info info = detector_->info();
  EXPECT_EQ(info.stride, 32);  // yolov7-tiny: three levels, 8, 16, 32
  EXPECT_EQ(info.fixed_height, 0);
  EXPECT_EQ(static_cast<std::size_t>(info.class_count), detector_->names().size());
  EXPECT_GT(info.class_count, 1);
  EXPECT_NE(detector_->description().find("float32"), std::string::npos);
}

TEST_F(CApi, AMissingFileIsAnErrorThatNamesIt) {
  auto* const before = reinterpret_cast<yolov7_model*>(16);
  yolov7_model* model = before;
  const std::string message = failure(1, [&](yolov7_error** error) {
    return yolov7_model_open("no/such.pt", nullptr, &model, error);
  });
  EXPECT_NE(message.find("no/such.pt"), std::string::npos) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos);
  EXPECT_EQ(model, before);
  EXPECT_EQ(yolov7_model_open("no/such.pt", nullptr, &model, nullptr), 1);
}

TEST_F(CApi, NullIsAWrongCall) {
  yolov7_model* model = nullptr;
  yolov7_results* results = nullptr;
  EXPECT_NE(
      failure(2, [&](yolov7_error** e) { return yolov7_model_open(nullptr, nullptr, &model, e); })
          .find("path"),
      std::string::npos);
  EXPECT_NE(
      failure(2, [&](yolov7_error** e) { return yolov7_model_open("x", nullptr, nullptr, e); })
          .find("model"),
      std::string::npos);
  EXPECT_NE(failure(2,
                    [&](yolov7_error** e) {
                      return yolov7_detect(nullptr, nullptr, 0, nullptr, &results, e);
                    })
                .find("model"),
            std::string::npos);
  EXPECT_NE(failure(2,
                    [&](yolov7_error** e) {
                      return yolov7_detect_encoded(nullptr, nullptr, 0, nullptr, nullptr, &results,
                                                   e);
                    })
                .find("bytes"),
            std::string::npos);
  EXPECT_EQ(results, nullptr);
  yolov7_model_free(nullptr);
  yolov7_results_free(nullptr);
  yolov7_error_free(nullptr);
  EXPECT_EQ(yolov7_results_count(nullptr), 0U);
  EXPECT_EQ(yolov7_model_class_name(nullptr, 0), nullptr);
}

TEST_F(CApi, AnEarlierHeadersStructIsShorter) {
  yolov7_model_options options;
  yolov7_model_options_init(&options);
  EXPECT_EQ(options.size, sizeof options);
  options.size = offsetof(yolov7_model_options, threads);
  options.threads = -7;  // beyond what the caller's header has: never looked at
  yolov7_model* model = nullptr;
  yolov7_error* error = nullptr;
  ASSERT_EQ(yolov7_model_open(weights.c_str(), &options, &model, &error), 0)
      << yolov7_error_message(error);
  yolov7_model_info info;
  yolov7_model_info_init(&info);
  info.size = offsetof(yolov7_model_info, stride);
  info.stride = -5;
  EXPECT_EQ(yolov7_model_get_info(model, &info, nullptr), 0);
  EXPECT_GT(info.class_count, 1);
  EXPECT_EQ(info.stride, -5);
  EXPECT_EQ(info.size, offsetof(yolov7_model_info, stride));
  yolov7_model_free(model);

  options.size = sizeof options + 8;  // of a later header, with a wish that is unknown here
  EXPECT_NE(failure(2,
                    [&](yolov7_error** e) {
                      return yolov7_model_open(weights.c_str(), &options, &model, e);
                    })
                .find("size"),
            std::string::npos);
  options.size = sizeof options;
  EXPECT_NE(failure(2,
                    [&](yolov7_error** e) {
                      return yolov7_model_open(weights.c_str(), &options, &model, e);
                    })
                .find("threads: expected 0 or more, found -7"),
            std::string::npos);
}

TEST_F(CApi, InitWritesNoMoreThanAnEarlierHeadersStruct) {
  // The first header's yolov7_model_options ended before model_cache.
  constexpr std::size_t earlier = offsetof(yolov7_model_options, model_cache);
  struct {
    yolov7_model_options options;
    unsigned char behind[8];
  } guarded;
  std::memset(&guarded, 0xA5, sizeof guarded);
  yolov7_model_options_init_sized(&guarded.options, earlier);
  EXPECT_EQ(guarded.options.size, earlier);
  EXPECT_STREQ(guarded.options.precision, "float32");
  const auto* bytes = reinterpret_cast<const unsigned char*>(&guarded);
  for (std::size_t i = earlier; i < sizeof guarded; ++i) ASSERT_EQ(bytes[i], 0xA5) << i;
  yolov7_model* model = nullptr;
  yolov7_error* error = nullptr;
  ASSERT_EQ(yolov7_model_open(weights.c_str(), &guarded.options, &model, &error), 0)
      << yolov7_error_message(error);
  yolov7_model_free(model);

  yolov7_detect_options detect;
  std::memset(&detect, 0xA5, sizeof detect);
  yolov7_detect_options_init_sized(&detect, offsetof(yolov7_detect_options, tile));
  EXPECT_LT(detect.conf_thres, 0);
  EXPECT_EQ(detect.max_det, 300);  // the program's default
  EXPECT_EQ(detect.tile, static_cast<int>(0xA5A5A5A5U));
  yolov7_model_options_init_sized(&guarded.options, 3);  // not even a size: nothing is written
  EXPECT_EQ(guarded.options.size, earlier);
}

TEST_F(CApi, ACompiledNetworkIsKeptWhereItIsWanted) {
  std::string folder = (std::filesystem::temp_directory_path() / "model cache XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto files = [&] {
    return std::distance(std::filesystem::directory_iterator(folder),
                         std::filesystem::directory_iterator());
  };
  const auto boxes = [&](const std::string& cache) {
    yolov7::ModelOptions options;
    options.model_cache = cache;
    return boxes_of(yolov7::Detector(weights, options).detect(drawn_.image(), every_box()));
  };
  const auto expected = boxes_of(detector_->detect(drawn_.image(), every_box()));
  ASSERT_GT(expected.size(), 3U) << "a test of nothing";
  EXPECT_EQ(files(), 0);  // the library's own default keeps nothing
  expect_same(boxes(folder), expected);
  EXPECT_EQ(files(), 1);
  expect_same(boxes(folder), expected);  // of the kept one
  EXPECT_EQ(files(), 1);

  // A folder that was there keeps its rights; one that is made is for its user alone.
  const auto rights = [](const std::string& path) {
    return std::filesystem::status(path).permissions();
  };
  using std::filesystem::perms;
  const perms open = perms::owner_all | perms::group_read | perms::group_exec | perms::others_read |
                     perms::others_exec;
  const std::string shared = folder + "/shared", made = folder + "/made";
  std::filesystem::create_directory(shared);
  std::filesystem::permissions(shared, open);
  boxes(shared), boxes(made);
  EXPECT_EQ(rights(shared), open);
  EXPECT_EQ(rights(made), perms::owner_all);
  std::filesystem::remove_all(folder);
}

TEST_F(CApi, EveryPixelFormatIsTheSameImage) {
  const auto expected = boxes_of(detector_->detect(drawn_.image(), every_box()));
  ASSERT_GT(expected.size(), 3U) << "a test of nothing";
  const auto pixels = static_cast<std::size_t>(drawn_.width * drawn_.height);
  std::vector<unsigned char> rgb(3 * pixels), bgra(4 * pixels), rgba(4 * pixels);
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned char value = drawn_.bgr[3 * i + c];
      rgb[3 * i + 2 - c] = bgra[4 * i + c] = rgba[4 * i + 2 - c] = value;
      bgra[4 * i + 3] = rgba[4 * i + 3] = 7;
    }
  for (const auto& [bytes, format] :
       {std::pair(&rgb, YOLOV7_RGB), std::pair(&bgra, YOLOV7_BGRA), std::pair(&rgba, YOLOV7_RGBA)})
    expect_same(
        boxes_of(detector_->detect(
            yolov7::Image{bytes->data(), drawn_.width, drawn_.height, 0, format}, every_box())),
        expected);

  // Rows that lie apart.
  const std::size_t row = static_cast<std::size_t>(3 * drawn_.width), apart = row + 13;
  std::vector<unsigned char> padded(apart * static_cast<std::size_t>(drawn_.height), 255);
  for (std::size_t y = 0; y < static_cast<std::size_t>(drawn_.height); ++y)
    std::memcpy(&padded[y * apart], &drawn_.bgr[y * row], row);
  expect_same(boxes_of(detector_->detect(
                  yolov7::Image{padded.data(), drawn_.width, drawn_.height, apart, YOLOV7_BGR},
                  every_box())),
              expected);

  std::vector<unsigned char> gray(pixels), three(3 * pixels);
  for (std::size_t i = 0; i < pixels; ++i)
    gray[i] = three[3 * i] = three[3 * i + 1] = three[3 * i + 2] = drawn_.bgr[3 * i];
  expect_same(
      boxes_of(detector_->detect(
          yolov7::Image{gray.data(), drawn_.width, drawn_.height, 0, YOLOV7_GRAY}, every_box())),
      boxes_of(detector_->detect(
          yolov7::Image{three.data(), drawn_.width, drawn_.height, 0, YOLOV7_BGR}, every_box())));
}

TEST_F(CApi, SeveralImagesAndTheirSizes) {
  const auto expected = boxes_of(detector_->detect(drawn_.image(), every_box()));
  yolov7::Image upper = drawn_.image();
  upper.height = 64;
  const yolov7::Results results =
      detector_->detect({drawn_.image(), upper, drawn_.image()}, every_box());
  ASSERT_EQ(results.size(), 3U);
  EXPECT_EQ(results.image_size(1), std::pair(160, 64));
  // Images of one size go through the network together: sums in another order, so not to the bit.
  const auto last = boxes_of(results, 2);
  ASSERT_EQ(last.size(), expected.size());
  for (std::size_t i = 0; i < last.size(); ++i) EXPECT_NEAR(last[i].score, expected[i].score, 1e-5);
  for (const yolov7::Box& box : boxes_of(results, 1)) {
    EXPECT_GE(box.x1, 0);
    EXPECT_LE(box.y2, 64);
  }
  EXPECT_THROW(results.boxes(3), yolov7::Exception);
  EXPECT_EQ(detector_->detect(std::vector<yolov7::Image>{}).size(), 0U);
}

TEST_F(CApi, OptionsChooseBoxes) {
  const auto all = boxes_of(detector_->detect(drawn_.image(), every_box()));
  auto options = every_box();
  options.max_det = 2;
  const auto two = boxes_of(detector_->detect(drawn_.image(), options));
  expect_same(two, {all[0], all[1]});
  options = every_box();
  options.classes = std::vector<int>{all[0].class_index};
  for (const yolov7::Box& box : boxes_of(detector_->detect(drawn_.image(), options)))
    EXPECT_EQ(box.class_index, all[0].class_index);
  EXPECT_EQ(boxes_of(detector_->detect(drawn_.image(), options)).size(),
            static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const auto& box) {
              return box.class_index == all[0].class_index;
            })));
  options = every_box();
  options.conf_thres = all[0].score;  // strict: the best one is not above itself
  EXPECT_TRUE(boxes_of(detector_->detect(drawn_.image(), options)).empty());
  options = every_box();
  options.iou_thres = 1;  // nothing overlaps by more
  EXPECT_GT(boxes_of(detector_->detect(drawn_.image(), options)).size(), all.size());
  options = every_box();
  options.agnostic = true;  // between classes, too
  EXPECT_LT(boxes_of(detector_->detect(drawn_.image(), options)).size(), all.size());
  options = every_box();
  options.tile = 64;  // each tile is looked at in 160 px, so boxes differ
  options.tile_overlap = 0.5;
  const yolov7::Results tiled = detector_->detect(drawn_.image(), options);
  EXPECT_NE(boxes_of(tiled).size(), all.size());
  // 64 px with an overlap of 32: 4 columns, 2 rows, and the whole image. No clock is exact, but
  // nine passes are no single one.
  EXPECT_GT(tiled.times().inference,
            2 * detector_->detect(drawn_.image(), every_box()).times().inference);
  EXPECT_GE(tiled.times().pre, 0);
}

TEST_F(CApi, OptionsOfAModelHaveTheirEffect) {
  yolov7::ModelOptions options;
  options.names = "only,two";
  try {
    yolov7::Detector(weights, options);
    ADD_FAILURE() << "expected an error: the checkpoint has other names";
  } catch (const yolov7::Exception& error) {
    EXPECT_NE(std::string(error.what()).find("only, two"), std::string::npos) << error.what();
  }
  options = {};
  options.backend = "ONNXRuntime";
  try {
    yolov7::Detector(weights, options);
    ADD_FAILURE() << "expected an error: no such backend";
  } catch (const yolov7::Exception& error) {
    EXPECT_STREQ(error.what(),
                 "backend: expected openvino, onnxruntime or libtorch, found 'ONNXRuntime'");
    EXPECT_EQ(error.code(), 2);
  }
  options = {};
  options.augment = true;
  const auto once = boxes_of(detector_->detect(drawn_.image(), every_box()));
  const auto thrice =
      boxes_of(yolov7::Detector(weights, options).detect(drawn_.image(), every_box()));
  ASSERT_FALSE(thrice.empty());
  EXPECT_TRUE(thrice.size() != once.size() || thrice[0].score != once[0].score);
}

TEST_F(CApi, ManyImagesGoThroughInParts) {
  // Thirty-five: two batches of 16 and one of 3. Each image is told from the others by its height.
  std::vector<yolov7::Image> images(35, drawn_.image());
  images[20].height = 64;
  const yolov7::Results results = detector_->detect(images, every_box());
  ASSERT_EQ(results.size(), 35U);
  const std::size_t boxes = boxes_of(detector_->detect(drawn_.image(), every_box())).size();
  for (std::size_t i = 0; i < 35; ++i) {
    EXPECT_EQ(results.image_size(i).second, i == 20 ? 64 : 96) << i;
    if (i == 20) continue;
    EXPECT_EQ(results.boxes(i).size(), boxes) << i;
  }
}

TEST_F(CApi, AnImageThatLacksItsEndIsAWarning) {
  // A JPEG of 1,000 rows without the last bytes of its scan.
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "yolov7_c_api_cut.jpg";
  std::vector<unsigned char> rows(std::size_t{3} * 64 * 1000);
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows[i] = static_cast<unsigned char>(i * 2654435761U >> 24);
  yolov7::write_image(path.string(), {rows.data(), 64, 1000, 0, YOLOV7_BGR});
  std::filesystem::resize_file(path, std::filesystem::file_size(path) * 99 / 100);
  std::string said;
  yolov7_set_log(
      YOLOV7_LOG_WARNING,
      [](int, const char* text, void* context) { *static_cast<std::string*>(context) += text; },
      &said);
  detector_->detect(path.string(), every_box());
  EXPECT_NE(said.find("the end of the file is missing"), std::string::npos) << said;
  EXPECT_NE(said.find(path.string()), std::string::npos) << said;
  said.clear();
  const yolov7::Picture read(path.string());
  EXPECT_NE(said.find("the end of the file is missing"), std::string::npos) << said;
  yolov7_set_log(YOLOV7_LOG_WARNING, nullptr, nullptr);
  std::filesystem::remove(path);
}

TEST_F(CApi, WrongOptionsAreNamed) {
  const auto message = [&](auto change) {
    yolov7::DetectOptions options;
    yolov7::Image image = drawn_.image();
    change(options, image);
    try {
      detector_->detect(image, options);
    } catch (const yolov7::Exception& error) {
      return std::to_string(error.code()) + " " + error.what();
    }
    return std::string("no error");
  };
  using Options = yolov7::DetectOptions;
  using Image = yolov7::Image;
  EXPECT_EQ(message([](Options& o, Image&) { o.conf_thres = 1.5; }),
            "2 conf_thres: expected 0 to 1, found 1.5");
  EXPECT_EQ(message([](Options& o, Image&) { o.max_det = 0; }),
            "2 max_det: expected 1 or more, found 0");
  EXPECT_EQ(message([](Options&, Image& i) { i.pixels = nullptr; }),
            "2 pixels: expected an image, found NULL");
  EXPECT_EQ(message([](Options&, Image& i) { i.width = 0; }),
            "2 image: expected 1 to 65535 pixels a side, found 0 x 96");
  EXPECT_EQ(message([](Options&, Image& i) { i.format = 9; }),
            "2 format: expected 0 to 4 (yolov7_pixel_format), found 9");
  EXPECT_EQ(message([](Options&, Image& i) { i.stride = 10; }),
            "2 stride: expected 0 or at least the 480 bytes of a row, found 10");
  EXPECT_EQ(message([](Options& o, Image&) { o.classes = std::vector<int>{4711}; }).substr(0, 1),
            "2");
  EXPECT_EQ(message([](Options& o, Image&) { o.classes = std::vector<int>{}; }),
            "2 class_count: expected the number of classes to look for, found 0");
  EXPECT_EQ(message([](Options& o, Image&) { o.iou_thres = -0.5; }),
            "2 iou_thres: expected 0 to 1, found -0.500000");
  EXPECT_EQ(message([](Options& o, Image&) { o.image_size = 65536; }),
            "2 image_size: expected 0 to 16384, found 65536");
  // Not a number is no "not given" in C, either.
  yolov7_model* model = nullptr;
  ASSERT_EQ(yolov7_model_open(weights.c_str(), nullptr, &model, nullptr), 0);
  yolov7_detect_options options;
  yolov7_detect_options_init(&options);
  options.conf_thres = std::numeric_limits<double>::quiet_NaN();
  const yolov7::Image image = drawn_.image();
  yolov7_results* results = nullptr;
  EXPECT_EQ(failure(2,
                    [&](yolov7_error** error) {
                      return yolov7_detect(model, &image, 1, &options, &results, error);
                    }),
            "conf_thres: expected 0 to 1, found nan");
  yolov7_model_free(model);
}

TEST_F(CApi, FilesAndTheirBytesAreTheSameImage) {
  // A portable pixmap is no format of ours; BMP is: 14 + 40 bytes, rows from below, each a multiple
  // of 4 bytes (480 is one).
  std::string bmp("BM", 2);
  const auto number = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) bmp += static_cast<char>(value >> (8 * i));
  };
  const auto size = static_cast<std::uint32_t>(drawn_.bgr.size());
  number(54 + size, 4), number(0, 4), number(54, 4);
  number(40, 4), number(160, 4), number(96, 4), number(1, 2), number(24, 2), number(0, 4);
  number(size, 4), number(2835, 4), number(2835, 4), number(0, 4), number(0, 4);
  for (int y = drawn_.height - 1; y >= 0; --y)
    bmp.append(reinterpret_cast<const char*>(&drawn_.bgr[static_cast<std::size_t>(480 * y)]), 480);
  const auto expected = boxes_of(detector_->detect(drawn_.image(), every_box()));
  expect_same(boxes_of(detector_->detect_encoded(bmp.data(), bmp.size(), "drawn", every_box())),
              expected);
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "yolov7_c_api_drawn.bmp";
  std::ofstream(path, std::ios::binary) << bmp;
  expect_same(boxes_of(detector_->detect(path.string(), every_box())), expected);
  std::filesystem::remove(path);
  EXPECT_NE(failure(1,
                    [&](yolov7_error** error) {
                      yolov7_results* results = nullptr;
                      yolov7_model* model = nullptr;
                      EXPECT_EQ(yolov7_model_open(weights.c_str(), nullptr, &model, nullptr), 0);
                      const int code = yolov7_detect_encoded(model, bmp.data(), 200, "cut off",
                                                             nullptr, &results, error);
                      yolov7_model_free(model);
                      return code;
                    })
                .find("cut off"),
            std::string::npos);
}

TEST_F(CApi, DrawsAndWrites) {
  const yolov7::Results results = detector_->detect(drawn_.image(), every_box());
  ASSERT_GT(results.boxes().size(), 0U);
  const std::vector<unsigned char> bgr = detector_->draw(results, drawn_.image());
  ASSERT_EQ(bgr.size(), drawn_.bgr.size());
  EXPECT_NE(bgr, drawn_.bgr);
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / "yolov7_c_api_written.png";
  yolov7::write_image(path.string(), drawn_.image());
  expect_same(boxes_of(detector_->detect(path.string(), every_box())), boxes_of(results));
  const yolov7::Picture read(path.string());
  EXPECT_EQ(read.image().width, 160);
  EXPECT_EQ(read.image().height, 96);
  EXPECT_EQ(std::memcmp(read.image().pixels, drawn_.bgr.data(), drawn_.bgr.size()), 0);
  EXPECT_THROW(yolov7::Picture("abc", 3, "three bytes"), yolov7::Exception);
  std::filesystem::remove(path);
  yolov7::Image smaller = drawn_.image();
  smaller.height = 64;
  try {
    detector_->draw(results, smaller);
    ADD_FAILURE() << "expected an error";
  } catch (const yolov7::Exception& error) {
    EXPECT_STREQ(error.what(),
                 "pixels: expected the image of the result, 160 x 96, found 160 x 64");
  }
  EXPECT_THROW(yolov7::write_image("x.gif", drawn_.image()), yolov7::Exception);

  // An image that is none: an error of ours, and no memory of its size.
  yolov7::Image huge = drawn_.image();
  huge.width = huge.height = 2'000'000'000;
  EXPECT_THROW(detector_->draw(results, huge), yolov7::Exception);
  // An error leaves the caller's memory as it was.
  std::vector<unsigned char> untouched(drawn_.bgr.size(), 7);
  const yolov7::Image image = drawn_.image();
  EXPECT_EQ(yolov7_results_draw(results.handle(), 0, nullptr, &image, untouched.data(), nullptr),
            2);
  EXPECT_EQ(untouched, std::vector<unsigned char>(drawn_.bgr.size(), 7));
}

TEST_F(CApi, MessagesGoToTheCaller) {
  std::string said;
  yolov7_set_log(
      YOLOV7_LOG_WARNING,
      [](int level, const char* text, void* context) {
        *static_cast<std::string*>(context) += std::to_string(level) + text + "\n";
      },
      &said);
  yolov7::DetectOptions options = every_box();
  options.image_size = 150;  // no multiple of 32
  detector_->detect(drawn_.image(), options);
  const std::size_t once = said.size();
  detector_->detect(drawn_.image(), options);  // the next frame of a video
  EXPECT_EQ(said.size(), once);
  yolov7_set_log(YOLOV7_LOG_WARNING, nullptr, nullptr);
  EXPECT_EQ(said.substr(0, 1), "2");
  EXPECT_NE(said.find("150"), std::string::npos) << said;
  EXPECT_NE(said.find("160"), std::string::npos) << said;
}

TEST_F(CApi, ThreadsShareAModel) {
  const auto expected = boxes_of(detector_->detect(drawn_.image(), every_box()));
  std::atomic<int> equal = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) {
        const auto found = boxes_of(detector_->detect(drawn_.image(), every_box()));
        if (found.size() == expected.size() && found[0].score == expected[0].score) ++equal;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(equal, 20);
}

}  // namespace
