#pragma once
// A file from a server that goes on where it broke off.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>

#include "core/http_client.hpp"

namespace yolov7::http {

struct DownloadOptions {
  std::uint64_t most_bytes = std::uint64_t{1} << 40;
  Tries tries;
  /// After each piece: bytes that are there, and of how many (0 = the server does not say).
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

struct Download {
  std::uint64_t bytes = 0, resumed_at = 0;  ///< resumed_at: what an earlier call had left
  bool length_known = false;                ///< off: the server named none, so an early end shows
                                            ///< only in what is inside the file
};

/// Writes the answer to a GET to `path`. Until it is whole it is `path`.part, beside which
/// `path`.part.json keeps what tells whether the server still has the same file (ETag or
/// Last-Modified); a later call asks for the rest alone (RFC 9110, Range and If-Range), and begins
/// again where the server has another file. Redirections are followed, at most 5, each with a
/// client of its own that knows no key; none leads from https to http. Errors: a status other than
/// 200 and 206, more than most_bytes, a full disk, no connection in the last try, stopped_error().
Download download(Client& client, const Request& request, const std::filesystem::path& path,
                  const DownloadOptions& options = {}, const std::stop_token& stop = {});
/// Address and request of an absolute URL. Errors begin with `what`; they do not show the
/// URL, which may hold a key.
std::pair<Address, Request> split_url(const std::string& url, const std::string& what);

}  // namespace yolov7::http
