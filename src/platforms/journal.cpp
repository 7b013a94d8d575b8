#include "platforms/journal.hpp"

#include <chrono>

#include "core/file.hpp"

namespace yolov7::platforms {
namespace fs = std::filesystem;

Journal::Journal(const fs::path& file, std::string place)
    : place_(std::move(place)), database_(file, {"a journal of uploads", std::chrono::seconds(5)}) {
  database_.run(
      "CREATE TABLE IF NOT EXISTS entry (place TEXT NOT NULL, key TEXT NOT NULL, step TEXT NOT "
      "NULL, value TEXT NOT NULL, PRIMARY KEY (place, key, step)) WITHOUT ROWID");
}

std::string Journal::get(const std::string& key, const std::string& step) const {
  Statement rows(database_, "SELECT value FROM entry WHERE place = ? AND key = ? AND step = ?");
  rows.bind(0, place_).bind(1, key).bind(2, step);
  return rows.step() ? rows.text(0) : std::string();
}

void Journal::set(const std::string& key, const std::string& step, const std::string& value) {
  Statement(database_, "INSERT OR REPLACE INTO entry (place, key, step, value) VALUES (?, ?, ?, ?)")
      .bind(0, place_)
      .bind(1, key)
      .bind(2, step)
      .bind(3, value)
      .step();
}

void Journal::set_all(const std::map<std::string, std::string>& values, const std::string& step) {
  Transaction transaction(database_);
  for (const auto& [key, value] : values) set(key, step, value);
  transaction.commit();
}

fs::path journal_file(const std::string& given, const fs::path& source) {
  if (!given.empty()) return given;
  const fs::path folder = fs::is_directory(source) ? source : source.parent_path();
  const fs::path place = folder / ".yolov7" / "platforms.sqlite";
  file::make_folder(place.parent_path());
  return place;
}

}  // namespace yolov7::platforms
