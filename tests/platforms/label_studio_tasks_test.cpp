// Names and keys by which images are found again on servers, and the rows that are sent.
#include "platforms/label_studio_tasks.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "platforms/label_studio_pull.hpp"
#include "platforms/roboflow_upload.hpp"
#include "tests/core/http_server.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::platforms {
namespace {

using dataset::AnnotatedImage;
using dataset::AnnotatedObject;

AnnotatedImage image_of(const std::string& file, const std::string& hash) {
  AnnotatedImage image;
  image.file = file;
  image.content_hash = hash;
  image.width = 64;
  image.height = 32;
  return image;
}

AnnotatedObject box_of(int name, Xyxy box) {
  AnnotatedObject object;
  object.class_index = name;
  object.box = box;
  return object;
}

/// A client of a server of the tests' own.
LabelStudio client_of(const test::HttpServer& server) {
  return {http::parse_address(server.address(), "test"), {"t0ken", "the test"}, {.most = 1}, {}};
}

TEST(LabelStudioTasks, EqualImagesHaveKeysOfTheirOwn) {
  dataset::AnnotatedSet set;
  for (const char* hash : {"aa", "bb", "aa", "aa"}) set.images.push_back(image_of("x.png", hash));
  EXPECT_EQ(task_keys(set), (std::vector<std::string>{"aa", "bb", "aa-2", "aa-3"}));
}

TEST(LabelStudioTasks, TheMarkIsFoundInTheServersPath) {
  const std::string hash = "0123456789abcdef0123456789abcdef";
  EXPECT_EQ(mark_of(hash), "0123456789ab");
  EXPECT_EQ(mark_of(hash + "-2"), "0123456789abx2");
  EXPECT_EQ(upload_name(image_of("a/b c_d-e.png", hash), hash + "-2"),
            "0123456789abx2_b c_d-e.png");
  // The server writes 8 digits in front, and "_" for blanks.
  EXPECT_EQ(mark_in("upload/7/fedcba98-0123456789abx2_b_c_d-e.png"), "0123456789abx2");
  EXPECT_EQ(mark_in("upload/7/fedcba98-other.png"), "");
  EXPECT_EQ(mark_in("other"), "");
  // 39 letters and half of a character: cut before it.
  const std::string name = upload_name(image_of(std::string(39, 'x') + "äöü.jpeg", hash), hash);
  EXPECT_EQ(name, "0123456789ab_" + std::string(39, 'x') + ".jpeg");
  EXPECT_TRUE(text::is_utf8(name));
}

TEST(LabelStudioTasks, ClassesAndShapesThatTheProjectLacks) {
  dataset::AnnotatedSet set;
  set.classes = {{"cat", "", "", ""}, {"dog", "", "", ""}, {"unused", "", "", ""}};
  set.images = {image_of("x.png", "aa")};
  set.images[0].objects = {box_of(0, {0, 0, 8, 8}), box_of(1, {0, 0, 8, 8})};
  LabelProject project{7, "cells", "image", LabelControl{"label", "image", {"cat", "dog"}}, {}};
  require_classes(set, project);
  set.images[0].objects[1].rings = {{{0, 0}, {8, 0}, {8, 8}}};
  const std::string shape = test::error_of([&] { require_classes(set, project); });
  EXPECT_NE(shape.find("'dog'"), std::string::npos) << shape;
  EXPECT_NE(shape.find("<PolygonLabels>"), std::string::npos) << shape;
  project.polygons = LabelControl{"polygon", "image", {"dog"}};
  require_classes(set, project);
  project.boxes->labels = {"dog"};
  EXPECT_NE(test::error_of([&] { require_classes(set, project); }).find("'cat' in <Rectangle"),
            std::string::npos);
}

TEST(RoboflowRows, BoxesAndPolygonsInTheShortestDigits) {
  AnnotatedImage image = image_of("x.png", "aa");
  AnnotatedObject polygon = box_of(1, {16, 8, 48, 24}), other = polygon;
  polygon.rings = {{{16, 8}, {48, 8}, {48, 24}}};
  other.rings = {{{16, 8}, {47, 8}, {47, 24}}};  // its own box is another one
  image.objects = {box_of(0, {16, 8, 48, 24}), polygon, other, box_of(2, {0, 0, 6.4, 3.2})};
  EXPECT_EQ(roboflow_rows(image),
            "0 0.5 0.5 0.5 0.5\n"
            "1 0.25 0.25 0.75 0.25 0.75 0.75\n"
            "1 0.5 0.5 0.5 0.5\n"
            "2 0.05 0.05 0.1 0.1\n");
  EXPECT_EQ(roboflow_rows(image_of("y.png", "bb")), "");
}

// Two tasks of each key, in both orders.
TEST(LabelStudioTasks, TheStateOfAKeyDoesNotDependOnTheOrderOfItsTasks) {
  const auto task = [](const std::string& key, const std::string& annotations) {
    return R"({"id": 1, "meta": {"yolov7": {"key": ")" + key + R"("}}, "annotations": [)" +
           annotations + "]}";
  };
  const std::string nothing, skipped = R"({"id": 1, "was_cancelled": true, "result": []})",
                             annotated = R"({"id": 1, "result": []})";
  const std::string tasks = "[" + task("a", skipped) + "," + task("a", nothing) + "," +
                            task("b", nothing) + "," + task("b", skipped) + "," +
                            task("c", annotated) + "," + task("c", skipped) + "," +
                            task("d", skipped) + "," + task("d", annotated) + "]";
  const test::HttpServer server([&](const httplib::Request&, httplib::Response& response) {
    response.set_content(tasks, "application/json");
  });
  LabelStudio client = client_of(server);
  EXPECT_EQ(task_states(client, {}),
            (std::map<std::string, TaskState>{{"a", TaskState::skipped},
                                              {"b", TaskState::skipped},
                                              {"c", TaskState::annotated},
                                              {"d", TaskState::annotated}}));
}

TEST(LabelStudioTasks, AllPagesOfProjectsAndPeopleAreRead) {
  const test::HttpServer server([](const httplib::Request& request, httplib::Response& response) {
    const bool second = request.has_param("page");
    const std::string next = second ? "null" : R"("http://127.0.0.1/?page=2")";
    const std::string one =
        request.path == "/api/users/"
            ? (second ? R"({"id": 8, "email": "b@c"})" : R"({"id": 7, "email": "a@b"})")
            : (second ? R"({"id": 5, "title": "cells", "parsed_label_config": {"box": {
                          "type": "RectangleLabels", "to_name": ["pic"], "labels": ["cat"],
                          "inputs": [{"type": "Image", "value": "photo"}]}}})"
                      : R"({"id": 4, "title": "cells of another kind"})");
    response.set_content(R"({"next": )" + next + R"(, "results": [)" + one + "]}",
                         "application/json");
  });
  LabelStudio client = client_of(server);
  const auto project = client.find_project("cells");
  ASSERT_TRUE(project);
  EXPECT_EQ(project->id, 5);
  EXPECT_EQ(client.people(), (std::map<std::int64_t, std::string>{{7, "a@b"}, {8, "b@c"}}));
  EXPECT_EQ(server.seen().size(), 4U);
}

}  // namespace
}  // namespace yolov7::platforms
