#include "monitoring/mlflow_queue.hpp"

#include <chrono>

namespace yolov7::monitoring {

MlflowQueue::MlflowQueue(const std::filesystem::path& run_folder)
    : folder_(run_folder),
      database_(run_folder / file_name,
                {"a queue of an MLflow run", std::chrono::seconds(5), false}) {
  database_.run(
      "CREATE TABLE IF NOT EXISTS record (id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT "
      "NULL, content TEXT NOT NULL, refusal TEXT NOT NULL DEFAULT '')");
  database_.run("CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL)");
}

void MlflowQueue::add(const std::string& kind, const std::string& content) {
  std::lock_guard lock(mutex_);
  Statement(database_, "DELETE FROM record WHERE kind = ? AND content = ? AND refusal = ''")
      .bind(0, kind)
      .bind(1, content)
      .step();
  Statement(database_, "INSERT INTO record (kind, content) VALUES (?, ?)")
      .bind(0, kind)
      .bind(1, content)
      .step();
}

std::optional<QueuedRecord> MlflowQueue::first_waiting() {
  std::lock_guard lock(mutex_);
  Statement rows(database_,
                 "SELECT id, kind, content FROM record WHERE refusal = '' ORDER BY id LIMIT 1");
  if (!rows.step()) return std::nullopt;
  return QueuedRecord{rows.whole(0), rows.text(1), rows.text(2), {}};
}

void MlflowQueue::sent(std::int64_t id) {
  std::lock_guard lock(mutex_);
  Statement(database_, "DELETE FROM record WHERE id = ?").bind(0, id).step();
}

void MlflowQueue::refused(std::int64_t id, const std::string& why) {
  std::lock_guard lock(mutex_);
  Statement(database_, "UPDATE record SET refusal = ? WHERE id = ?")
      .bind(0, why.empty() ? std::string("refused") : why)
      .bind(1, id)
      .step();
}

std::size_t MlflowQueue::waiting() {
  std::lock_guard lock(mutex_);
  Statement rows(database_, "SELECT COUNT(*) FROM record WHERE refusal = ''");
  rows.step();
  return static_cast<std::size_t>(rows.whole(0));
}

std::vector<QueuedRecord> MlflowQueue::all_refused() {
  std::lock_guard lock(mutex_);
  std::vector<QueuedRecord> found;
  Statement rows(database_,
                 "SELECT id, kind, content, refusal FROM record WHERE refusal <> '' ORDER BY id");
  while (rows.step()) found.push_back({rows.whole(0), rows.text(1), rows.text(2), rows.text(3)});
  return found;
}

std::string MlflowQueue::fact(const std::string& name) {
  std::lock_guard lock(mutex_);
  Statement rows(database_, "SELECT value FROM fact WHERE name = ?");
  rows.bind(0, name);
  return rows.step() ? rows.text(0) : std::string();
}

void MlflowQueue::set_fact(const std::string& name, const std::string& value) {
  std::lock_guard lock(mutex_);
  Statement(database_,
            "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = "
            "excluded.value")
      .bind(0, name)
      .bind(1, value)
      .step();
}

}  // namespace yolov7::monitoring
