// Many sandboxes, and many processes at once.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "netns.hpp"
#include "plugins/firewall-nft/nft_firewall.hpp"
#include "quiet_call.hpp"

namespace alca::nft::test {
namespace {

FirewallRequest request(std::string interface) {
    return {.sandbox_id = "test",
            .interface = std::move(interface),
            .policy = NetworkPolicy::internet,
            .dns = {"10.77.0.2"}};
}

// Every kind of rules of their own that sandboxes can have.
FirewallRequest request_with_rules(int i) {
    FirewallRequest wanted = request(fmt::format("alca{:x}", i));
    if (i % 10 == 1) wanted.allow = {{.to = "10.0.0.5", .protocols = {"tcp"}, .ports = {{1, 9}}}};
    if (i % 10 == 2) wanted.proxy = TcpProxy{.to = TcpProxy::kHost, .port = 1080};
    if (i % 10 == 3) wanted.limits.new_connections_per_second = 5;
    if (i % 10 == 4) wanted.strict = true;
    return wanted;
}

// Median of the time that `count` runs of `function` take, in microseconds.
template <class Function>
long median_us(int count, Function function) {
    std::vector<long> times;
    for (int i = 0; i < count; ++i) {
        const auto start = std::chrono::steady_clock::now();
        function(i);
        times.push_back(static_cast<long>(std::chrono::duration_cast<std::chrono::microseconds>(
                                              std::chrono::steady_clock::now() - start)
                                              .count()));
    }
    std::nth_element(times.begin(), times.begin() + count / 2, times.end());
    return times[static_cast<std::size_t>(count / 2)];
}

TEST(ScaleTest, ThousandSandboxesComeAndGo) {
    ALCA_SKIP_WITHOUT_NETNS();
    const Netns host;
    const std::string routing_rules = host.ip_rules();
    host.run([] {
        const QuietCall call;
        NftFirewall firewall;
        const auto apply = [&](int i) {
            ASSERT_TRUE(firewall.apply(call, request(fmt::format("alca{:x}", i))).has_value());
        };
        const auto verify = [&](int /*run*/) {
            EXPECT_TRUE(firewall.verify(call, request("alca0"))->intact);
        };
        apply(0);
        const long first_us = median_us(20, apply);
        const long first_verify_us = median_us(20, verify);
        for (int i = 20; i < 980; ++i) {
            ASSERT_TRUE(firewall.apply(call, request_with_rules(i)).has_value());
        }
        for (int i = 21; i < 31; ++i) {
            EXPECT_EQ(firewall.verify(call, request_with_rules(i))->problem, "");
        }
        const long last_us = median_us(20, [&](int i) { apply(980 + i); });
        const long last_verify_us = median_us(20, verify);
        EXPECT_EQ(firewall.list(call)->size(), 1000U);
        fmt::print("register: {} us with none, {} us with 1000; verify: {} us, {} us\n", first_us,
                   last_us, first_verify_us, last_verify_us);
        for (int i = 0; i < 1000; ++i) {
            ASSERT_TRUE(firewall.remove(call, request(fmt::format("alca{:x}", i))).has_value());
        }
        EXPECT_TRUE(firewall.list(call)->empty());
    });
    EXPECT_EQ(host.nft_list("ruleset"), "");
    EXPECT_EQ(host.ip_rules(), routing_rules);
}

TEST(ScaleTest, DamagedTableOfThousandIsReplacedWhole) {
    ALCA_SKIP_WITHOUT_NETNS();
    const Netns host;
    NftFirewall firewall;
    const QuietCall call;
    host.run([&] {
        for (int i = 0; i < 1000; ++i) {
            ASSERT_TRUE(firewall.apply(call, request(fmt::format("alca{:x}", i))).has_value());
        }
    });
    host.nft("flush chain inet alca pre");
    host.run([&] {
        ASSERT_TRUE(firewall.apply(call, request("alca0")).has_value());
        EXPECT_EQ(firewall.list(call)->size(), 1000U);
        EXPECT_TRUE(firewall.verify(call, request("alca3e7"))->intact);
    });
}

// Never returns. Exit code: 0, or the number of the step that failed.
[[noreturn]] void come_and_go(const Netns& host, const std::string& interface) {
    host.enter();
    const QuietCall call;
    NftFirewall firewall;
    for (int round = 0; round < 200; ++round) {
        if (!firewall.apply(call, request(interface))) ::_exit(1);
        const auto verdict = firewall.verify(call, request(interface));
        if (!verdict || !verdict->intact) ::_exit(2);
        if (!firewall.remove(call, request(interface))) ::_exit(3);
    }
    ::_exit(firewall.apply(call, request(interface)) ? 0 : 4);
}

TEST(ScaleTest, TwoProcessesAtOnceDoNotDisturbEachOther) {
    ALCA_SKIP_WITHOUT_NETNS();
    const Netns host;
    std::vector<pid_t> children;
    for (const char* interface : {"alcaa", "alcab"}) {
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) come_and_go(host, interface);
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFEXITED(status));
        EXPECT_EQ(WEXITSTATUS(status), 0);
    }
    host.run([] {
        NftFirewall firewall;
        EXPECT_EQ(firewall.list(QuietCall()).value(), (std::vector<std::string>{"alcaa", "alcab"}));
        EXPECT_TRUE(firewall.verify(QuietCall(), request("alcaa"))->intact);
        EXPECT_TRUE(firewall.verify(QuietCall(), request("alcab"))->intact);
    });
}

}  // namespace
}  // namespace alca::nft::test
