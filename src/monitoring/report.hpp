#pragma once
// report.html: a run on one page, from the files in its folder; nothing outside the page is needed
// to read it, and it runs no script.
#include <filesystem>
#include <string>

namespace yolov7::monitoring {

/// Best epoch, plots, metrics by class, first batches, the whole table of epochs, exported files
/// with what their certificates say, configuration.
/// What is not there is left out. Errors: results.csv is missing or has no row, a file that cannot
/// be read.
std::string run_report(const std::filesystem::path& folder);

/// A validation: headline figures with their intervals, classes, thresholds, curves, confusion,
/// errors, objects by size, shape and crowding, the worst pictures, speed. What is not there is
/// left out. Errors: results.json is missing or no JSON object, a file that cannot be read.
std::string validation_report(const std::filesystem::path& folder);

}  // namespace yolov7::monitoring
