#include "core/os/nf_tables.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string_view>
#include <thread>

namespace alca::os {
namespace {

// Runs nft; a shell would add nothing.
int nft(const char* what, const char* object) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::execlp("nft", "nft", what, object, object == std::string_view("table") ? "inet" : nullptr,
                 "other", nullptr);
        ::_exit(127);
    }
    int status = 0;
    return ::waitpid(child, &status, 0) == child ? status : -1;
}

TEST(RulesetGenerationTest, RisesWithEachChangeAndOnlyThen) {
    std::thread([] {
        if (::unshare(CLONE_NEWNET) != 0)
            GTEST_SKIP() << "needs CAP_SYS_ADMIN: a network namespace";
        const auto first = ruleset_generation();
        ASSERT_TRUE(first) << first.error().message;
        EXPECT_EQ(*ruleset_generation(), *first);
        ASSERT_EQ(nft("add", "table"), 0);
        const auto second = ruleset_generation();
        ASSERT_TRUE(second);
        EXPECT_NE(*second, *first);
        ASSERT_EQ(nft("flush", "ruleset"), 0);
        EXPECT_NE(*ruleset_generation(), *second);
        EXPECT_NE(*ruleset_generation(), *first);
    }).join();
}

TEST(RulesetGenerationTest, WhoMayNotAskIsDeniedAndNotToldAnything) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: to give a right up";
    const pid_t child = ::fork();
    if (child == 0) {
        const bool dropped = ::setgid(65534) == 0 && ::setuid(65534) == 0;
        const auto generation = ruleset_generation();
        ::_exit(dropped && !generation && generation.error().code == Code::denied ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace alca::os
