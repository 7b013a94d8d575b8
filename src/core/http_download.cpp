#include "core/http_download.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"

namespace yolov7::http {
namespace fs = std::filesystem;
using nlohmann::json;
namespace {

constexpr int ok = 200, partial = 206, not_satisfiable = 416, most_redirections = 5;

bool redirects(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

/// What lies there of an earlier try.
struct Leftover {
  fs::path file, facts;
  std::string validator;  ///< for If-Range; "" = the rest cannot be asked for
  std::uint64_t size = 0;

  explicit Leftover(const fs::path& path)
      : file(path.string() + ".part"), facts(file.string() + ".json") {
    std::error_code error;
    if (!fs::exists(file, error)) return;
    size = fs::file_size(file, error);
    if (error) size = 0;
    try {
      const json known = read_json(facts);
      if (known.is_object()) validator = known.value("validator", "");
    } catch (const std::exception&) {
      validator.clear();
    }
    if (validator.empty()) size = 0;
  }

  void begin(const std::string& new_validator) {
    validator = new_validator;
    size = 0;
    file::write_atomically(facts, json_text({{"validator", validator}}), file::Sync::later);
  }
  void remove() {
    std::error_code error;
    fs::remove(file, error);
    fs::remove(facts, error);
    size = 0;
    validator.clear();
  }
};

/// A strong ETag, or the time of the last change: what If-Range takes (RFC 9110, 13.1.5).
std::string validator_of(const Answer& head) {
  const std::string tag = head.header("etag");
  if (tag.starts_with('"')) return tag;
  return head.header("last-modified");
}

/// "bytes 100-199/200": where it begins and the whole length (0 = "*"); nothing where it is not so.
std::optional<std::pair<std::uint64_t, std::uint64_t>> range_of(const std::string& text) {
  if (!text.starts_with("bytes ")) return std::nullopt;
  const std::size_t dash = text.find('-'), slash = text.find('/');
  if (dash == std::string::npos || slash == std::string::npos || dash > slash) return std::nullopt;
  const auto begin = text::parse_int(std::string_view(text).substr(6, dash - 6)),
             whole = text::parse_int(std::string_view(text).substr(slash + 1));
  if (!begin || *begin < 0) return std::nullopt;
  return std::pair(static_cast<std::uint64_t>(*begin),
                   whole && *whole > 0 ? static_cast<std::uint64_t>(*whole) : 0);
}

/// One try of one place. Its receiver writes into the part.
class Try {
 public:
  Try(Leftover& part, const DownloadOptions& options, const fs::path& path, Download& result)
      : part_(part), options_(options), path_(path), result_(result) {}

  Outcome run(Client& client, Request request) {
    request.headers.emplace_back("Accept-Encoding", "identity");
    if (part_.validator.empty()) part_.size = 0;
    if (part_.size > 0) {
      request.headers.emplace_back("Range", fmt::format("bytes={}-", part_.size));
      request.headers.emplace_back("If-Range", part_.validator);
    }
    Receiver receiver;
    receiver.begin = [this](const Answer& head) { return begin(head); };
    receiver.take = [this](const char* bytes, std::size_t count) { return take(bytes, count); };
    Outcome outcome = client.try_once(request, receiver);
    const bool closed = file_ == nullptr || std::fclose(file_.release()) == 0;
    if (!fault_.empty()) throw Error(fault_);
    if (!closed)
      throw Error(fmt::format("{}: cannot write: {}", part_.file.string(), std::strerror(errno)));
    if (outcome.answer && head_ && writes_ && total_ > 0 && part_.size < total_) {
      outcome.answer.reset();
      outcome.why = fmt::format("{}: expected {} bytes, found an end after {}",
                                client.address().origin(), total_, part_.size);
    }
    if (!outcome.answer && head_ && !writes_) outcome.answer = head_;
    return outcome;
  }
  std::uint64_t total() const { return total_; }

 private:
  bool begin(const Answer& head) {
    head_ = head;
    const auto length = text::parse_int(head.header("content-length"));
    const auto known = length && *length >= 0 ? static_cast<std::uint64_t>(*length) : 0;
    if (head.status == partial) {
      const auto range = range_of(head.header("content-range"));
      if (part_.size == 0 || !range || range->first != part_.size) {
        part_.remove();
        fault_.clear();
        head_->status = not_satisfiable;
        return false;
      }
      total_ = range->second > 0 ? range->second : part_.size + known;
      result_.resumed_at = std::max(result_.resumed_at, part_.size);
    } else if (head.status == ok) {
      part_.begin(validator_of(head));
      result_.resumed_at = 0;
      total_ = known;
    } else {
      return false;
    }
    result_.length_known = total_ > 0 || (length && *length == 0);
    if (total_ > options_.most_bytes) return too_much(total_);
    file_.reset(std::fopen(part_.file.c_str(), head.status == partial ? "ab" : "wb"));
    if (file_ == nullptr)
      fault_ = fmt::format("{}: cannot create: {}", part_.file.string(), std::strerror(errno));
    writes_ = file_ != nullptr;
    return writes_;
  }

  bool too_much(std::uint64_t bytes) {
    fault_ = fmt::format("{}: expected at most {} bytes, found {}", path_.string(),
                         options_.most_bytes, bytes);
    part_.remove();
    return false;
  }

  bool take(const char* bytes, std::size_t count) {
    if (part_.size + count > options_.most_bytes) return too_much(part_.size + count);
    if (std::fwrite(bytes, 1, count, file_.get()) != count) {
      fault_ = fmt::format("{}: cannot write: {}", part_.file.string(), std::strerror(errno));
      return false;
    }
    part_.size += count;
    if (options_.progress) options_.progress(part_.size, total_);
    return true;
  }

  Leftover& part_;
  const DownloadOptions& options_;
  const fs::path& path_;
  Download& result_;
  std::unique_ptr<std::FILE, CloseFile> file_;
  std::optional<Answer> head_;
  std::string fault_;
  std::uint64_t total_ = 0;
  bool writes_ = false;
};

/// Where a redirection leads, from the place that was asked.
std::pair<Address, Request> next_place(const Address& from, const std::string& location) {
  const std::string what = from.origin() + ": redirection";
  if (location.starts_with('/') && !location.starts_with("//"))
    return split_url(from.origin() + location, what);
  auto place = split_url(location, what);
  if (from.scheme == "https" && place.first.scheme != "https")
    throw Error(fmt::format("{}: expected https, found an address without it", what));
  return place;
}

}  // namespace

std::pair<Address, Request> split_url(const std::string& url, const std::string& what) {
  const std::size_t slashes = url.find("://"), path = slashes == std::string::npos
                                                          ? slashes
                                                          : url.find_first_of("/?#", slashes + 3);
  Address address;
  try {
    address = parse_address(url.substr(0, path), what);
  } catch (const Error&) {
    throw Error(fmt::format("{}: expected an http or https address, found another text", what));
  }
  Request request;
  request.path = path == std::string::npos ? "/" : url.substr(path, url.find('#', path) - path);
  if (request.path.starts_with('?')) request.path = std::string(1, '/') + request.path;
  for (const char c : request.path)
    if (static_cast<unsigned char>(c) <= 32 || c == 127)
      throw Error(
          fmt::format("{}: expected an address without blanks and control characters", what));
  return {address, request};
}

Download download(Client& client, const Request& request, const fs::path& path,
                  const DownloadOptions& options, const std::stop_token& stop) {
  Download result;
  Leftover part(path);
  std::unique_ptr<Client> other;  // after a redirection
  Client* at = &client;
  Request now = request;
  int redirections = 0;
  for (int number = 1;;) {
    check_stop(stop);
    Try one(part, options, path, result);
    Outcome outcome;
    {  // gone before a redirection replaces the client that it stops
      const std::stop_callback on_stop(stop, [at] { at->stop(); });
      outcome = one.run(*at, now);
    }
    check_stop(stop);
    const int status = outcome.answer ? outcome.answer->status : 0;
    if (status == ok || status == partial) break;
    if (redirects(status) && redirections++ < most_redirections) {
      const auto [address, next] = next_place(at->address(), outcome.answer->header("location"));
      other = std::make_unique<Client>(address);
      at = other.get();
      now = next;
      continue;
    }
    if (status == not_satisfiable) part.remove();
    const bool again = status == 0 || status == not_satisfiable || may_pass(status);
    if (!again || number >= options.tries.most)
      throw Error(status == 0 ? outcome.why
                              : fmt::format("{}: expected a file, found answer {}",
                                            at->address().origin(), status));
    const auto wait = wait_before(number++, options.tries, outcome);
    log::info(fmt::format("{}; try {} of {} in {:.1f} s",
                          status == 0 ? outcome.why : fmt::format("answer {}", status), number,
                          options.tries.most, static_cast<double>(wait.count()) / 1000));
    wait_for(wait, stop);
  }
  result.bytes = part.size;
  fs::rename(part.file, path);
  part.remove();
  return result;
}

}  // namespace yolov7::http
