// Checkpoints: round trip, damage of every kind, a full disk.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>

#include "core/file.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/builder.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/network/pickle_fixture.hpp"

namespace yolov7::network {
namespace {

using namespace hostile;

const std::string layers = "  - [-1, 1, Conv, [8, 3, 2]]\n  - [-1, 1, IDetect, [nc, anchors]]\n";

Tensor of_type(DataType type, std::vector<std::int64_t> shape) {
  Tensor t;
  t.type = type;
  t.shape = std::move(shape);
  t.bytes.resize(static_cast<std::size_t>(t.elements()) * size_in_bytes(type));
  for (std::size_t i = 0; i < t.bytes.size(); ++i) t.bytes[i] = static_cast<std::byte>(i * 37 + 11);
  return t;
}

Checkpoint sample() {
  Checkpoint c;
  c.config = small_config(layers);
  c.config_source = "kleines \"Netz\".yaml";
  c.class_count = 2;
  c.names = {"käfer <script>", "b'\n"};
  c.image_size = 416;
  c.dataset_identity = "0123abcd";
  c.state = "{\"epoch\": 7}";
  Overrides two;
  two.class_count = 2;
  c.model = numbered_weights(build(c.config, c.config_source, two));
  c.ema = c.model;
  c.ema.set("model.0.bn.num_batches_tracked", of_type(DataType::int64, {}));
  for (const DataType type : {DataType::float16, DataType::bfloat16, DataType::float32,
                              DataType::float64, DataType::int64, DataType::uint8}) {
    const std::string name = std::to_string(static_cast<int>(type));
    c.optimizer.set(name, of_type(type, {3, 1, 5}));
    c.optimizer.set(name + ".scalar", of_type(type, {}));
  }
  c.optimizer.set("empty", of_type(DataType::float32, {0, 4}));
  return c;
}

void expect_equal(const Weights& a, const Weights& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a.entries()[i].first, b.entries()[i].first);
    EXPECT_EQ(a.entries()[i].second.type, b.entries()[i].second.type);
    EXPECT_EQ(a.entries()[i].second.shape, b.entries()[i].second.shape);
    EXPECT_EQ(a.entries()[i].second.bytes, b.entries()[i].second.bytes) << a.entries()[i].first;
  }
}

class CheckpointFile : public testing::Test {
 protected:
  test::ScratchFolder folder;
  std::filesystem::path path = folder / "a.pt";
  std::string reading() {
    return error_of([&] { read_checkpoint(path); });
  }
  /// A file of ours whose pickle holds `model` as written, and one storage "0" of 16 bytes.
  std::string with_model(
      const std::string& model, const std::string& format = "yolov7.cpp", std::int64_t version = 1,
      const std::string& meta =
          R"({"config":"","config_source":"","class_count":1,"names":["a"],"image_size":640,"dataset_identity":"","state":""})") {
    const std::string body = "}(" + text("format") + text(format) + text("format_version") +
                             integer(version) + text("model") + "}(" + model + "u" + text("ema") +
                             "}" + text("optimizer") + "}" + text("meta") + text(meta) + "u";
    write_zip(path, {{"archive/data.pkl", pickle(body)},
                     {"archive/data/0", std::string(16, '\1')},
                     {"archive/version", "3\n"}});
    return reading();
  }
};

/// Without the fsync of an atomic write: some thousand files are written here.
void put(const std::filesystem::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}
void expect_part(const std::string& said, const std::string& part) {
  EXPECT_NE(said.find(part), std::string::npos) << '"' << said << "\" lacks \"" << part << '"';
}

TEST_F(CheckpointFile, RoundTripOfEverything) {
  const Checkpoint written = sample();
  write_checkpoint(path, written);
  const Checkpoint read = read_checkpoint(path);
  EXPECT_EQ(read.config, written.config);
  EXPECT_EQ(read.config_source, written.config_source);
  EXPECT_EQ(read.class_count, 2);
  EXPECT_EQ(read.names, written.names);
  EXPECT_EQ(read.image_size, 416);
  EXPECT_EQ(read.dataset_identity, "0123abcd");
  EXPECT_EQ(read.state, "{\"epoch\": 7}");
  expect_equal(read.model, written.model);
  expect_equal(read.ema, written.ema);
  expect_equal(read.optimizer, written.optimizer);
  EXPECT_EQ(read.build_network().class_count, 2);
}

TEST_F(CheckpointFile, EqualContentGivesEqualBytes) {
  write_checkpoint(path, sample());
  write_checkpoint(folder / "b.pt", sample());
  EXPECT_TRUE(file::read(path) == file::read(folder / "b.pt"));
}

// Architecture 3.8: the buffers are authoritative, in their own order.
TEST_F(CheckpointFile, AnchorsComeFromTheBuffers) {
  Checkpoint c = sample();
  c.ema.set("model.1.anchor_grid",
            Tensor::from(std::vector<double>{21.5, 33.25}, {1, 1, 1, 1, 1, 2}));
  const Network n = c.build_network();
  EXPECT_EQ(n.levels[0].anchors[0].w, 21.5);
  EXPECT_EQ(n.levels[0].anchors[0].h, 33.25);
  EXPECT_EQ(&c.inference_weights(), &c.ema);
  c.ema = Weights();
  EXPECT_EQ(&c.inference_weights(), &c.model);
}

TEST_F(CheckpointFile, CutAnywhereIsOneClearError) {
  write_checkpoint(path, sample());
  const std::string whole = file::read(path);
  for (int percent = 0; percent < 100; ++percent) {
    put(path, whole.substr(0, whole.size() * static_cast<std::size_t>(percent) / 100));
    const std::string said = reading();
    EXPECT_EQ(said.rfind(path.string() + ": ", 0), 0u) << percent << " %: " << said;
    EXPECT_EQ(said.find('\n'), std::string::npos);
  }
  put(path, whole.substr(0, whole.size() - 1));
  EXPECT_NE(reading(), "no error");
}

TEST_F(CheckpointFile, EveryFlippedBitInTensorDataIsFound) {
  const Checkpoint c = sample();
  write_checkpoint(path, c);
  const std::string whole = file::read(path);
  const Tensor& tensor = c.model.at("model.0.conv.weight");
  const std::string content(reinterpret_cast<const char*>(tensor.bytes.data()),
                            tensor.bytes.size());
  const std::size_t start = whole.find(content);
  ASSERT_NE(start, std::string::npos);
  for (std::size_t at = 0; at < content.size(); at += 29) {
    std::string s = whole;
    s[start + at] = static_cast<char>(s[start + at] ^ (1 << (at % 8)));
    put(path, s);
    expect_part(reading(), "damaged");
  }
}

// Whatever single byte of the file changes: an error, or exactly the same content; never other
// content, never a crash.
TEST_F(CheckpointFile, AnyChangedByteIsFoundOrHarmless) {
  Checkpoint c;
  c.config = small_config(layers);
  c.class_count = 1;
  c.names = {"a"};
  c.model.set("w", of_type(DataType::float32, {4}));
  write_checkpoint(path, c);
  const std::string whole = file::read(path);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string s = whole;
    s[at] = static_cast<char>(s[at] ^ 0x41);
    put(path, s);
    try {
      const Checkpoint read = read_checkpoint(path);
      EXPECT_EQ(read.config, c.config) << at;
      EXPECT_EQ(read.names, c.names) << at;
      expect_equal(read.model, c.model);
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()), "");
    }
  }
}

TEST_F(CheckpointFile, ForeignAndNewerFiles) {
  expect_part(with_model("", "other"), "expected a checkpoint: a model, or tensors under names");
  expect_part(with_model("", "yolov7.cpp", 2), "expected format version 1, found 2");
  expect_part(with_model("", "yolov7.cpp", 1, "not json"), "meta");
  expect_part(with_model("", "yolov7.cpp", 1, "{}"), "description of a network");
  expect_part(
      with_model(
          "", "yolov7.cpp", 1,
          R"({"config":"","config_source":"","class_count":2,"names":["a"],"image_size":640,"dataset_identity":"","state":""})"),
      "as many names as classes");
  for (const std::string size : {"0", "65536", "2147483647"})
    expect_part(
        with_model(
            "", "yolov7.cpp", 1,
            R"({"config":"","config_source":"","class_count":1,"names":["a"],"image_size":)" +
                size + R"(,"dataset_identity":"","state":""})"),
        "expected an image size of 1 to 65535, found " + size);
  EXPECT_EQ(with_model(""), "no error");
  write_zip(path, {{"archive/data.pkl", pickle(global("models.yolo", "Model") + ")R")}});
  expect_part(reading(), "a call of 'models.yolo.Model'");
  write_zip(path, {{"archive/data.pkl", pickle(global("os", "system") + "(" +
                                               text("touch /tmp/yolov7-was-here") + "tR")}});
  expect_part(reading(), "'os.system'");
  write_zip(path, {{"archive/data.pkl", pickle("}")}});
  expect_part(reading(), "expected a checkpoint: a model, or tensors under names");
  write_zip(path, {{"archive/data.pkl", pickle("N")}});
  expect_part(reading(), "expected a checkpoint: a model, or tensors under names");
}

TEST_F(CheckpointFile, TensorsThatClaimWhatTheFileDoesNotHold) {
  const auto one = [&](const FakeTensor& claim) { return with_model(text("w") + tensor(claim)); };
  FakeTensor ok;
  EXPECT_EQ(one(ok), "no error");
  const auto changed = [&](auto change) {
    FakeTensor c;
    change(c);
    return one(c);
  };
  expect_part(changed([](FakeTensor& c) { c.key = "1"; }), "expected an entry archive/data/1");
  expect_part(changed([](FakeTensor& c) { c.key = "../../../../etc/passwd"; }),
              "expected an entry");
  expect_part(changed([](FakeTensor& c) { c.key = "../data.pkl"; }), "expected an entry");
  expect_part(changed([](FakeTensor& c) { c.elements = 5; }),
              "expected a storage of 20 bytes, found 16");
  expect_part(changed([](FakeTensor& c) { c.elements = 1'000'000'000'000; }), "storage");
  expect_part(changed([](FakeTensor& c) { c.shape = {1000}; }), "beyond its storage");
  expect_part(changed([](FakeTensor& c) { c.offset = 1; }), "storage");
  expect_part(changed([](FakeTensor& c) { c.offset = std::int64_t{1} << 60; }), "storage");
  expect_part(changed([](FakeTensor& c) { c.strides = {2}; }), "beyond its storage");
  expect_part(changed([](FakeTensor& c) { c.strides = {0}; }), "contiguous");
  expect_part(changed([](FakeTensor& c) { c.shape = {2, 2}, c.strides = {1, 2}; }), "contiguous");
  expect_part(changed([](FakeTensor& c) { c.storage = "DoubleStorage"; }),
              "expected a storage of 32 bytes");
  expect_part(changed([](FakeTensor& c) { c.storage = "IntStorage"; }),
              "expected a storage of 4 elements");
  expect_part(changed([](FakeTensor& c) { c.shape = {2}, c.strides = {1}; }),
              "expected a storage of 2 elements, found 4");
  expect_part(changed([](FakeTensor& c) { c.storage = "ComplexFloatStorage"; }),
              "ComplexFloatStorage");
  expect_part(changed([](FakeTensor& c) {
                c.shape = {1 << 20, 1 << 20}, c.strides = {1 << 20, 1};
              }),
              "beyond its storage");
  expect_part(changed([](FakeTensor& c) {
                c.shape = std::vector<std::int64_t>(8, 1 << 20);
                c.strides = std::vector<std::int64_t>(8, 1);
              }),
              "beyond its storage");
  expect_part(with_model(text("a") + tensor(ok) + text("b") + tensor(ok)), "storage of its own");
  expect_part(with_model(text("a") + text("b")), "expected a tensor");
}

// A file size limit stands in for a full disk: write(2) fails in the middle in the same way.
TEST_F(CheckpointFile, AFullDiskLeavesTheOldFile) {
  Checkpoint c = sample();
  write_checkpoint(path, c);
  const std::string old = file::read(path);
  c.model.set("large", of_type(DataType::float32, {1 << 20}));
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100'000, 100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_checkpoint(path, c);
    } catch (const Error& error) {
      ::_exit(std::string(error.what()).empty() ? 8 : 7);
    } catch (...) {
      ::_exit(9);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_TRUE(file::read(path) == old);
  EXPECT_EQ(folder.files(), 1u);
}

TEST_F(CheckpointFile, AFolderThatIsNotThere) {
  const std::string said = error_of([&] { write_checkpoint(folder / "none/a.pt", sample()); });
  expect_part(said, "none");
}

}  // namespace
}  // namespace yolov7::network
