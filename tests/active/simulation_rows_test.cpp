#include "active/simulation_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/error.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::active {
namespace {

using test::ScratchFolder;

SimulationRow row(int seed, const std::string& strategy, int round) {
  SimulationRow one;
  one.seed = seed, one.strategy = strategy, one.round = round;
  one.images = 12, one.boxes = 30, one.empty = 5, one.cost = 234;
  one.map50 = 0.1 + 0.2, one.map = 1.0 / 3;
  return one;
}

TEST(SimulationRows, AreReadAsTheyWereWritten) {
  const ScratchFolder scratch;
  const auto file = scratch / "runs.csv";
  EXPECT_TRUE(read_rows(file).empty());
  append_row(file, row(0, "start", 0));
  SimulationRow last = row(0, "auto", 1);
  last.ended = true;
  append_row(file, last);
  EXPECT_EQ(test::read_text(file),
            "seed,strategy,round,images,boxes,empty,cost,ended,map50,map\n"
            "0,start,0,12,30,5,234,0,0.30000000000000004,0.3333333333333333\n"
            "0,auto,1,12,30,5,234,1,0.30000000000000004,0.3333333333333333\n");
  const auto rows = read_rows(file);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].map50, 0.1 + 0.2);
  EXPECT_EQ(rows[0].map, 1.0 / 3);
  EXPECT_TRUE(rows[1].ended);
  EXPECT_EQ(find_row(rows, 0, "auto", 1), &rows[1]);
  EXPECT_EQ(find_row(rows, 0, "auto", 2), nullptr);
  EXPECT_EQ(find_row(rows, 1, "auto", 1), nullptr);
}

TEST(SimulationRows, HaveAnOrder) {
  const ScratchFolder scratch;
  const auto file = scratch / "runs.csv";
  // By seed; then the start, the whole pool, the names; then by rounds.
  std::vector<SimulationRow> rows{row(1, "start", 0),  row(0, "random", 2), row(0, "auto", 1),
                                  row(0, "random", 1), row(0, "full", 0),   row(0, "start", 0)};
  std::sort(rows.begin(), rows.end(), stands_before);
  std::string order;
  for (const SimulationRow& one : rows)
    order += std::to_string(one.seed) + " " + one.strategy + " " + std::to_string(one.round) + ";";
  EXPECT_EQ(order, "0 start 0;0 full 0;0 auto 1;0 random 1;0 random 2;1 start 0;");
  append_row(file, row(7, "auto", 1));
  write_rows(file, rows);
  const auto read = read_rows(file);
  ASSERT_EQ(read.size(), 6u);
  EXPECT_EQ(to_csv(read[5]), to_csv(rows[5]));
}

// A row that a killed process began is not there; the next one follows the last whole row.
TEST(SimulationRows, ARowWithoutItsEndIsCutOff) {
  const ScratchFolder scratch;
  const auto file = scratch / "runs.csv";
  append_row(file, row(0, "start", 0));
  const std::string whole = test::read_text(file);
  for (const std::string& begun : {std::string("0,auto,1,12,30"), std::string("0")}) {
    test::write_text(file, whole + begun);
    EXPECT_EQ(read_rows(file).size(), 1u);
    EXPECT_EQ(test::read_text(file), whole);
  }
  test::write_text(file, "seed,strat");
  EXPECT_TRUE(read_rows(file).empty());
  append_row(file, row(0, "start", 0));
  EXPECT_EQ(test::read_text(file), whole);
}

TEST(SimulationRows, WhatIsNoTableIsRefused) {
  const ScratchFolder scratch;
  const auto file = scratch / "runs.csv";
  append_row(file, row(0, "start", 0));
  const std::string whole = test::read_text(file);
  append_row(file, row(0, "start", 0));
  EXPECT_THROW(read_rows(file), Error) << "twice";
  for (const std::string& bad :
       {std::string("0,auto,1,12,30,5,234,0,0.5\n"), std::string("0,auto,x,1,1,1,1,0,0.5,0.5\n"),
        std::string("0,auto,1,1,1,1,1,0,nan,0.5\n"),
        std::string("0,auto,1,-1,1,1,1,0,0.5,0.5\n")}) {
    test::write_text(file, whole + bad);
    EXPECT_THROW(read_rows(file), Error) << bad;
  }
  test::write_text(file, "a,b\n");
  EXPECT_THROW(read_rows(file), Error);
}

}  // namespace
}  // namespace yolov7::active
