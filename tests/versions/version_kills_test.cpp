// A writer that is ended at any instant, or whose disk is full at any write, leaves every older
// version whole, and the new one whole or absent. And two writers at once.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/versions/version_fixture.hpp"
#include "versions/collect.hpp"
#include "versions/verify.hpp"

namespace yolov7::versions {
namespace {

/// How often writers are ended: a few times here, 1,000 in the soak test.
int kills() {
  const char* wanted = std::getenv("YOLOV7_KILLS");
  return wanted != nullptr ? std::atoi(wanted) : 30;
}

class Worker {
 public:
  Worker(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
    child_ = ::fork();
    if (child_ != 0) return;
    for (const std::string& one : environment) ::putenv(const_cast<char*>(one.c_str()));
    if (std::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(99);
    std::vector<std::string> all = {YOLOV7_BINARY_DIR "/bin/version_worker"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    std::vector<char*> values;
    for (std::string& one : all) values.push_back(one.data());
    values.push_back(nullptr);
    ::execv(values[0], values.data());
    ::_exit(98);
  }
  void end() const { ::kill(child_, SIGKILL); }
  /// Exit code; 128 + signal if it was ended by one.
  int wait() const {
    int status = 0;
    ::waitpid(child_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t child_ = -1;
};

constexpr int ended = 128 + SIGKILL;

class VersionKills : public VersionFixture {
 protected:
  void SetUp() override {
    write_set(8, 3);
    first_ = commit().entry.id;
    scratch.write("data/images/train/new.bmp", bitmap(90));
    scratch.write("data/labels/train/new.txt", row(1, 0.125));
    scratch.write("data/labels/train/1.txt", row(0, 0.25) + row(1, 0.5));
    second_ = commit().entry.id;
    forget_second();
  }
  /// The store as before the second version, and nothing left of it.
  void forget_second() {
    Store from = store();
    std::vector<std::string> drop;
    for (const Entry& entry : from.history())
      if (entry.id == second_) drop.push_back("pets@v" + std::to_string(entry.number));
    collect_garbage(from, {drop, false, {}});
  }
  std::vector<std::string> create_call() const {
    return {"create", (scratch / "store").string(), (scratch / "data/data.yaml").string()};
  }
  int run(const std::vector<std::string>& arguments,
          const std::vector<std::string>& environment = {}) const {
    return Worker(arguments, environment).wait();
  }
  /// Every version that is there is whole, and the first one is there.
  void expect_whole(const std::string& when) {
    Store from = store();
    const Verified done = verify(from, {{}, 1, {}});
    for (const Damage& one : done.damages) ADD_FAILURE() << when << ": " << one.what;
    const auto entries = from.history();
    ASSERT_GE(entries.size(), 1u) << when;
    EXPECT_EQ(entries.front().id, first_) << when;
    ASSERT_LE(entries.size(), 2u) << when;
    EXPECT_TRUE(entries.size() == 1 || entries.back().id == second_) << when;
  }
  /// What was ended is made up for by the same call again.
  void expect_goes_on(const std::string& when) {
    ASSERT_EQ(run(create_call()), 0) << when;
    Store from = store();
    ASSERT_EQ(from.history().size(), 2u) << when;
    EXPECT_EQ(from.history().back().id, second_) << when;
    expect_whole(when);
  }
  double seconds_of(const std::vector<std::string>& call) const {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(run(call), 0);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  Digest first_{}, second_{};
};

TEST_F(VersionKills, CreateAtEveryStepOfItsWriting) {
  int step = 1;
  for (;; ++step) {
    const std::string when = "step " + std::to_string(step);
    const int code = run(create_call(), {"YOLOV7_FAILPOINTS=version-kill=" + std::to_string(step)});
    if (code == 0) break;
    ASSERT_EQ(code, ended) << when;
    expect_whole(when);
    expect_goes_on(when);
    forget_second();
  }
  EXPECT_GE(step, 5);  // an object, the file system, the transaction's begin, commit and end
}

TEST_F(VersionKills, CreateAndCollectAtRandomInstants) {
  double seconds = seconds_of(create_call());
  forget_second();
  std::mt19937 random(23);
  std::uniform_real_distribution<double> part(0, 1);
  int met = 0, tried = 0;
  for (; met < kills() && tried < 5 * kills(); ++tried) {
    const std::string when = "kill " + std::to_string(tried);
    const bool collects = tried % 3 == 2;
    std::vector<std::string> call = create_call();
    if (collects) {
      ASSERT_EQ(run(create_call()), 0);
      call = {"gc", (scratch / "store").string(), "pets"};  // drops the newest
    }
    const Worker worker(call, {});
    std::this_thread::sleep_for(std::chrono::duration<double>(part(random) * seconds));
    worker.end();
    const bool in_time = worker.wait() == ended;
    met += in_time ? 1 : 0;
    seconds *= in_time ? 1.01 : 0.98;  // follows the load of the machine
    expect_whole(when);
    if (HasFatalFailure()) return;
    forget_second();
  }
  EXPECT_EQ(met, kills()) << "of " << tried;
  expect_goes_on("the end");
}

TEST_F(VersionKills, CollectAtEveryStep) {
  for (int step = 1;; ++step) {
    const std::string when = "step " + std::to_string(step);
    ASSERT_EQ(run(create_call()), 0);
    const int code = run({"gc", (scratch / "store").string(), "pets"},
                         {"YOLOV7_FAILPOINTS=version-kill=" + std::to_string(step)});
    if (code == 0) {
      EXPECT_GE(step, 3);
      break;
    }
    ASSERT_EQ(code, ended) << when;
    expect_whole(when);
    forget_second();
    std::vector<fs::path> others;
    EXPECT_EQ(store().objects().list(others).size(), 11u) << when;  // nothing stays behind
    EXPECT_TRUE(others.empty());
  }
}

/// Ours and theirs go on from the first version, each with a change of its own.
class VersionMergeKills : public VersionKills {
 protected:
  void SetUp() override {
    VersionKills::SetUp();
    write_set(8, 3, "theirs");
    commit_as("theirs");  // the first version
    scratch.write("theirs/labels/train/2.txt", row(1, 0.25));
    commit_as("theirs");
    commit();  // the second version again
    ASSERT_EQ(run(merge_call()), 0);
    merged_ = store().find("pets").id;
    forget();
  }
  void commit_as(const std::string& name) {
    CreateOptions o = options("theirs");
    o.name = name;
    create(o);
  }
  std::vector<std::string> merge_call() const {
    return {"merge", (scratch / "store").string(), "pets", "theirs"};
  }
  void forget() {
    Store from = store();
    collect_garbage(from, {{"pets"}, false, {}});
  }
  /// True: the merged version is there.
  bool whole(const std::string& when) {
    Store from = store();
    for (const Damage& one : verify(from, {{}, 1, {}}).damages) ADD_FAILURE() << when << one.what;
    const auto entries = from.history();
    EXPECT_GE(entries.size(), 4u) << when;
    EXPECT_EQ(entries[0].id, first_) << when;
    EXPECT_EQ(entries[3].id, second_) << when;
    EXPECT_TRUE(entries.size() == 4 || entries.back().id == merged_) << when;
    return entries.size() == 5;
  }
  Digest merged_{};
};

TEST_F(VersionMergeKills, AtEveryStepAndAtRandomInstants) {
  for (int step = 1;; ++step) {
    const std::string when = "step " + std::to_string(step);
    const int code = run(merge_call(), {"YOLOV7_FAILPOINTS=version-kill=" + std::to_string(step)});
    const bool there = whole(when);
    if (there) forget();
    if (code == 0) break;
    ASSERT_EQ(code, ended) << when;
  }
  const double seconds = seconds_of(merge_call());
  forget();
  std::mt19937 random(7);
  std::uniform_real_distribution<double> part(0, 1.1);
  for (int i = 0; i < kills() / 3; ++i) {
    const Worker worker(merge_call(), {});
    std::this_thread::sleep_for(std::chrono::duration<double>(part(random) * seconds));
    worker.end();
    worker.wait();
    if (whole("kill " + std::to_string(i))) forget();
  }
  for (const std::string place : {"VERSION_WORKER_FULL_AT=", "YOLOV7_FAILPOINTS=version-full="})
    for (int write = 1;; ++write) {
      const std::string when = place + std::to_string(write);
      const int code = run(merge_call(), {when});
      const bool there = whole(when);
      if (there) forget();
      if (code == 0) break;
      ASSERT_EQ(code, 1) << when;
    }
}

// SQLite's own writes, one after the other, and those of objects.
TEST_F(VersionKills, FullDiskAtEveryWrite) {
  int failed = 0;
  for (const std::string place : {"VERSION_WORKER_FULL_AT=", "YOLOV7_FAILPOINTS=version-full="})
    for (int write = 1;; ++write) {
      const std::string when = place + std::to_string(write);
      const int code = run(create_call(), {when});
      if (code == 0) {
        forget_second();
        break;
      }
      ASSERT_EQ(code, 1) << when;
      ++failed;
      expect_whole(when);
      if (write % 7 == 0) {
        expect_goes_on(when);
        forget_second();
      }
    }
  EXPECT_GE(failed, 10);
  expect_goes_on("the end");
}

TEST_F(VersionKills, FullDiskWhileCollecting) {
  for (const std::string place : {"VERSION_WORKER_FULL_AT=", "YOLOV7_FAILPOINTS=version-full="})
    for (int write = 1;; ++write) {
      const std::string when = place + std::to_string(write);
      ASSERT_EQ(run(create_call()), 0);
      const int code = run({"gc", (scratch / "store").string(), "pets"}, {when});
      if (code == 0) break;
      ASSERT_EQ(code, 1) << when;
      expect_whole(when);
    }
}

// One waits for the other; both versions are there, each with a number of its own.
TEST_F(VersionKills, TwoWritersAtOnce) {
  write_set(5, 2, "other");
  scratch.write("other/labels/train/0.txt", row(0, 0.75));
  const Worker one(create_call(), {});
  const Worker two({"create", (scratch / "store").string(), (scratch / "other/data.yaml").string()},
                   {});
  const Worker three({"gc", (scratch / "store").string()}, {});
  EXPECT_EQ(one.wait(), 0);
  EXPECT_EQ(two.wait(), 0);
  EXPECT_EQ(three.wait(), 0);
  Store from = store();
  const auto entries = from.history();
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_NE(entries[1].number, entries[2].number);
  EXPECT_NE(entries[1].id, entries[2].id);
  EXPECT_TRUE(verify(from, {{}, 1, {}}).damages.empty());
}

// A reader is not held up by a writer that has the lock.
TEST_F(VersionKills, ReadersDoNotWait) {
  Store writer = store();
  const file::Lock lock = writer.lock({});
  Transaction transaction(writer.database());
  Store reader = store();
  EXPECT_EQ(reader.history().size(), 1u);
  EXPECT_TRUE(verify(reader, {{}, 1, {}}).damages.empty());
}

}  // namespace
}  // namespace yolov7::versions
