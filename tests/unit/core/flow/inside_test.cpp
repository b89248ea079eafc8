#include "core/flow/inside.hpp"

#include <gmock/gmock.h>

#include "support.hpp"
#include "tests/support/fakes/inside_report.hpp"

namespace alca::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kGateway = "172.30.0.17";
constexpr const char* kGateway6 = "fd00:1::1";

SandboxSpec spec_of_test() {
    SandboxSpec spec;
    spec.capabilities = {"CHOWN", "SETUID"};
    spec.seccomp = "{}";
    spec.mounts = {{.source = "/p", .volume = "", .target = "/workspace", .read_only = false},
                   {.source = "/i", .volume = "", .target = "/opt/init", .read_only = true}};
    return spec;
}

// A sandbox that is as it must be; each test spoils one thing.
class InsideTest : public testing::Test {
  protected:
    void look_from_inside() { report = fakes::InsideReport(spec, gateways, isolated); }
    // Puts `line` in place of those that begin with `beginning`.
    void spoil(std::string_view beginning, const std::string& line) {
        ASSERT_TRUE(report.replace(beginning, line)) << "no line begins with " << beginning;
    }
    [[nodiscard]] std::vector<std::string> problems() const {
        const auto facts = parse_inside_facts(report.text());
        if (!facts) return {"not parsed: " + facts.error().message};
        return check_inside(*facts, {.spec = spec,
                                     .gateways = gateways,
                                     .image_volumes = image_volumes,
                                     .isolated = isolated});
    }

    SandboxSpec spec = spec_of_test();
    std::vector<std::string> gateways{kGateway};
    std::vector<std::string> image_volumes;
    bool isolated = true;
    fakes::InsideReport report{spec, gateways, isolated};
};

TEST_F(InsideTest, ASandboxAsItMustBeHasNoProblem) { EXPECT_THAT(problems(), IsEmpty()); }

TEST_F(InsideTest, AllCapabilitiesAreTheMaskOfAll) {
    spec.capabilities = {"ALL"};
    look_from_inside();

    EXPECT_THAT(problems(), IsEmpty());
}

// ---- one line spoiled, one problem --------------------------------------------------------------

struct Spoiled {
    const char* name;
    const char* beginning;  // of the line that is replaced
    const char* line;       // "" takes it away
    const char* problem;    // part of the one that is found
};

class SpoiledTest : public InsideTest, public testing::WithParamInterface<Spoiled> {};

TEST_P(SpoiledTest, IsTheOnlyProblem) {
    spoil(GetParam().beginning, GetParam().line);

    EXPECT_THAT(problems(), ElementsAre(HasSubstr(GetParam().problem)));
}

INSTANTIATE_TEST_SUITE_P(
    Privileges, SpoiledTest,
    testing::Values(
        Spoiled{"effective_beyond", "status CapEff", "status CapEff 00000000000000a1", "CapEff"},
        Spoiled{"effective_below", "status CapEff", "status CapEff 0000000000000001", "CapEff"},
        Spoiled{"effective_missing", "status CapEff", "", "CapEff"},
        Spoiled{"effective_no_number", "status CapEff", "status CapEff 81x", "CapEff"},
        Spoiled{"bounding_beyond", "status CapBnd", "status CapBnd 00000000000000a1", "CapBnd"},
        Spoiled{"bounding_missing", "status CapBnd", "", "CapBnd"},
        Spoiled{"permitted_beyond", "status CapPrm", "status CapPrm 000001ffffffffff", "CapPrm"},
        Spoiled{"permitted_missing", "status CapPrm", "", "CapPrm"},
        Spoiled{"inheritable_beyond", "status CapInh", "status CapInh 0000000000000002", "CapInh"},
        Spoiled{"inheritable_missing", "status CapInh", "", "CapInh"},
        Spoiled{"ambient_beyond", "status CapAmb", "status CapAmb 0000000000000002", "CapAmb"},
        Spoiled{"new_privileges", "status NoNewPrivs", "status NoNewPrivs 0", "setuid programs"},
        Spoiled{"new_privileges_missing", "status NoNewPrivs", "", "setuid programs"},
        Spoiled{"no_filter", "status Seccomp ", "status Seccomp 0", "system call filter"},
        Spoiled{"strict_filter", "status Seccomp ", "status Seccomp 1", "system call filter"},
        Spoiled{"filter_missing", "status Seccomp ", "", "system call filter"}),
    [](const auto& spoiled) { return std::string(spoiled.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Sockets, SpoiledTest,
    testing::Values(Spoiled{"vsock_opens", "socket AF_VSOCK", "socket AF_VSOCK ok", "AF_VSOCK"},
                    Spoiled{"vsock_unknown_to_the_kernel", "socket AF_VSOCK",
                            "socket AF_VSOCK EAFNOSUPPORT", "AF_VSOCK"},
                    Spoiled{"vsock_not_tried", "socket AF_VSOCK", "", "not tried"},
                    Spoiled{"packet_opens", "socket AF_PACKET", "socket AF_PACKET ok", "AF_PACKET"},
                    Spoiled{"packet_not_tried", "socket AF_PACKET", "", "AF_PACKET"},
                    Spoiled{"xdp_opens", "socket AF_XDP", "socket AF_XDP ok", "AF_XDP"},
                    Spoiled{"xdp_not_tried", "socket AF_XDP", "", "AF_XDP"}),
    [](const auto& spoiled) { return std::string(spoiled.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Mounts, SpoiledTest,
    testing::Values(
        Spoiled{"missing", "mount 612 598 0:52 / /workspace ", "",
                "nothing is mounted at /workspace"},
        Spoiled{"writable", "mount 612 598 0:52 / /opt/init ",
                "mount 612 598 0:52 / /opt/init rw,relatime - ext4 /dev/root ro",
                "/opt/init is writable"},
        Spoiled{"unreadable_line", "mount 612 598 0:52 / /dev/pts ", "mount 612 598 0:52 / /dev",
                "cannot be read"},
        Spoiled{"extra", "mount 612 598 0:52 / /dev/pts ",
                "mount 612 598 0:52 / /var/run/docker.sock rw - tmpfs tmpfs rw",
                "/var/run/docker.sock is mounted though nobody asked for it"},
        Spoiled{"extra_that_begins_like_an_engine_mount", "mount 612 598 0:52 / /dev/pts ",
                "mount 612 598 0:52 / /device rw - tmpfs tmpfs rw", "/device is mounted"},
        Spoiled{"extra_below_a_wanted_one", "mount 612 598 0:52 / /dev/pts ",
                "mount 612 598 0:52 / /workspace/x rw - tmpfs tmpfs rw", "/workspace/x"}),
    [](const auto& spoiled) { return std::string(spoiled.param.name); });

INSTANTIATE_TEST_SUITE_P(
    ProbesOfAnIsolatedSandbox, SpoiledTest,
    testing::Values(
        Spoiled{"refused", "probe", "probe 172.30.0.17 ECONNREFUSED", "ECONNREFUSED"},
        Spoiled{"answered", "probe", "probe 172.30.0.17 answered", "answered"},
        Spoiled{"timeout", "probe", "probe 172.30.0.17 timeout", "timeout"},
        Spoiled{"unreachable_network", "probe", "probe 172.30.0.17 ENETUNREACH", "ENETUNREACH"},
        // What the kernel says for IPv6 only.
        Spoiled{"the_other_family", "probe", "probe 172.30.0.17 EACCES", "EACCES"},
        Spoiled{"another_address", "probe", "probe 172.30.0.18 EHOSTUNREACH", "not tried"},
        Spoiled{"not_tried", "probe", "", "not tried"}),
    [](const auto& spoiled) { return std::string(spoiled.param.name); });

// ---- mounts -------------------------------------------------------------------------------------

TEST_F(InsideTest, AMountPointIsComparedAsItWasBeforeTheKernelEscapedIt) {
    spec.mounts.push_back(
        {.source = "/s", .volume = "", .target = "/a b\tc\nd\\e", .read_only = false});
    look_from_inside();

    EXPECT_THAT(report.text(), HasSubstr("/a\\040b\\011c\\012d\\134e "));
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(InsideTest, AMountPointMayEndInAnEscapedCharacter) {
    spec.mounts.push_back({.source = "/s", .volume = "", .target = "/a ", .read_only = false});
    look_from_inside();

    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(InsideTest, ABackslashThatBeginsNoEscapeIsKept) {
    report.add("mount 612 598 0:52 / /odd\\9 rw - tmpfs tmpfs rw");

    EXPECT_THAT(problems(), ElementsAre(HasSubstr("/odd\\9 is mounted")));
}

TEST_F(InsideTest, OfTwoMountsAtOnePlaceTheLastIsTheOneThatCounts) {
    report.add(fakes::mount_line("/opt/init", false));

    EXPECT_THAT(problems(), ElementsAre(HasSubstr("/opt/init is writable")));
}

TEST_F(InsideTest, AnOptionThatOnlyBeginsLikeReadOnlyIsNotReadOnly) {
    spoil("mount 612 598 0:52 / /opt/init ", "mount 612 598 0:52 / /opt/init root - tmpfs tmpfs");

    EXPECT_THAT(problems(), ElementsAre(HasSubstr("/opt/init is writable")));
}

TEST_F(InsideTest, AnAnonymousVolumeOfTheImageIsNoExtraMount) {
    report.add(fakes::mount_line("/var/lib/data", false));
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("/var/lib/data is mounted")));

    image_volumes = {"/var/lib/data"};
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(InsideTest, AMountThatWasAskedForWritableMayBeReadOnly) {
    spoil("mount 612 598 0:52 / /workspace ", fakes::mount_line("/workspace", true));

    EXPECT_THAT(problems(), IsEmpty());
}

// ---- network ------------------------------------------------------------------------------------

TEST_F(InsideTest, BothFamiliesMustBeProhibited) {
    gateways = {kGateway, kGateway6};
    spec.network.ipv6 = true;
    look_from_inside();
    EXPECT_THAT(problems(), IsEmpty());

    spoil("probe fd00:1::1", "probe fd00:1::1 ECONNREFUSED");
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("fd00:1::1 was not refused")));
}

TEST_F(InsideTest, TheAnswerOfTheOtherFamilyProvesNothingForIpv6) {
    gateways = {kGateway6};
    spec.network.ipv6 = true;
    look_from_inside();
    spoil("probe", "probe fd00:1::1 EHOSTUNREACH");

    EXPECT_THAT(problems(), ElementsAre(HasSubstr("EHOSTUNREACH")));
}

TEST_F(InsideTest, WithoutAGatewayNothingIsProved) {
    gateways.clear();
    look_from_inside();

    EXPECT_THAT(problems(), ElementsAre(HasSubstr("gateway address is not known")));
}

TEST_F(InsideTest, OfAnOpenSandboxNoAnswerIsExpected) {
    isolated = false;
    look_from_inside();
    EXPECT_THAT(problems(), IsEmpty());

    for (const char* answer : {"answered", "timeout", "ECONNREFUSED", "EHOSTUNREACH"}) {
        spoil("probe", std::string("probe 172.30.0.17 ") + answer);
        EXPECT_THAT(problems(), IsEmpty()) << answer;
    }
}

TEST_F(InsideTest, AnOpenSandboxIsCheckedInAllElse) {
    isolated = false;
    look_from_inside();
    spoil("socket AF_VSOCK", "socket AF_VSOCK ok");

    EXPECT_THAT(problems(), ElementsAre(HasSubstr("AF_VSOCK")));
}

TEST_F(InsideTest, ASecondInterfaceIsAProblem) {
    report.add("interface eth1 4 172.17.0.2/16");

    EXPECT_THAT(problems(), ElementsAre(HasSubstr("more than one network is joined: eth0, eth1")));
}

TEST_F(InsideTest, TwoAddressesOfOneInterfaceAreOneNetwork) {
    report.add("interface eth0 6 fe80::42/64");

    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(InsideTest, AGlobalIpv6AddressWithoutIpv6AskedForIsAProblem) {
    report.add("interface eth0 6 2001:db8::2/64");
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("2001:db8::2/64")));

    spec.network.ipv6 = true;
    EXPECT_THAT(problems(), IsEmpty());
}

// ---- what the helper printed --------------------------------------------------------------------

TEST(ParseInsideFactsTest, ReadsEachKindOfLine) {
    const auto facts = parse_inside_facts(
        "status CapEff 00ff\nstatus Uid 0 0 0 0\nmount 1 2 0:3 / / rw - x y z\n"
        "interface eth0 4 10.0.0.2/28\ninet6-disabled 1\nsocket AF_XDP EPERM\n"
        "probe 10.0.0.1 EHOSTUNREACH\n");

    ASSERT_TRUE(facts) << facts.error().message;
    EXPECT_EQ(facts->status.at("CapEff"), "00ff");
    EXPECT_EQ(facts->status.at("Uid"), "0");
    EXPECT_THAT(facts->mounts, ElementsAre("1 2 0:3 / / rw - x y z"));
    ASSERT_EQ(facts->interfaces.size(), 1U);
    EXPECT_EQ(facts->interfaces[0].name, "eth0");
    EXPECT_EQ(facts->interfaces[0].family, 4);
    EXPECT_EQ(facts->interfaces[0].address, "10.0.0.2/28");
    EXPECT_EQ(facts->sockets.at("AF_XDP"), "EPERM");
    EXPECT_EQ(facts->probes.at("10.0.0.1"), "EHOSTUNREACH");
}

TEST(ParseInsideFactsTest, NeedsNoNewlineAtTheEnd) {
    const auto facts = parse_inside_facts("socket AF_XDP EPERM");

    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->sockets.size(), 1U);
}

TEST(ParseInsideFactsTest, NothingIsNoFacts) {
    const auto facts = parse_inside_facts("");

    ASSERT_TRUE(facts);
    EXPECT_TRUE(facts->status.empty());
}

TEST(ParseInsideFactsTest, ARepeatedFactIsTheFirstOne) {
    const auto facts = parse_inside_facts("socket AF_XDP ok\nsocket AF_XDP EPERM\n");

    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->sockets.at("AF_XDP"), "ok");
}

class BadLineTest : public testing::TestWithParam<const char*> {};

TEST_P(BadLineTest, IsRefusedAndQuoted) {
    const auto facts = parse_inside_facts(std::string("socket AF_XDP EPERM\n") + GetParam() + "\n");

    ASSERT_FALSE(facts);
    EXPECT_EQ(facts.error().code, Code::invalid);
    EXPECT_THAT(facts.error().message, HasSubstr(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Lines, BadLineTest,
                         testing::Values("hello", "status", "status CapEff", "socket AF_XDP",
                                         "socket AF_XDP EPERM more", "probe 10.0.0.1",
                                         "probe 10.0.0.1 timeout more", "interface eth0 4",
                                         "interface eth0 5 10.0.0.2", "Mount 1 2"));

}  // namespace
}  // namespace alca::flow
