#include "core/flow/rules_seen.hpp"

#include <gtest/gtest.h>

#include "core/os/nf_tables.hpp"
#include "support.hpp"

namespace alca::flow {
namespace {

class RulesSeenTest : public FlowTest {
  protected:
    void SetUp() override {
        if (!os::ruleset_generation()) GTEST_SKIP() << "needs CAP_NET_ADMIN and nf_tables";
        be_up();
    }
    static std::string stamp(const project::State& state) {
        return rules_stamp(state).value_or("no stamp");
    }
};

TEST_F(RulesSeenTest, WhatWasSeenIsKnownUntilOtherRulesAreAskedFor) {
    EXPECT_FALSE(were_rules_seen(host, state(), stamp(state())));
    note_rules_seen(host, state(), stamp(state()));
    EXPECT_TRUE(were_rules_seen(host, state(), stamp(state())));

    // Whatever stands in the file by now: it is the rules that were compared which count.
    project::State changed = state();
    changed.firewall.policy = "open";
    EXPECT_FALSE(were_rules_seen(host, changed, stamp(changed)));
    changed = state();
    changed.firewall.dns.emplace_back("192.0.2.53");
    EXPECT_FALSE(were_rules_seen(host, changed, stamp(changed)));

    forget_rules_seen(host, state());
    EXPECT_FALSE(were_rules_seen(host, state(), stamp(state())));
}

}  // namespace
}  // namespace alca::flow
