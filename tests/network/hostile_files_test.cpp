// Malicious and broken files, made by code: each is one clear error. Nothing is run, nothing hangs,
// memory stays small.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zip.h>

#include <chrono>
#include <fstream>

#include "network/checkpoint/checkpoint_file.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/network/hostile_seeds.hpp"

namespace yolov7::network {
namespace {

using namespace hostile;
using namespace std::string_literals;
using Clock = std::chrono::steady_clock;

constexpr long most_kilobytes =
    1 << 20;  // under the address sanitizer too, with its shadow and the freed memory that it keeps

class HostileFile : public testing::Test {
 protected:
  test::ScratchFolder folder;
  std::filesystem::path path = folder / "x.pt", marker = folder / "executed";

  std::string reading(const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    return reading();
  }
  std::string reading() {
    const auto start = Clock::now();
    const std::string said = error_of([&] { read_checkpoint(path); });
    // A processor shared with everything else: far above what any case takes, far below a hang.
    EXPECT_LT(std::chrono::duration<double>(Clock::now() - start).count(), 60) << said;
    EXPECT_FALSE(std::filesystem::exists(marker));
    EXPECT_LE(folder.files(), 1u);
    return said;
  }
  void expect_refused(const std::string& said, const std::string& part) {
    EXPECT_EQ(said.rfind(path.string() + ": ", 0), 0u) << said;
    EXPECT_NE(said.find(part), std::string::npos) << '"' << said << "\" lacks \"" << part << '"';
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
  }
  std::string zipped(const std::string& body) {
    write_zip(
        path,
        {{"a/data.pkl", pickle(body)}, {"a/data/0", std::string(16, '\1')}, {"a/version", "3\n"}});
    return reading();
  }
  void TearDown() override {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    EXPECT_LT(usage.ru_maxrss, most_kilobytes);
  }
};

TEST_F(HostileFile, CallsAreNotMade) {
  const std::string command = "touch " + marker.string();
  const std::pair<const char*, const char*> calls[] = {{"os", "system"},
                                                       {"posix", "system"},
                                                       {"nt", "system"},
                                                       {"builtins", "eval"},
                                                       {"builtins", "exec"},
                                                       {"__builtin__", "eval"},
                                                       {"builtins", "__import__"},
                                                       {"subprocess", "getoutput"},
                                                       {"runpy", "run_path"},
                                                       {"torch.hub", "load"},
                                                       {"torch", "load"},
                                                       {"models.common.os", "system()"},
                                                       {"torch.nn.modules.os;", "system"}};
  for (const auto& [module, name] : calls) {
    const std::string call = global(module, name) + text(command) + "\x85R";
    expect_refused(zipped(call), "'"s + module + "." + name + "'");
    expect_refused(zipped(dictionary({{"model", call}})), "nothing of it was executed");
    // By STACK_GLOBAL, in an attribute of a module, in the description of a legacy file.
    expect_refused(zipped(text(module) + text(name) + "\x93" + text(command) + "\x85R"),
                   "'"s + module + "." + name + "'");
    expect_refused(zipped(instance("models.yolo.Model", {{"x", call}})),
                   "'"s + module + "." + name + "'");
    const std::string magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
    expect_refused(reading(magic + pickle(call)), "'"s + module + "." + name + "'");
  }
  // Allowed classes are data: calling one, or anything that hides behind it, is refused.
  expect_refused(zipped(global("models.yolo", "Model") + text(command) + "\x85R"),
                 "a call of 'models.yolo.Model'");
  expect_refused(zipped(global("models.yolo", "Model") + text(command) + "\x85\x81"),
                 "with arguments");
  expect_refused(zipped(global("collections", "OrderedDict") + ")\x81"), "a new object");
  expect_refused(zipped(instance("models.yolo.Model", {}) + "(" + text("x") + text("y") + "u"),
                 "items without a dictionary");
  expect_refused(zipped("cos\nsystem\n(" + text(command) + "o"), "'os.system'");
  expect_refused(zipped("(S'" + command + "'\nios\nsystem\n"), "0x53");
}

TEST_F(HostileFile, FilesThatAreSomethingElse) {
  expect_refused(reading("\xff\xd8\xff\xe0" + std::string(500, 'j')),
                 "expected a checkpoint");  // a JPEG
  expect_refused(reading("\x89PNG\r\n\x1a\n" + std::string(500, '\0')), "expected a checkpoint");
  expect_refused(reading("{\"names\": [\"a\"]}" + std::string(100, ' ')), "expected a checkpoint");
  expect_refused(reading("nc: 80\nbackbone: []\n"), "expected a checkpoint");
  expect_refused(reading("\x7f"
                         "ELF" +
                         std::string(500, '\0')),
                 "expected a checkpoint");
  expect_refused(reading("PK\3\4" + std::string(500, '\0')), "expected a checkpoint");
  expect_refused(reading(""), "empty file");
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  expect_refused(reading(), "no regular file");
}

TEST_F(HostileFile, AWrongExtensionMeansNothing) {
  for (const Seed& seed : seeds()) {
    const auto other = folder / "picture.jpg";
    std::ofstream(other, std::ios::binary | std::ios::trunc) << seed.bytes;
    EXPECT_EQ(error_of([&] { read_checkpoint(other); }), "no error") << seed.name;
    std::filesystem::remove(other);
  }
}

/// A zip file with one entry changed by `change`.
template <class Change>
void libzip(const std::filesystem::path& path, const std::string& content, Change change) {
  std::filesystem::remove(path);
  int code = 0;
  zip_t* zip = zip_open(path.c_str(), ZIP_CREATE, &code);
  const auto add = [&](const char* name, const std::string& bytes) {
    return zip_file_add(zip, name, zip_source_buffer(zip, bytes.data(), bytes.size(), 0), 0);
  };
  const std::string top = pickle("}");
  add("a/data.pkl", top);
  change(zip, static_cast<zip_uint64_t>(add("a/data/0", content)));
  ASSERT_EQ(zip_close(zip), 0) << zip_strerror(zip);
}

TEST_F(HostileFile, CompressedEncryptedAndDamagedEntries) {
  // A hundred megabytes of zeros in a hundred kilobytes.
  libzip(path, std::string(100 << 20, '\0'), [](zip_t* zip, zip_uint64_t entry) {
    zip_set_file_compression(zip, entry, ZIP_CM_DEFLATE, 9);
  });
  EXPECT_LT(std::filesystem::file_size(path), 200'000u);
  expect_refused(reading(), "found a/data/0 compressed");
  libzip(path, "secret", [](zip_t* zip, zip_uint64_t entry) {
    zip_set_file_compression(zip, entry, ZIP_CM_STORE, 0);
    zip_file_set_encryption(zip, entry, ZIP_EM_AES_256, "x");
  });
  expect_refused(reading(), "encrypted");
  for (const Seed& seed : seeds()) {
    if (seed.bytes.rfind("PK", 0) != 0) continue;
    // The same name twice, by renaming version to data/0 wherever it stands.
    std::string twice = seed.bytes;
    for (std::size_t at = 0; (at = twice.find("data/1", at)) != std::string::npos; at += 6)
      twice[at + 5] = '0';
    expect_refused(reading(twice), "");
    // A bit in the pickle: its checksum no longer fits.
    std::string damaged = seed.bytes;
    const std::size_t at = damaged.find("torch._utils");
    ASSERT_NE(at, std::string::npos);
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    expect_refused(reading(damaged), "damaged");
  }
}

TEST_F(HostileFile, ClaimsBeyondTheFile) {
  const auto claimed = [&](auto change) {
    FakeTensor fake;
    change(fake);
    return zipped(dictionary({{"model", dictionary({{"model.0.m.0.weight", tensor(fake)}})}}));
  };
  expect_refused(claimed([](FakeTensor& c) { c.offset = 1; }), "beyond its storage of 4 elements");
  expect_refused(claimed([](FakeTensor& c) { c.strides = {2}; }), "beyond its storage");
  expect_refused(claimed([](FakeTensor& c) { c.offset = std::int64_t{1} << 62; }),
                 "beyond its storage");
  expect_refused(claimed([](FakeTensor& c) { c.strides = {std::int64_t{1} << 40}; }),
                 "beyond its storage");
  expect_refused(claimed([](FakeTensor& c) { c.strides = {-1}; }), "out of range");
  expect_refused(claimed([](FakeTensor& c) {
                   c.shape = std::vector<std::int64_t>(9, 1), c.strides = c.shape;
                 }),
                 "more than 8 dimensions");
  expect_refused(claimed([](FakeTensor& c) {
                   c.shape = {1 << 30, 1 << 30}, c.strides = {0, 0};
                 }),
                 "too large");
  expect_refused(claimed([](FakeTensor& c) {
                   constexpr std::int64_t side = std::int64_t{1} << 40;
                   c.shape = {side, side, 0}, c.strides = {0, 0, 0};
                 }),
                 "too large");
  expect_refused(claimed([](FakeTensor& c) { c.shape = {1 << 30}, c.strides = {0}; }),
                 "claim more than the file holds");
  expect_refused(claimed([](FakeTensor& c) { c.elements = std::int64_t{1} << 43; }),
                 "expected a storage of");
  expect_refused(claimed([](FakeTensor& c) { c.elements = std::int64_t{1} << 60; }),
                 "storage of unknown form");
  expect_refused(claimed([](FakeTensor& c) { c.key = "1"; }), "expected an entry a/data/1");
  expect_refused(claimed([](FakeTensor& c) { c.key = "../../etc/passwd"; }), "expected an entry");
  expect_refused(claimed([](FakeTensor& c) { c.key = std::string(1 << 20, 'k'); }),
                 "storage of unknown form");
  expect_refused(claimed([](FakeTensor& c) { c.storage = "TypedStorage"; }), "not allowed");
  // Many views of one storage.
  std::vector<std::pair<std::string, std::string>> views;
  for (int i = 0; i < 20'000; ++i)
    views.emplace_back("model." + std::to_string(i) + ".w", "h"s + '\0');
  std::string list = tensor({});
  write_zip(path, {{"a/data.pkl", pickle(tensor({"0", "FloatStorage", 1 << 20, 0, {1 << 20}, {1}}) +
                                         "q"s + '\0' + "0" + dictionary(views))},
                   {"a/data/0", std::string(4 << 20, '\0')}});
  expect_refused(reading(), "claim more than the file holds");
}

// A number that is read is not the number that was written: the head's tensors are looked up again.
TEST_F(HostileFile, AHeadIsNamedByAPlainNumber) {
  FakeTensor anchors;
  anchors.shape = {1, 1, 4}, anchors.strides = {4, 4, 1};
  for (const auto& [written, plain] : {std::pair{"007", "7"}, {"+7", "7"}, {"-0", "0"}})
    expect_refused(
        zipped(dictionary(
            {{"model", dictionary({{"model."s + written + ".m.0.weight", tensor({})},
                                   {"model."s + plain + ".anchors", tensor(anchors)}})}})),
        "found none of its heads");
}

TEST_F(HostileFile, MemosDepthsAndCounts) {
  expect_refused(zipped("Nr" + number(1'000'000'000, 4)), "memo index 1000000000");
  expect_refused(zipped("j" + number(0xFFFFFFFF, 4)), "memo index 4294967295");
  expect_refused(zipped(std::string(10'000'000, '(')), "deeper nesting");
  expect_refused(zipped(std::string(10'000'000, ']')), "too many values");
  expect_refused(zipped("N" + std::string(10'000'000, '2')), "too many operations");
  expect_refused(zipped("N" + std::string(3'000'000, '\x85')), "too many values");
  std::string memos = "N";
  for (std::uint64_t i = 0; i < 2'100'000; ++i) memos += "r" + number(i, 4);
  expect_refused(zipped(memos), "memo index 2000000");
  expect_refused(zipped("X" + number(0xFFFFFFFF, 4)), "text of 4294967295 bytes");
  expect_refused(zipped("\x8b" + number(0x7FFFFFFF, 4)), "more than 64 bits");
  write_zip(path, {{"a/data.pkl", std::string(65 << 20, '\x80')}});
  expect_refused(reading(), "at most 67108864 bytes");
}

/// Values under a number of the memo, and from there.
std::string kept(const std::string& value, int at) {
  return value + "r" + number(static_cast<std::uint64_t>(at), 4) + "0";
}
std::string from_memo(int at) { return "j" + number(static_cast<std::uint64_t>(at), 4); }

// Shared values make a small file a large tree: 2^60 modules, lists, entries.
TEST_F(HostileFile, SharedValuesAreNotWalkedWithoutABound) {
  std::string modules = kept(instance("models.common.Conv", {}), 0), lists = kept("]", 0);
  for (int i = 1; i < 60; ++i) {
    modules += kept(
        instance("models.common.Conv",
                 {{"_modules", dictionary({{"a", from_memo(i - 1)}, {"b", from_memo(i - 1)}})}}),
        i);
    lists += kept(list({from_memo(i - 1), from_memo(i - 1)}), i);
  }
  expect_refused(zipped(modules + dictionary({{"model", from_memo(59)}})),
                 "too deeply, or too many");
  expect_refused(zipped(modules + dictionary({{"model", from_memo(25)}})),
                 "too deeply, or too many");
  const SmallOfficial small;
  OfficialFile file({});
  // A configuration of 2^60 lists, a list that contains itself, and names without end.
  const std::string yaml = dictionary(
      {{"nc", small_number(2)}, {"anchors", "]"}, {"backbone", from_memo(59)}, {"head", "]"}});
  expect_refused(reading(file.bytes(lists + top(file.model(small.network, small.weights, yaml)))),
                 "lists of few levels");
  OfficialFile second({});
  const std::string cycle = kept("]r" + number(0, 4) + from_memo(0) + "a", 0),
                    endless = dictionary({{"nc", small_number(2)},
                                          {"anchors", "]"},
                                          {"backbone", from_memo(0)},
                                          {"head", "]"}});
  expect_refused(
      reading(second.bytes(cycle + top(second.model(small.network, small.weights, endless)))),
      "lists of few levels");
  // A module that contains itself.
  const std::string self = global("models.common", "Conv") + ")\x81r" + number(0, 4) +
                           dictionary({{"_modules", dictionary({{"a", from_memo(0)}})}}) + "b";
  expect_refused(zipped(self), "too deeply, or too many");
  // One set of a hundred thousand names in every module.
  std::string names = global("builtins", "set") + "](";
  for (int i = 0; i < 100'000; ++i) names += text(std::to_string(i));
  expect_refused(
      zipped(kept(names + "e\x85R", 0) +
             instance("models.common.Conv", {{"_non_persistent_buffers_set", from_memo(0)}})),
      "too many attributes");
}

TEST_F(HostileFile, OptimizersAndNamesOfAnySizeAreHarmless) {
  const SmallOfficial small;
  const auto with = [&](const std::string& before, const std::string& key,
                        const std::string& value) {
    OfficialFile file({});
    return reading(file.bytes(
        before + dictionary({{"model", file.model(small.network, small.weights, small.yaml)},
                             {key, value}})));
  };
  // 30,000 parameters that share one state of 30,000 tensors.
  std::string state = "}(", parameters = "}(";
  for (int i = 0; i < 30'000; ++i) {
    state += text(std::to_string(i)) + "N";
    parameters += small_number(i) + from_memo(7);
  }
  EXPECT_EQ(with(kept(state + "u", 7), "optimizer", dictionary({{"state", parameters + "u"}})),
            "no error");
  const std::string large = text(std::string(1 << 20, 'x'));
  std::string names = "](";
  for (int i = 0; i < 100'000; ++i) names += from_memo(7);
  EXPECT_EQ(with(kept(large, 7), "names", names + "e"), "no error");
  EXPECT_EQ(with("", "date", large), "no error");
}

TEST_F(HostileFile, CutAtEveryPercent) {
  for (const Seed& seed : seeds()) {
    EXPECT_EQ(reading(seed.bytes), "no error") << seed.name;
    for (std::size_t percent = 0; percent < 100; ++percent) {
      const std::string said = reading(seed.bytes.substr(0, seed.bytes.size() * percent / 100));
      EXPECT_EQ(said.rfind(path.string() + ": ", 0), 0u)
          << seed.name << ", " << percent << " %: " << said;
    }
    EXPECT_NE(reading(seed.bytes.substr(0, seed.bytes.size() - 1)), "no error") << seed.name;
  }
}

}  // namespace
}  // namespace yolov7::network
