#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "program.hpp"

namespace alca::init::testing {
namespace {

Output verify(const std::vector<std::string>& arguments = {}) {
    std::vector<std::string> command = {ALCA_INIT_PROGRAM, "verify"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    return Program(command).finish();
}

// The rest of each line that begins with `word`.
std::vector<std::string> lines_of(const Output& output, const std::string& word) {
    std::istringstream stream(output.out);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) {
        if (line.starts_with(word + " ")) lines.push_back(line.substr(word.size() + 1));
    }
    return lines;
}

TEST(VerifyTest, PrintsEveryStatusField) {
    const Output output = verify();
    ASSERT_EQ(output.exit_code, 0) << output.err;
    std::set<std::string> fields;
    for (const std::string& line : lines_of(output, "status"))
        fields.insert(line.substr(0, line.find(' ')));
    EXPECT_EQ(fields,
              (std::set<std::string>{"Uid", "Gid", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
                                     "NoNewPrivs", "Seccomp", "Seccomp_filters"}));
}

TEST(VerifyTest, StatusIsThatOfTheProcess) {
    Program program(
        {"setpriv", "--no-new-privs", "--bounding-set", "-net_raw", ALCA_INIT_PROGRAM, "verify"});
    const Output output = program.finish();
    EXPECT_NE(output.out.find("status NoNewPrivs 1\n"), std::string::npos)
        << output.out << output.err;
}

TEST(VerifyTest, MountsAreVerbatim) {
    std::ifstream file("/proc/self/mountinfo");
    std::vector<std::string> expected;
    for (std::string line; std::getline(file, line);) expected.push_back(line);
    EXPECT_EQ(lines_of(verify(), "mount"), expected);
}

TEST(VerifyTest, LoopbackIsAnInterface) {
    const std::vector<std::string> interfaces = lines_of(verify(), "interface");
    EXPECT_NE(std::find(interfaces.begin(), interfaces.end(), "lo 4 127.0.0.1/8"),
              interfaces.end());
}

TEST(VerifyTest, TellsWhetherIpv6IsOff) {
    const std::vector<std::string> lines = lines_of(verify(), "inet6-disabled");
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_TRUE(lines[0] == "0" || lines[0] == "1") << lines[0];
}

TEST(VerifyTest, TriesEverySocketFamily) {
    std::set<std::string> families;
    for (const std::string& line : lines_of(verify(), "socket"))
        families.insert(line.substr(0, line.find(' ')));
    EXPECT_EQ(families, (std::set<std::string>{"AF_VSOCK", "AF_PACKET", "AF_XDP"}));
}

TEST(VerifyTest, ClosedPortOfLoopbackIsRefused) {
    const Output output = verify({"--probe", "127.0.0.1"});
    EXPECT_EQ(lines_of(output, "probe"), std::vector<std::string>{"127.0.0.1 ECONNREFUSED"});
}

// In a network namespace of its own, with the packet filter of the kernel that runs this test.
class ProbeTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "needs root to make a network namespace";
    }

    static std::vector<std::string> probe_after(const std::string& setup,
                                                const std::string& address) {
        Program program({"unshare", "-n", "sh", "-ec",
                         "ip link set lo up; " + setup + "\nexec \"$0\" verify --probe \"$1\"",
                         ALCA_INIT_PROGRAM, address});
        const Output output = program.finish();
        EXPECT_EQ(output.exit_code, 0) << output.err;
        return lines_of(output, "probe");
    }
    // A ruleset of one chain with one rule for UDP.
    static std::string filter(const std::string& hook, const std::string& verdict) {
        return "nft 'add table inet t; add chain inet t c { type filter hook " + hook +
               " priority 0; }; add rule inet t c meta l4proto udp " + verdict + "'";
    }

    using Lines = std::vector<std::string>;
};

TEST_F(ProbeTest, ProhibitedIsEhostunreachForIpv4) {
    EXPECT_EQ(probe_after(filter("input", "reject with icmpx type admin-prohibited"), "127.0.0.1"),
              Lines{"127.0.0.1 EHOSTUNREACH"});
}

TEST_F(ProbeTest, ProhibitedIsEaccesForIpv6) {
    EXPECT_EQ(probe_after(filter("input", "reject with icmpx type admin-prohibited"), "::1"),
              Lines{"::1 EACCES"});
}

TEST_F(ProbeTest, HostUnreachableIsNotProhibited) {
    EXPECT_EQ(probe_after(filter("input", "reject with icmpx type host-unreachable"), "127.0.0.1"),
              Lines{"127.0.0.1 timeout"});
}

TEST_F(ProbeTest, DroppedPacketIsATimeout) {
    EXPECT_EQ(probe_after(filter("input", "drop"), "127.0.0.1"), Lines{"127.0.0.1 timeout"});
}

TEST_F(ProbeTest, MissingRouteIsEnetunreach) {
    EXPECT_EQ(probe_after("", "192.0.2.1"), Lines{"192.0.2.1 ENETUNREACH"});
}

TEST_F(ProbeTest, RouteThatRefusesIsNoAnswerOfTheNetwork) {
    EXPECT_EQ(probe_after("ip route add unreachable 192.0.2.1", "192.0.2.1"),
              Lines{"192.0.2.1 local-EHOSTUNREACH"});
    EXPECT_EQ(probe_after("ip route add prohibit 192.0.2.1", "192.0.2.1"),
              Lines{"192.0.2.1 local-EACCES"});
}

TEST(VerifyTest, WrongProbesFail) {
    for (const char* address : {"", "localhost", "1.2.3", "1.2.3.4/8", "fe80::1%lo",
                                "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc"}) {
        const Output output = verify({"--probe", address});
        EXPECT_EQ(output.exit_code, 1) << address;
        EXPECT_EQ(output.out, "") << address;
    }
    EXPECT_EQ(verify({"--probe"}).exit_code, 2);
    EXPECT_EQ(verify({"--other", "127.0.0.1"}).exit_code, 2);
}

}  // namespace
}  // namespace alca::init::testing
