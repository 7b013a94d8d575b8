#include "cli/verbs/doctor_machine.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <thread>

#include "api/installed_parts.hpp"
#include "core/cgroup.hpp"
#include "core/gpu_driver.hpp"
#include "core/instruction_set.hpp"
#include "core/load.hpp"
#include "core/memory.hpp"
#include "core/processor.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "core/version.hpp"

namespace yolov7::cli {
namespace {

using nlohmann::json;

const char* loops_name() {
  return choose(
      best_instruction_set(), [] { return "portable"; }, [] { return "AVX2"; },
      [] { return "AVX-512"; });
}

json processor_json() {
  const ProcessorSpeed speed = processor_speed(processor_fact("flags"));
  const double granted = cgroup_cores(CgroupPlace::of_this_process());
  LoadMeter meter;
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  const auto others = meter.others();
  utsname system{};
  ::uname(&system);
  return {{"name", processor_fact("model name")},
          {"architecture", system.machine},
          {"hardware_threads", std::thread::hardware_concurrency()},
          {"usable_cores", usable_cores()},
          {"cgroup_cores", std::isfinite(granted) ? json(granted) : json()},
          {"busy_with_others", others ? json(*others) : json()},
          {"loops", loops_name()},
          {"fast",
           {{"avx2", speed.avx2},
            {"avx512", speed.avx512},
            {"int8", speed.int8},
            {"bfloat16", speed.bfloat16},
            {"int8_tiles", speed.int8_tiles},
            {"bfloat16_tiles", speed.bfloat16_tiles}}}};
}

json memory_json() {
  const AvailableMemory left = available_memory();
  const std::uint64_t granted = cgroup_memory_left(CgroupPlace::of_this_process());
  constexpr std::uint64_t no_limit = std::uint64_t{1} << 60;
  return {{"available_bytes", left.bytes},
          {"limited_by", left.limited_by},
          {"cgroup_left_bytes", granted < no_limit ? json(granted) : json()}};
}

json gpu_json(const GpuDriver& driver) {
  json list = json::array();
  for (const DriverGpu& one : driver.gpus)
    list.push_back({{"name", one.name},
                    {"memory_bytes", one.memory_bytes},
                    {"compute_capability", fmt::format("{}.{}", one.major, one.minor)}});
  return {{"gpus", list}, {"why_none", driver.why_none}, {"driver_cuda", driver.cuda}};
}

json parts_json(bool gpu) {
  json list = json::array();
  for (const api::InstalledPart& one : api::installed_parts(gpu))
    list.push_back({{"name", one.name},
                    {"needed_for", one.needed_for},
                    {"found", one.found},
                    {"reason", one.reason},
                    {"remedy", one.found ? "" : one.remedy}});
  return list;
}

/// "AVX-512, int8 (VNNI), bfloat16": what is fast; what is not is named behind.
std::string fast_text(const json& fast) {
  std::vector<std::string> has, lacks;
  for (const auto& [key, name] :
       {std::pair("avx2", "AVX2"), std::pair("avx512", "AVX-512"),
        std::pair("int8", "8-bit integers (VNNI)"), std::pair("bfloat16", "bfloat16"),
        std::pair("int8_tiles", "8-bit tiles (AMX)"),
        std::pair("bfloat16_tiles", "bfloat16 tiles (AMX)")})
    (fast.at(key).get<bool>() ? has : lacks).emplace_back(name);
  return fmt::format("{}{}", has.empty() ? "nothing beyond float32" : text::join(has, ", "),
                     lacks.empty() ? "" : "; not here: " + text::join(lacks, ", "));
}

}  // namespace

json machine_facts() {
  const GpuDriver driver = gpu_driver();
  return {{"version", program_version()},
          {"processor", processor_json()},
          {"memory", memory_json()},
          {"gpu", gpu_json(driver)},
          {"parts", parts_json(!driver.gpus.empty())}};
}

void print_machine(const json& facts, const Output& output) {
  const json &p = facts["processor"], &m = facts["memory"], &g = facts["gpu"];
  output.line(fmt::format("processor: {} ({})", p["name"].get<std::string>(),
                          p["architecture"].get<std::string>()));
  output.line(fmt::format(
      "  cores: {} usable of {}{}{}", p["usable_cores"].get<int>(),
      p["hardware_threads"].get<unsigned>(),
      p["cgroup_cores"].is_null()
          ? ""
          : fmt::format(", the cgroup grants {:.1f}", p["cgroup_cores"].get<double>()),
      p["busy_with_others"].is_null() ? ""
                                      : fmt::format("; other programs keep {:.1f} busy now",
                                                    p["busy_with_others"].get<double>())));
  output.line(fmt::format("  fast: {}", fast_text(p["fast"])));
  output.line(fmt::format("memory: {} left, limited by {}",
                          memory_text(m["available_bytes"].get<std::uint64_t>()),
                          m["limited_by"].get<std::string>()));
  if (g["gpus"].empty()) output.line("GPU: none; " + g["why_none"].get<std::string>());
  for (const json& one : g["gpus"])
    output.line(fmt::format(
        "GPU: {}, {}, compute capability {}; the driver serves CUDA {}.{}",
        one["name"].get<std::string>(), memory_text(one["memory_bytes"].get<std::uint64_t>()),
        one["compute_capability"].get<std::string>(), g["driver_cuda"].get<int>() / 1000,
        g["driver_cuda"].get<int>() % 1000 / 10));
  for (const json& one : facts["parts"]) {
    const std::string name = one["name"], needed = one["needed_for"];
    output.line(
        fmt::format("{:<14}{}: {}", name, one["found"].get<bool>() ? "found" : "missing", needed));
    if (one["found"].get<bool>()) continue;
    output.line("              " + one["reason"].get<std::string>());
    output.line("              install: " + one["remedy"].get<std::string>());
  }
}

}  // namespace yolov7::cli
