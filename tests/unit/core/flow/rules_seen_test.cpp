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
    [[nodiscard]] std::string stamp() const { return rules_stamp(store, state()).value_or(""); }
};

TEST_F(RulesSeenTest, WhatWasSeenIsKnownUntilTheStateChanges) {
    const std::string before = stamp();
    ASSERT_NE(before, "");
    EXPECT_FALSE(were_rules_seen(host, state(), before));
    note_rules_seen(host, state(), before);
    EXPECT_TRUE(were_rules_seen(host, state(), stamp()));

    project::State changed = state();
    changed.firewall.dns.emplace_back("192.0.2.53");
    ASSERT_TRUE(store.save(changed));
    EXPECT_FALSE(were_rules_seen(host, state(), stamp()));
}

}  // namespace
}  // namespace alca::flow
