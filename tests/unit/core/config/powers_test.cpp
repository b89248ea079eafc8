#include "core/config/powers.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "support.hpp"

namespace alca::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PowersTest : public ConfigTest {
  protected:
    [[nodiscard]] std::vector<std::string> ids(const std::string& text) const {
        std::vector<std::string> out;
        for (const Power& power : powers(good(text))) out.push_back(power.id);
        return out;
    }
    [[nodiscard]] std::string text_of(const std::string& text) const {
        const auto found = powers(good(text));
        return found.size() == 1 ? found[0].text : "";
    }
};

TEST_F(PowersTest, PlainSandboxHasNone) {
    fs::create_directory(project() / "sub");
    EXPECT_THAT(ids("user = \"host\"\ncommands.up = \"make\"\nresources.cpus = 2\n"
                    "network.ipv6 = true\n"
                    "mounts = [\"sub:/s\", {volume = \"v\", target = \"/v\"}]\n"
                    "[envs]\nA = \"literal\"\nL = \"${LANG:-C}\"\n"
                    "[commands.aliases]\nx = [\"y\"]\n"),
                IsEmpty());
}

TEST_F(PowersTest, MountsFromOutsideAreNamedWithTheirMode) {
    EXPECT_THAT(ids("mounts = [\"/srv/data:/d\", \"/srv/ro:/r:ro\"]"),
                ElementsAre("mount ro /srv/ro", "mount rw /srv/data"));
    EXPECT_EQ(text_of("mounts = [\"/srv/data:/d\"]"), "can read and write /srv/data (mount)");
    EXPECT_EQ(text_of("mounts = [\"/srv/ro:/d:ro\"]"), "can read /srv/ro (mount)");
}

TEST_F(PowersTest, ProjectFileInPlaceOfTheUserTableIsAPower) {
    const std::string source = (project() / "passwd").string();
    EXPECT_THAT(ids("mounts = [\"passwd:/etc/passwd\"]"), ElementsAre("users " + source));
    EXPECT_EQ(text_of("mounts = [\"passwd:/etc/passwd:ro\"]"),
              "decides who is root inside: " + source + " is mounted at /etc/passwd");
    EXPECT_THAT(ids("workdir = \"/etc\""), ElementsAre("users " + project().string()));
    EXPECT_THAT(ids("mounts = [\".:/etc/passwd.d\"]"), IsEmpty());
}

TEST_F(PowersTest, SymlinkInTheProjectDoesNotHideWhereItLeads) {
    fs::create_directory(home() / ".ssh");
    fs::create_directory_symlink(home() / ".ssh", project() / "innocent");
    EXPECT_THAT(ids("mounts = [\"innocent:/d\"]"),
                ElementsAre("mount rw " + (home() / ".ssh").string()));
    EXPECT_THAT(text_of("mounts = [\"innocent:/d\"]"), HasSubstr("keys or logins"));
}

TEST_F(PowersTest, NeighbourWhoseNameBeginsAlikeIsOutside) {
    fs::create_directory(project().string() + "-2");
    EXPECT_THAT(ids("mounts = [\"../project-2:/d\"]"),
                ElementsAre("mount rw " + project().string() + "-2"));
}

TEST_F(PowersTest, ReadOnlyThatBecomesWritableIsANewPower) {
    const auto before = ids("mounts = [\"/srv/a:/d:ro\"]");
    EXPECT_EQ(unapproved(powers(good("mounts = [\"/srv/a:/d\"]")), before).size(), 1U);
    EXPECT_THAT(unapproved(powers(good("mounts = [\"/srv/a:/other:ro\"]")), before), IsEmpty());
}

TEST_F(PowersTest, ProjectThatIsTheHomeDirectoryIsAPower) {
    const auto config =
        config::parse("image = \"i\"", ".alca.toml", {home(), home(), environment_});
    ASSERT_TRUE(config);
    const auto found = powers(*config);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].id, "project rw " + home().string());
    EXPECT_THAT(found[0].text, HasSubstr("whole home directory"));
}

TEST_F(PowersTest, PortsAreNamedWithTheirHostAddress) {
    EXPECT_THAT(ids("network.ports = [\"80\", {port = 53, hostIp = \"::\", protocol = \"udp\"}]"),
                ElementsAre("port 127.0.0.1:80/tcp 80", "port [::]:53/udp 53"));
    EXPECT_THAT(text_of("network.ports = [\"80\"]"), HasSubstr("for programs on this machine"));
    EXPECT_THAT(text_of("network.ports = [\"0.0.0.0:80:80\"]"), HasSubstr("on all addresses"));
    EXPECT_THAT(text_of("network.ports = [\"10.0.0.1:80:80\"]"),
                HasSubstr("other machines can connect"));
}

TEST_F(PowersTest, CapabilitiesBeyondTheSixAreNamedOneByOne) {
    EXPECT_THAT(ids("caps = [\"NET_RAW\", \"SYS_ADMIN\"]"),
                ElementsAre("capability NET_RAW", "capability SYS_ADMIN"));
    EXPECT_EQ(text_of("caps = [\"SYS_ADMIN\"]"),
              "has the capability SYS_ADMIN: can usually take over this machine");
    EXPECT_THAT(ids("caps = {drop = [\"ALL\"]}"), IsEmpty());
}

TEST_F(PowersTest, HostVariablesBeyondTheBuiltInOnesAreNamedOnce) {
    EXPECT_THAT(
        ids("[envs]\nA = \"${TOKEN}\"\nB = \"x${TOKEN:-}y${KEY:-d}\"\nTERM = \"${SECRET}\"\n"),
        ElementsAre("env KEY", "env SECRET", "env TOKEN"));
}

TEST_F(PowersTest, OpenNetworkIsAPower) {
    EXPECT_THAT(ids("network.lan-access = [\"*\"]"), ElementsAre("lan-access *"));
}

TEST_F(PowersTest, EachDestinationAndResolverIsAPower) {
    EXPECT_THAT(
        ids("network.lan-access = [\"nas:80,443\", \"10.0.0.0/8\"]\n"
            "network.dns = [\"192.168.1.1\"]"),
        ElementsAre("dns 192.168.1.1", "lan-access 10.0.0.0/8", "lan-access tcp://nas:80,443"));
    EXPECT_EQ(text_of("network.dns = [\"192.168.1.1\"]"),
              "asks 192.168.1.1 for the addresses of names");
}

TEST_F(PowersTest, AProxyIsAPowerAndLimitsAreNone) {
    EXPECT_THAT(ids("network.proxy = \"10.0.0.1:1080\"\nnetwork.limits.new-connections = 5"),
                ElementsAre("proxy 10.0.0.1:1080"));
    EXPECT_EQ(text_of("network.proxy = \"10.0.0.1:1080\""),
              "sends all TCP connections to 10.0.0.1:1080, which sees where they go");
    EXPECT_THAT(ids("network.proxy = \"${alca:HOST_IP}:1080\""),
                ElementsAre("proxy ${alca:HOST_IP}:1080"));
    EXPECT_EQ(text_of("network.proxy = \"${alca:HOST_IP}:1080\""),
              "sends all TCP connections to port 1080 of this machine, which sees where they go");
}

TEST_F(PowersTest, DestinationsAreToldInWords) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"10.0.0.5", "can reach 10.0.0.5 by tcp, udp and icmp"},
        {"10.1.2.3/8", "can reach the network 10.0.0.0/8 by tcp, udp and icmp"},
        {"10.0.0.5:80", "can reach 10.0.0.5 on tcp port 80"},
        {"10.0.0.5:90-95", "can reach 10.0.0.5 on tcp ports 90 to 95"},
        {"udp://fd00::1", "can reach fd00::1 on every udp port"},
        {"udp://${alca:HOST_IP}:53", "can reach this machine on udp port 53"},
        {"host", "can reach host (looked up at each 'alca up') by tcp, udp and icmp"},
        {"*://nas:80,7,90-95",
         "can reach nas (looked up at each 'alca up') on tcp and udp ports 7, 80 and 90 to 95"}};
    for (const auto& [entry, text] : cases) {
        EXPECT_EQ(text_of("network.lan-access = [\"" + entry + "\"]"), text);
    }
}

TEST_F(PowersTest, DestinationsAreAskedForAgainOnlyWhenTheyMeanSomethingElse) {
    const auto before = ids("network.lan-access = [\"10.0.0.5:80,443\"]");
    const auto asked = [&](const std::string& entry) {
        return unapproved(powers(good("network.lan-access = [\"" + entry + "\"]")), before).size();
    };
    EXPECT_EQ(asked("tcp://10.0.0.5:443,80"), 0U);
    EXPECT_EQ(asked("10.0.0.5:80-443"), 1U);
    EXPECT_EQ(asked("*://10.0.0.5:80,443"), 1U);
    EXPECT_EQ(asked("10.0.0.5"), 1U);
}

TEST_F(PowersTest, TextsCannotForgeTerminalOutput) {
    const std::string text =
        text_of("mounts = [{source = \"/srv/\\u001b[2Ax\\n\", target = \"/d\"}]");
    EXPECT_TRUE(std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; }))
        << text;
}

}  // namespace
}  // namespace alca::config
