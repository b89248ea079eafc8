#include "helpers/alca-init/memory_kills.hpp"

#include <gtest/gtest.h>

namespace alca::init {
namespace {

TEST(MemoryKillsTest, AreReadOfBothKindsOfControlGroups) {
    EXPECT_EQ(count_memory_kills("low 0\nhigh 3\nmax 17\noom 5\noom_kill 2\noom_group_kill 0\n"),
              2U);
    EXPECT_EQ(count_memory_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n"), 7U);
}

TEST(MemoryKillsTest, WithoutTheLineThereAreNone) {
    EXPECT_EQ(count_memory_kills(""), 0U);
    EXPECT_EQ(count_memory_kills("oom_kill_disable 1\nunder_oom 1\n"), 0U);
    EXPECT_EQ(count_memory_kills("oom_kill x\n"), 0U);
}

}  // namespace
}  // namespace alca::init
