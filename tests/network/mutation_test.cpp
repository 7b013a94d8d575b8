// Valid files with random changes: read or refused in one line, never more. YOLOV7_MUTATIONS sets
// how many (2,000; the soak test: 100,000).
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <fstream>

#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/builder.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/network/hostile_seeds.hpp"
#include "tests/numbers.hpp"

namespace yolov7::network {
namespace {

using namespace hostile;

int mutations() {
  const char* set = std::getenv("YOLOV7_MUTATIONS");
  return set == nullptr ? 2000 : std::atoi(set);
}

/// One to eight changes: bits, bytes that mean something to a pickle, lengths, pieces removed,
/// doubled or moved.
std::string mutated(std::string s, test::Numbers& numbers) {
  static const std::string telling(
      "\x00\x01\x7f\x80\xff(.0125)NKMJXTUBCGQRbcehijqrstu]}"
      "\x81\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8f\x90\x91\x93\x94\x95",
      52);
  const std::size_t changes = numbers.below(2) == 0 ? 1 : 1 + numbers.below(8);
  for (std::size_t i = 0; i < changes && !s.empty(); ++i) {
    const std::size_t at = numbers.below(s.size()),
                      length = 1 + numbers.below(std::min<std::size_t>(s.size() - at, 64));
    switch (numbers.below(7)) {
      case 0: s[at] = static_cast<char>(s[at] ^ (1 << numbers.below(8))); break;
      case 1: s[at] = telling[numbers.below(telling.size())]; break;
      case 2: s[at] = static_cast<char>(numbers.next()); break;
      case 3: s.erase(at, length); break;
      case 4: s.insert(at, s.substr(numbers.below(s.size()), length)); break;
      case 5: s.insert(at, 1, telling[numbers.below(telling.size())]); break;
      default:
        for (std::size_t k = at; k < std::min(at + 8, s.size()); ++k)
          s[k] = static_cast<char>(numbers.below(3) == 0 ? 0xFF : 0);
    }
  }
  return s;
}

/// The pickle of a zip seed is mutated inside, so that its checksum fits and the machine gets to
/// see it.
struct OpenSeed {
  std::string name, bytes;
  std::vector<std::pair<std::string, std::string>> entries;  ///< of zip files, the pickle first
};

std::vector<OpenSeed> open_seeds() {
  std::vector<OpenSeed> out;
  const test::ScratchFolder folder;
  for (const Seed& seed : seeds()) {
    OpenSeed open{seed.name, seed.bytes, {}};
    if (seed.bytes.rfind("PK", 0) == 0) {
      std::ofstream(folder / "a", std::ios::binary | std::ios::trunc) << seed.bytes;
      const ArchiveReader archive(folder / "a");
      const std::string root = archive.root();
      const auto add = [&](const std::string& name) {
        const std::vector<std::byte> content = archive.read(name, 1 << 20);
        open.entries.emplace_back(
            name, std::string(reinterpret_cast<const char*>(content.data()), content.size()));
      };
      add(root + "/data.pkl");
      for (int i = 0; archive.has(root + "/data/" + std::to_string(i)); ++i)
        add(root + "/data/" + std::to_string(i));
    }
    out.push_back(std::move(open));
  }
  return out;
}

class Mutation : public testing::Test {
 protected:
  test::ScratchFolder folder;
  std::filesystem::path path = folder / "x.pt";

  /// What reading says; whatever it is, one line that begins with the file.
  void read(const std::string& where) {
    const auto start = std::chrono::steady_clock::now();
    const std::string said = error_of([&] {
      const Checkpoint c = read_checkpoint(path);
      check(c.build_network(), c.inference_weights());
    });
    EXPECT_EQ(said.find('\n'), std::string::npos) << where << ": " << said;
    EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), 60)
        << where;
    refused_ += said == "no error" ? 0 : 1;
  }
  void TearDown() override {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    EXPECT_LT(usage.ru_maxrss, 1 << 20);  // 1 GB
    std::printf("%d of %d mutations were refused; at most %ld MB\n", refused_, mutations(),
                usage.ru_maxrss / 1024);
    // Most changes hit data whose checksum or meaning they break; that nearly none is noticed would
    // be a fault of the test.
    EXPECT_GT(refused_, mutations() / 4);
  }
  int refused_ = 0;
};

TEST_F(Mutation, OfCheckpoints) {
  const std::vector<OpenSeed> all = open_seeds();
  for (int i = 0; i < mutations(); ++i) {
    test::Numbers numbers(static_cast<std::uint64_t>(i));
    const OpenSeed& seed = all[numbers.below(all.size())];
    const std::string where = "mutation " + std::to_string(i) + " of " + seed.name;
    if (!seed.entries.empty() && numbers.below(4) != 0) {
      auto entries = seed.entries;
      entries[0].second = mutated(entries[0].second, numbers);
      write_zip(path, entries);
    } else {
      std::ofstream(path, std::ios::binary | std::ios::trunc) << mutated(seed.bytes, numbers);
    }
    read(where);
    if (HasFailure()) break;
  }
}

TEST_F(Mutation, OfConfigurations) {
  const std::vector<std::string> all = {
      config_text("training/yolov7-tiny.yaml"), config_text("training/yolov7-w6.yaml"),
      config_text("deploy/yolov7.yaml"), SmallOfficial().network.config};
  for (int i = 0; i < mutations() / 10; ++i) {
    test::Numbers numbers(static_cast<std::uint64_t>(i) + (std::uint64_t{1} << 40));
    const std::string text = mutated(all[numbers.below(all.size())], numbers);
    const std::string said = error_of([&] { build(text, "x.yaml"); });
    EXPECT_EQ(said.find('\n'), std::string::npos) << i << ": " << said;
    refused_ += said == "no error" ? 0 : 10;
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace yolov7::network
