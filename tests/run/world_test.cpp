#include "run/world.hpp"

#include <gtest/gtest.h>

#include <map>

#include "core/error.hpp"

namespace yolov7::run {
namespace {

World world(const std::map<std::string, std::string>& variables) {
  return world_of([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

std::map<std::string, std::string> torchrun() {
  return {{"WORLD_SIZE", "8"},         {"RANK", "5"},
          {"LOCAL_RANK", "1"},         {"LOCAL_WORLD_SIZE", "4"},
          {"MASTER_ADDR", "10.0.0.1"}, {"MASTER_PORT", "29500"}};
}

TEST(World, ReadsTorchrunsVariables) {
  const World w = world(torchrun());
  EXPECT_EQ(w.rank, 5);
  EXPECT_EQ(w.size, 8);
  EXPECT_EQ(w.local_rank, 1);
  EXPECT_EQ(w.local_size, 4);
  EXPECT_EQ(w.address, "10.0.0.1");
  EXPECT_EQ(w.port, 29500);
  EXPECT_FALSE(w.writes());
}

TEST(World, IsOneProcessWithoutThem) {
  EXPECT_TRUE(world({}).alone());
  EXPECT_TRUE(world({{"WORLD_SIZE", "1"}, {"RANK", "0"}}).alone());
  EXPECT_TRUE(world({}).writes());
}

TEST(World, NamesTheVariableThatIsWrong) {
  for (const auto& [name, value] : std::map<std::string, std::string>{{"RANK", "8"},
                                                                      {"WORLD_SIZE", "x"},
                                                                      {"LOCAL_RANK", "4"},
                                                                      {"LOCAL_WORLD_SIZE", "9"},
                                                                      {"MASTER_PORT", "70000"}}) {
    auto variables = torchrun();
    variables[name] = value;
    try {
      world(variables);
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_NE(
          std::string(error.what()).find("in the variable " + name + ", found '" + value + "'"),
          std::string::npos)
          << error.what();
      EXPECT_EQ(error.code(), ExitCode::usage);
    }
  }
  for (const char* name : {"RANK", "MASTER_ADDR", "MASTER_PORT"}) {
    auto variables = torchrun();
    variables.erase(name);
    EXPECT_THROW(world(variables), Error) << name;
  }
}

TEST(Gpus, AreNumbersWithCommas) {
  EXPECT_EQ(gpus_of(""), std::vector<int>{});
  EXPECT_EQ(gpus_of("cpu"), std::vector<int>{});
  EXPECT_EQ(gpus_of("3"), std::vector<int>{3});
  EXPECT_EQ(gpus_of("2,0"), (std::vector<int>{2, 0}));
  for (const char* wrong : {"cuda", "0,", "0,0", "-1", "0 1", "1.5"})
    EXPECT_THROW(gpus_of(wrong), Error) << wrong;
}

}  // namespace
}  // namespace yolov7::run
