#include "core/os/nf_tables.hpp"

#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <thread>

namespace alca::os {
namespace {

TEST(RulesetGenerationTest, RisesWithEachChangeAndOnlyThen) {
    std::thread([] {
        if (::unshare(CLONE_NEWNET) != 0)
            GTEST_SKIP() << "needs CAP_SYS_ADMIN: a network namespace";
        const auto first = ruleset_generation();
        if (!first) GTEST_SKIP() << "no nf_tables";
        EXPECT_EQ(ruleset_generation(), first);
        ASSERT_EQ(std::system("nft add table inet other"), 0);
        const auto second = ruleset_generation();
        EXPECT_NE(second, first);
        ASSERT_EQ(std::system("nft flush ruleset"), 0);
        EXPECT_NE(ruleset_generation(), second);
        EXPECT_NE(ruleset_generation(), first);
    }).join();
}

}  // namespace
}  // namespace alca::os
