// Without CAP_NET_ADMIN: clear errors, and nothing done.
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "plugins/firewall-nft/nft_firewall.hpp"
#include "quiet_call.hpp"

namespace alca::nft::test {
namespace {

// Runs `function` on a thread that has no capability; the process keeps its own.
template <class Function>
void without_capabilities(Function function) {
    std::thread([&] {
        __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
        std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
        ASSERT_EQ(::syscall(SYS_capset, &header, none.data()), 0);
        function();
    }).join();
}

FirewallRequest request() { return {.sandbox_id = "test", .interface = "alcaa", .dns = {}}; }

TEST(DeniedTest, ProbeSaysThatOnlyTheRightIsMissing) {
    without_capabilities([] {
        NftFirewall firewall;
        const auto probe = firewall.probe(QuietCall());
        ASSERT_TRUE(probe.has_value());
        EXPECT_FALSE(probe->available);
        EXPECT_TRUE(probe->needs_root);
        EXPECT_NE(probe->reason.find("run alca with sudo"), std::string::npos) << probe->reason;
    });
}

TEST(DeniedTest, EveryCallIsDenied) {
    without_capabilities([] {
        NftFirewall firewall;
        const QuietCall call;
        EXPECT_EQ(firewall.apply(call, request()).error().code, Code::denied);
        EXPECT_EQ(firewall.verify(call, request()).error().code, Code::denied);
        EXPECT_EQ(firewall.remove(call, request()).error().code, Code::denied);
        EXPECT_EQ(firewall.list(call).error().code, Code::denied);
    });
}

}  // namespace
}  // namespace alca::nft::test
