#pragma once
// SQLite behind two small classes: a database and a prepared statement.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/sha256.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace yolov7 {

class Statement;

struct DatabaseUse {
  std::string what;                      ///< for messages: "a journal of uploads"
  std::chrono::milliseconds patience{};  ///< while another process writes
  /// What is committed is safe from a power failure; off: only from the end of the process.
  bool durable = true;
  int cache_kib = 2000;
};

class Database {
 public:
  /// Opens or makes the file. Readers and one writer work at the same time, but for file systems of
  /// other machines (no shared memory there). Error: it cannot be opened, or is no database.
  Database(const std::filesystem::path& path, DatabaseUse use);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void run(const std::string& sql);  ///< statements without results
  std::int64_t last_row() const;     ///< key of the row that was inserted last
  const std::filesystem::path& path() const { return path_; }

 private:
  friend class Statement;
  [[noreturn]] void fail(int code) const;
  std::string message() const;
  std::filesystem::path path_;
  std::string what_;
  sqlite3* connection_ = nullptr;
};

/// Columns and parameters count from 0.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);  ///< copied
  Statement& bind(int index, const Digest& digest);   ///< copied
  Statement& bind_bytes(int index, std::string_view bytes);
  Statement& bind_null(int index);
  bool step();   ///< to the next row; false at the end
  void reset();  ///< for the next values
  void run() {   ///< one step, then reset
    step();
    reset();
  }

  std::int64_t whole(int column) const;
  std::string text(int column) const;  ///< bytes, too; "" for NULL
  bool is_null(int column) const;
  /// Error: the column holds no digest.
  Digest digest(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

/// All or nothing: rolled back unless commit() was called.
class Transaction {
 public:
  explicit Transaction(Database& database);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace yolov7
