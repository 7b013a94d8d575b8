// The canonical form of a version: worked by hand, with SHA-256 of other programs.
#include "versions/content.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/sha256.hpp"
#include "tests/scratch_folder.hpp"
#include "versions/store.hpp"

namespace yolov7::versions {
namespace {

Digest filled(unsigned char byte) {
  Digest digest;
  digest.fill(byte);
  return digest;
}

std::string repeated(const std::string& digits) {
  std::string text;
  for (int i = 0; i < 32; ++i) text += digits;
  return text;
}

TEST(Content, PagesAreTheWrittenText) {
  const std::vector<Item> items = {{"images/a\tb.jpg", "train", filled(0x11), filled(0x22)},
                                   {"images/c.jpg", "val", filled(0x33), {}}};
  std::vector<std::string> pages;
  for_each_page(
      items, [&](std::string text, std::size_t, std::size_t) { pages.push_back(std::move(text)); });
  ASSERT_EQ(pages.size(), 1u);
  EXPECT_EQ(pages[0], "images/a\\tb.jpg\ttrain\t" + repeated("11") + "\t" + repeated("22") +
                          "\nimages/c.jpg\tval\t" + repeated("33") + "\t-\n");
  EXPECT_EQ(parse_page(pages[0], "page"), items);
}

// A page ends behind an image whose hash ends in six zero bits.
TEST(Content, PagesEndByTheImagesAlone) {
  std::vector<Item> items;
  for (int i = 0; i < 5; ++i)
    items.push_back({"i" + std::to_string(i), "train", filled(i == 2 ? 0x40 : 0x41), {}});
  std::vector<std::pair<std::size_t, std::size_t>> pages;
  const auto cut = [&] {
    pages.clear();
    for_each_page(items, [&](const std::string&, std::size_t first, std::size_t count) {
      pages.emplace_back(first, count);
    });
  };
  cut();
  EXPECT_EQ(pages, (std::vector<std::pair<std::size_t, std::size_t>>{{0, 3}, {3, 2}}));
  items.assign(2050, items[0]);
  cut();
  EXPECT_EQ(pages,
            (std::vector<std::pair<std::size_t, std::size_t>>{{0, 1024}, {1024, 1024}, {2048, 2}}));
}

// printf 'classes 1\nkey points 0 0\ncell\n' | sha256sum, and so on for page and root.
TEST(Content, TheIdIsThatOfTheSpecification) {
  Content content;
  content.classes.classes = {{"cell", {}, {}, {}}};
  content.items = {{"images/a.jpg", "train", filled(0x11), filled(0x22)}};
  const std::string page = "images/a.jpg\ttrain\t" + repeated("11") + "\t" + repeated("22") + "\n";
  const std::string root = "yolov7.cpp data set version 1\nclasses " +
                           sha256("classes 1\nkey points 0 0\ncell\n") + "\npage " + sha256(page) +
                           "\n";
  EXPECT_EQ(hex(id_of(content)), sha256(root));
}

TEST(Content, ClassesComeBack) {
  ClassList classes;
  classes.classes = {{"key points 1 2", {}, {}, {}}, {"a\nb", "7", "animal", "#ff0000"}};
  classes.key_points = 17, classes.key_point_values = 3;
  const std::string text = text_of(classes);
  EXPECT_EQ(text, "classes 2\nkey points 17 3\nkey points 1 2\na\\nb\t7\tanimal\t#ff0000\n");
  EXPECT_EQ(parse_classes(text, "classes"), classes);
}

TEST(Content, WhatLeadsOutOfTheFolderIsRefused) {
  for (const std::string path : {"../a.jpg", "/a.jpg", "a/../../b.jpg", "", "a//b.jpg", "./a.jpg"})
    EXPECT_NE(test::error_of([&] {
                parse_page(path + "\ttrain\t" + repeated("11") + "\t-\n", "page 1");
              }).find("page 1: expected a path below the folder"),
              std::string::npos)
        << path;
  EXPECT_NE(test::error_of([&] {
              parse_page("a.jpg\t../x\t" + repeated("11") + "\t-\n", "page 1");
            }).find("expected the name of a split"),
            std::string::npos);
}

TEST(Content, DamagedTextsAreNamed) {
  EXPECT_NE(test::error_of([] { parse_page("a\tb\n", "page 1"); }).find("four fields"),
            std::string::npos);
  EXPECT_NE(test::error_of([] { parse_page("a\ttrain\tzz\t-\n", "page 1"); }).find("64 hex"),
            std::string::npos);
  EXPECT_NE(
      test::error_of([] { parse_root("something\n", "version 1"); }).find("expected a version"),
      std::string::npos);
  EXPECT_NE(test::error_of([] {
              parse_classes("classes 2\nkey points 0 0\na\n", "c");
            }).find("as many classes"),
            std::string::npos);
}

}  // namespace
}  // namespace yolov7::versions
