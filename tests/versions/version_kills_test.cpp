// A writer that is killed at any moment, or whose disk is full at any write, leaves every older
// version intact, and the new one intact or absent. Two writers and a garbage collection run at
// once.
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

/// How many writers are killed at random moments: 30, and 1,000 in the soak test.
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
  void kill() const { ::kill(child_, SIGKILL); }
  /// Exit code; 128 + signal if a signal ended it.
  int wait() const {
    int status = 0;
    ::waitpid(child_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t child_ = -1;
};

constexpr int killed = 128 + SIGKILL;

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
  /// Removes the second version and its files from the store.
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
  /// The same call again creates the version that the killed writer did not.
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
    ASSERT_EQ(code, killed) << when;
    expect_whole(when);
    expect_goes_on(when);
    forget_second();
  }
  // The object file, its sync, and before, inside and after the transaction; then one call that
  // ends by itself.
  EXPECT_GE(step, 6);
}

TEST_F(VersionKills, CreateAndCollectAtRandomInstants) {
  double seconds = seconds_of(create_call());
  forget_second();
  std::mt19937 random(23);
  std::uniform_real_distribution<double> part(0, 1);
  int killed_in_time = 0, tried = 0;
  for (; killed_in_time < kills() && tried < 5 * kills(); ++tried) {
    const std::string when = "kill " + std::to_string(tried);
    const bool collects = tried % 3 == 2;
    std::vector<std::string> call = create_call();
    if (collects) {
      ASSERT_EQ(run(create_call()), 0);
      call = {"gc", (scratch / "store").string(), "pets"};  // drops the newest
    }
    const Worker worker(call, {});
    std::this_thread::sleep_for(std::chrono::duration<double>(part(random) * seconds));
    worker.kill();
    const bool in_time = worker.wait() == killed;
    killed_in_time += in_time ? 1 : 0;
    // A kill that came too late shortens the next waits, one in time lengthens them.
    seconds *= in_time ? 1.01 : 0.98;
    expect_whole(when);
    if (HasFatalFailure()) return;
    forget_second();
  }
  EXPECT_EQ(killed_in_time, kills()) << "of " << tried;
  expect_goes_on("the end");
}

TEST_F(VersionKills, CollectAtEveryStep) {
  for (int step = 1;; ++step) {
    const std::string when = "step " + std::to_string(step);
    ASSERT_EQ(run(create_call()), 0);
    const int code = run({"gc", (scratch / "store").string(), "pets"},
                         {"YOLOV7_FAILPOINTS=version-kill=" + std::to_string(step)});
    if (code == 0) {
      EXPECT_GE(step, 4);  // three points, then one call that ends by itself
      break;
    }
    ASSERT_EQ(code, killed) << when;
    expect_whole(when);
    forget_second();
    std::vector<fs::path> others;
    EXPECT_EQ(store().objects().list(others).size(), 11u)
        << when;  // of 8 + 3 images; that of the second version is gone
    EXPECT_TRUE(others.empty());
  }
}

/// Two histories, `pets` and `theirs`, start at the first version; each adds one change.
class VersionMergeKills : public VersionKills {
 protected:
  void SetUp() override {
    VersionKills::SetUp();
    write_set(8, 3, "theirs");
    commit_theirs();  // the same content as the first version
    scratch.write("theirs/labels/train/2.txt", row(1, 0.25));
    commit_theirs();
    commit();  // the second version again
    ASSERT_EQ(run(merge_call()), 0);
    merged_ = store().find("pets").id;
    forget();
  }
  void commit_theirs() {
    CreateOptions o = options("theirs");
    o.name = "theirs";
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
    if (entries.size() < 4) {
      ADD_FAILURE() << when << ": " << entries.size() << " versions";
      return false;
    }
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
    if (code == 0) {
      EXPECT_TRUE(there);
      // Before, inside and after the transaction; then one call that ends by itself.
      EXPECT_GE(step, 4);
      break;
    }
    ASSERT_EQ(code, killed) << when;
    // The same call again creates the version that the killed one did not.
    ASSERT_EQ(run(merge_call()), 0) << when;
    EXPECT_TRUE(whole(when)) << when;
    forget();
  }
  const double seconds = seconds_of(merge_call());
  forget();
  std::mt19937 random(7);
  std::uniform_real_distribution<double> part(0, 1.1);
  int killed_in_time = 0;
  for (int i = 0; i < kills() / 3; ++i) {
    const Worker worker(merge_call(), {});
    std::this_thread::sleep_for(std::chrono::duration<double>(part(random) * seconds));
    worker.kill();
    killed_in_time += worker.wait() == killed ? 1 : 0;
    if (whole("kill " + std::to_string(i))) forget();
  }
  EXPECT_GE(killed_in_time, 1);
  int failed = 0;
  for (const std::string place : {"VERSION_WORKER_FULL_AT=", "YOLOV7_FAILPOINTS=version-full="})
    for (int write = 1;; ++write) {
      const std::string when = place + std::to_string(write);
      const int code = run(merge_call(), {when});
      const bool there = whole(when);
      if (there) forget();
      if (code == 0) break;
      ASSERT_EQ(code, 1) << when;
      ++failed;
    }
  EXPECT_GE(failed, 5);  // two writes of SQLite at least, and three points of the transaction
}

// Fails each write of SQLite in turn, then each step at which the store is changed.
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
  int failed = 0;
  for (const std::string place : {"VERSION_WORKER_FULL_AT=", "YOLOV7_FAILPOINTS=version-full="})
    for (int write = 1;; ++write) {
      const std::string when = place + std::to_string(write);
      ASSERT_EQ(run(create_call()), 0);
      const int code = run({"gc", (scratch / "store").string(), "pets"}, {when});
      if (code == 0) break;
      ASSERT_EQ(code, 1) << when;
      ++failed;
      expect_whole(when);
    }
  EXPECT_GE(failed, 5);  // two writes of SQLite at least, and three points of collecting
}

// Two writers and a garbage collection run at once. Both versions are added, with different
// numbers.
TEST_F(VersionKills, TwoWritersAndACollectionAtOnce) {
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
