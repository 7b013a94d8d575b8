#include "platforms/journal.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/error.hpp"
#include "core/file.hpp"

namespace yolov7::platforms {
namespace fs = std::filesystem;

/// A prepared statement with texts bound from 1 on.
class Journal::Statement {
 public:
  template <class... Texts>
  Statement(const Journal& journal, const char* sql, const Texts&... texts) : journal_(journal) {
    check(sqlite3_prepare_v2(journal.database_, sql, -1, &statement_, nullptr));
    int index = 0;
    (check(sqlite3_bind_text(statement_, ++index, texts.data(), static_cast<int>(texts.size()),
                             SQLITE_TRANSIENT)),
     ...);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) check(code);
    return code == SQLITE_ROW;
  }
  std::string text() const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, 0));
    return bytes == nullptr ? "" : bytes;
  }

 private:
  void check(int code) const {
    if (code != SQLITE_OK)
      throw Error(
          fmt::format("{}: {}", journal_.file_.string(), sqlite3_errmsg(journal_.database_)));
  }
  const Journal& journal_;
  sqlite3_stmt* statement_ = nullptr;
};

Journal::Journal(const fs::path& file, std::string place) : file_(file), place_(std::move(place)) {
  if (sqlite3_open(file_.c_str(), &database_) != SQLITE_OK) {
    const std::string why = database_ == nullptr ? "out of memory" : sqlite3_errmsg(database_);
    sqlite3_close(database_);
    throw Error(fmt::format("{}: expected a journal of uploads that can be opened: {}",
                            file_.string(), why));
  }
  try {
    for (const char* sql :
         {"PRAGMA busy_timeout = 5000", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
          "CREATE TABLE IF NOT EXISTS entry (place TEXT NOT NULL, key TEXT NOT NULL, step TEXT NOT "
          "NULL, value TEXT NOT NULL, PRIMARY KEY (place, key, step)) WITHOUT ROWID"}) {
      Statement statement(*this, sql);
      while (statement.step()) {
      }
    }
  } catch (...) {
    sqlite3_close(database_);
    throw;
  }
}

Journal::~Journal() { sqlite3_close(database_); }

std::string Journal::get(const std::string& key, const std::string& step) const {
  Statement rows(*this, "SELECT value FROM entry WHERE place = ? AND key = ? AND step = ?", place_,
                 key, step);
  return rows.step() ? rows.text() : std::string();
}

void Journal::set(const std::string& key, const std::string& step, const std::string& value) {
  Statement(*this, "INSERT OR REPLACE INTO entry (place, key, step, value) VALUES (?, ?, ?, ?)",
            place_, key, step, value)
      .step();
}

void Journal::set_all(const std::map<std::string, std::string>& values, const std::string& step) {
  Statement(*this, "BEGIN IMMEDIATE").step();
  try {
    for (const auto& [key, value] : values) set(key, step, value);
    Statement(*this, "COMMIT").step();
  } catch (...) {
    sqlite3_exec(database_, "ROLLBACK", nullptr, nullptr, nullptr);
    throw;
  }
}

fs::path journal_file(const std::string& given, const fs::path& source) {
  if (!given.empty()) return given;
  const fs::path folder = fs::is_directory(source) ? source : source.parent_path();
  const fs::path place = folder / ".yolov7" / "platforms.sqlite";
  file::make_folder(place.parent_path());
  return place;
}

}  // namespace yolov7::platforms
