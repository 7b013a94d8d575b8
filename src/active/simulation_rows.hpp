#pragma once
// The table of a simulation: one row for each training, appended when it is measured.
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace yolov7::active {

/// "start" is the training with the images that all strategies of a seed begin with (round 0),
/// "full" the one with every image of the pool.
struct SimulationRow {
  int seed = 0, round = 0;
  std::string strategy;
  std::size_t images = 0, boxes = 0, empty = 0;  ///< labelled so far; empty: images without a box
  double cost = 0;                               ///< paid so far
  bool ended = false;  ///< nothing was left to buy: the images are those of the round before
  double map50 = 0, map = 0;
};

/// Costs and mAP are written so that reading gives the same number.
std::string to_csv(const SimulationRow& row);
/// The rows of the table, in their order; none where there is no file. A last line without its end,
/// of a process that was killed, is cut off from the file. Errors: another header, a row that is
/// none, the same run twice.
std::vector<SimulationRow> read_rows(const std::filesystem::path& file);
/// In one write, after the header where the file is new.
void append_row(const std::filesystem::path& file, const SimulationRow& row);
/// All of them in the place of the table.
void write_rows(const std::filesystem::path& file, const std::vector<SimulationRow>& rows);
/// The order of the table: by seed, the start, the whole pool, then the strategies by their names,
/// each by rounds.
bool stands_before(const SimulationRow& a, const SimulationRow& b);
/// The row of a run; nullptr: it is not done.
const SimulationRow* find_row(const std::vector<SimulationRow>& rows, int seed,
                              const std::string& strategy, int round);

}  // namespace yolov7::active
