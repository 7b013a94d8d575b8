#include "core/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/vfs.h>

#include <algorithm>

#include "core/error.hpp"

namespace yolov7 {
namespace {

/// Whether several machines may write there: shared memory would not join them.
bool of_other_machines(const std::filesystem::path& folder) {
  struct statfs info {};
  if (::statfs(folder.c_str(), &info) != 0) return true;
  constexpr std::uint64_t kinds[] = {0x6969,     0x517B,     0xFF534D42, 0xFE534D42,
                                     0x65735546, 0x01021997, 0x00C36400, 0x0BD00BD0};
  return std::find(std::begin(kinds), std::end(kinds),
                   static_cast<std::uint64_t>(info.f_type) & 0xFFFFFFFF) != std::end(kinds);
}

}  // namespace

Database::Database(const std::filesystem::path& path, DatabaseUse use)
    : path_(path), what_(std::move(use.what)) {
  const int code = sqlite3_open_v2(path.c_str(), &connection_,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  try {
    if (code != SQLITE_OK)
      throw Error(
          fmt::format("{}: expected {} that can be opened: {}", path_.string(), what_, message()));
    sqlite3_busy_timeout(connection_, static_cast<int>(use.patience.count()));
    run(of_other_machines(path.has_parent_path() ? path.parent_path() : ".")
            ? "PRAGMA journal_mode = DELETE"
            : "PRAGMA journal_mode = WAL");
    run(use.durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    run(fmt::format("PRAGMA cache_size = -{}", use.cache_kib));
  } catch (...) {
    sqlite3_close(connection_);
    throw;
  }
}

Database::~Database() { sqlite3_close(connection_); }

std::string Database::message() const {
  return connection_ == nullptr ? "out of memory" : sqlite3_errmsg(connection_);
}

void Database::fail(int code) const {
  if ((code & 0xFF) == SQLITE_NOTADB || (code & 0xFF) == SQLITE_CORRUPT)
    throw Error(fmt::format("{}: expected {}, found something else or a damaged file: {}",
                            path_.string(), what_, message()));
  throw Error(fmt::format("{}: {}", path_.string(), message()));
}

void Database::run(const std::string& sql) {
  const int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code);
}

std::int64_t Database::last_row() const { return sqlite3_last_insert_rowid(connection_); }

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  const int code = sqlite3_prepare_v2(database.connection_, sql.data(),
                                      static_cast<int>(sql.size()), &statement_, nullptr);
  if (code != SQLITE_OK) database.fail(code);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::bind(int index, std::int64_t value) {
  if (const int code = sqlite3_bind_int64(statement_, index + 1, value); code != SQLITE_OK)
    database_.fail(code);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  if (const int code = sqlite3_bind_text64(statement_, index + 1, text.data(), text.size(),
                                           SQLITE_TRANSIENT, SQLITE_UTF8);
      code != SQLITE_OK)
    database_.fail(code);
  return *this;
}

Statement& Statement::bind(int index, const Digest& digest) {
  return bind_bytes(index, {reinterpret_cast<const char*>(digest.data()), digest.size()});
}

Statement& Statement::bind_bytes(int index, std::string_view bytes) {
  const char* data = bytes.data() == nullptr ? "" : bytes.data();  // no bytes are not NULL
  if (const int code =
          sqlite3_bind_blob64(statement_, index + 1, data, bytes.size(), SQLITE_TRANSIENT);
      code != SQLITE_OK)
    database_.fail(code);
  return *this;
}

Statement& Statement::bind_null(int index) {
  if (const int code = sqlite3_bind_null(statement_, index + 1); code != SQLITE_OK)
    database_.fail(code);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) database_.fail(code);
  return code == SQLITE_ROW;
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

std::int64_t Statement::whole(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int count = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(count));
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Digest Statement::digest(int column) const {
  const std::string bytes = text(column);
  Digest digest{};
  if (bytes.size() != digest.size())
    throw Error(fmt::format("{}: expected a SHA-256 of 32 bytes, found {} bytes",
                            database_.path().string(), bytes.size()));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(digest.data()));
  return digest;
}

Transaction::Transaction(Database& database) : database_(database) {
  database.run("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const Error&) {  // a full disk has rolled it back already
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace yolov7
