#pragma once
// The interface of Roboflow (https://docs.roboflow.com/developer/rest-api). The requests are those
// of the official Python package 1.7.3; docs/platforms.md lists the differences.
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "core/unpack.hpp"
#include "platforms/credentials.hpp"
#include "platforms/service.hpp"

namespace yolov7::platforms {

inline constexpr const char* roboflow_address = "https://api.roboflow.com";

struct RoboflowOptions {
  std::string address = roboflow_address;
  http::Tries tries;
  /// Waiting for a version or an export to be made: first and longest pause, and when to give up.
  std::chrono::milliseconds first_pause{1000}, longest_pause{5000};
  std::chrono::seconds patience{3600};
};

class Roboflow {
 public:
  /// Errors: an http address of another machine, because the key would travel in the clear.
  Roboflow(const RoboflowOptions& options, const Credential& key, std::stop_token stop);

  nlohmann::json workspace(const std::string& workspace);
  nlohmann::json project(const std::string& workspace, const std::string& project);
  /// Waits until the version is made. Error: it is not made in time.
  nlohmann::json finished_version(const std::string& workspace, const std::string& project,
                                  const std::string& version);
  /// Waits until the export is made; the link to the archive, which is a secret. Errors: it is not
  /// made in time, no link.
  std::string export_link(const std::string& workspace, const std::string& project,
                          const std::string& version, const std::string& format);
  /// Makes a version of the project; its number. Error: the answer got lost, so it may be made.
  std::string generate(const std::string& workspace, const std::string& project,
                       const nlohmann::json& settings);
  nlohmann::json health(const std::string& workspace, const std::string& project, bool regenerate);

  struct Image {
    std::string name, split, media_type, content;
  };
  /// The answer, which has the image's id; `tags` may be empty.
  nlohmann::json upload(const std::string& project, const Image& image, const std::string& batch,
                        const std::vector<std::string>& tags);
  struct Annotation {
    std::string name, content;
    std::vector<std::string> classes;  ///< by number
    bool prediction = false, overwrite = false;
  };
  nlohmann::json annotate(const std::string& project, const std::string& image_id,
                          const Annotation& annotation, const std::string& batch);

  Service& service() { return service_; }

 private:
  http::Fields query(http::Fields further = {}) const;
  /// True where it is time to ask again; waits. Error: patience is at its end.
  void pause(int number, std::chrono::steady_clock::time_point begin, const std::string& what);

  RoboflowOptions options_;
  std::string key_;
  Service service_;
};

/// The service's name of an export format: "yolov7" → "yolov7pytorch". Error (usage): other
/// characters than small letters, digits and "-".
std::string roboflow_format(const std::string& format);

struct VersionDownload {
  std::size_t images = 0, images_said = 0;  ///< in the archive, and by the service (0 = not said)
  std::uint64_t bytes = 0, resumed_at = 0;
  std::string format;
};
/// Downloads a version into the folder `out`, all or nothing. The archive lies beside it as
/// .NAME.roboflow-….zip until it is unpacked, so that a later call goes on. Errors: `out` holds
/// something; unpack_zip()'s; the service's.
VersionDownload download_version(Roboflow& service, const std::vector<std::string>& place,
                                 const std::string& format, const std::filesystem::path& out,
                                 const UnpackLimits& limits);

}  // namespace yolov7::platforms
