#include "monitoring/mlflow_queue.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include "core/error.hpp"

namespace yolov7::monitoring {

/// A prepared statement with its values bound from 1 on.
class MlflowQueue::Statement {
 public:
  template <class... Values>
  Statement(const MlflowQueue& queue, const char* sql, const Values&... values) : queue_(queue) {
    check(sqlite3_prepare_v2(queue.database_, sql, -1, &statement_, nullptr));
    int index = 0;
    (bind(++index, values), ...);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// To the next row; false at the end.
  bool step() {
    const int code = sqlite3_step(statement_);
    if (code != SQLITE_ROW && code != SQLITE_DONE) check(code);
    return code == SQLITE_ROW;
  }
  std::int64_t whole(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return bytes == nullptr
               ? std::string()
               : std::string(bytes,
                             static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
  }

 private:
  void bind(int index, std::int64_t value) { check(sqlite3_bind_int64(statement_, index, value)); }
  void bind(int index, const std::string& value) {
    check(sqlite3_bind_text(statement_, index, value.data(), static_cast<int>(value.size()),
                            SQLITE_TRANSIENT));
  }
  void check(int code) const {
    if (code != SQLITE_OK)
      throw Error(fmt::format("{}: {}", queue_.path_.string(), sqlite3_errmsg(queue_.database_)));
  }

  const MlflowQueue& queue_;
  sqlite3_stmt* statement_ = nullptr;
};

MlflowQueue::MlflowQueue(const std::filesystem::path& run_folder)
    : folder_(run_folder), path_(run_folder / file_name) {
  if (sqlite3_open(path_.c_str(), &database_) != SQLITE_OK) {
    const std::string why = database_ == nullptr ? "out of memory" : sqlite3_errmsg(database_);
    sqlite3_close(database_);
    throw Error(fmt::format("{}: expected a queue of an MLflow run that can be opened: {}",
                            path_.string(), why));
  }
  try {
    for (const char* sql :
         {"PRAGMA busy_timeout = 5000", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL",
          "CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT "
          "NULL, content TEXT NOT NULL, refusal TEXT NOT NULL DEFAULT '')",
          "CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL)"}) {
      Statement statement(*this, sql);
      while (statement.step()) {
      }
    }
  } catch (...) {
    sqlite3_close(database_);
    throw;
  }
}

MlflowQueue::~MlflowQueue() { sqlite3_close(database_); }

void MlflowQueue::add(const std::string& kind, const std::string& content) {
  std::lock_guard lock(mutex_);
  Statement(*this, "DELETE FROM record WHERE kind = ? AND content = ? AND refusal = ''", kind,
            content)
      .step();
  Statement(*this, "INSERT INTO record (kind, content) VALUES (?, ?)", kind, content).step();
}

std::optional<QueuedRecord> MlflowQueue::first_waiting() {
  std::lock_guard lock(mutex_);
  Statement rows(*this,
                 "SELECT id, kind, content FROM record WHERE refusal = '' ORDER BY id LIMIT 1");
  if (!rows.step()) return std::nullopt;
  return QueuedRecord{rows.whole(0), rows.text(1), rows.text(2), {}};
}

void MlflowQueue::sent(std::int64_t id) {
  std::lock_guard lock(mutex_);
  Statement(*this, "DELETE FROM record WHERE id = ?", id).step();
}

void MlflowQueue::refused(std::int64_t id, const std::string& why) {
  std::lock_guard lock(mutex_);
  Statement(*this, "UPDATE record SET refusal = ? WHERE id = ?",
            why.empty() ? std::string("refused") : why, id)
      .step();
}

std::size_t MlflowQueue::waiting() {
  std::lock_guard lock(mutex_);
  Statement rows(*this, "SELECT COUNT(*) FROM record WHERE refusal = ''");
  rows.step();
  return static_cast<std::size_t>(rows.whole(0));
}

std::vector<QueuedRecord> MlflowQueue::all_refused() {
  std::lock_guard lock(mutex_);
  std::vector<QueuedRecord> found;
  Statement rows(*this,
                 "SELECT id, kind, content, refusal FROM record WHERE refusal <> '' ORDER BY id");
  while (rows.step()) found.push_back({rows.whole(0), rows.text(1), rows.text(2), rows.text(3)});
  return found;
}

std::string MlflowQueue::fact(const std::string& name) {
  std::lock_guard lock(mutex_);
  Statement rows(*this, "SELECT value FROM fact WHERE name = ?", name);
  return rows.step() ? rows.text(0) : std::string();
}

void MlflowQueue::set_fact(const std::string& name, const std::string& value) {
  std::lock_guard lock(mutex_);
  Statement(*this,
            "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = "
            "excluded.value",
            name, value)
      .step();
}

}  // namespace yolov7::monitoring
