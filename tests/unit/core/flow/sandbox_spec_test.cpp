#include "core/flow/sandbox_spec.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/flow/exec_inside.hpp"
#include "support.hpp"

namespace alca::flow {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class SandboxSpecTest : public FlowTest {
  protected:
    SandboxSpecTest()
        : made(project::make_state({.path = project.path(), .device = 1, .inode = 2})) {}

    SandboxSpec spec(const std::string& text = "") {
        auto spec = make_spec(config(text), made, host, "/copy/alca-init", "/state/run");
        if (spec) return *std::move(spec);
        ADD_FAILURE() << spec.error().message;
        return {};
    }

    project::State made;
};

TEST_F(SandboxSpecTest, NamesAndLabelsComeFromTheState) {
    const SandboxSpec is = spec();

    EXPECT_EQ(is.id, made.project_id);
    EXPECT_EQ(is.name, made.container_name);
    EXPECT_EQ(is.hostname, made.container_name);
    EXPECT_EQ(is.network.name, made.network.name);
    EXPECT_EQ(is.network.interface, made.network.interface);
    EXPECT_THAT(is.labels, ElementsAre(testing::Pair("alca.project.id", made.project_id),
                                       testing::Pair("alca.project.path", project.path().string()),
                                       testing::Pair("alca.version", "1")));
}

TEST_F(SandboxSpecTest, HardeningIsThereWithoutAnyConfiguration) {
    const SandboxSpec is = spec();

    EXPECT_TRUE(is.no_new_privileges);
    EXPECT_THAT(is.seccomp, HasSubstr("SCMP_ACT_ERRNO"));
    EXPECT_EQ(is.pids_limit, 4096);
    EXPECT_THAT(is.capabilities, Not(Contains("NET_RAW")));
    EXPECT_THAT(is.capabilities, Not(Contains("NET_ADMIN")));
    EXPECT_FALSE(is.network.ipv6);
    EXPECT_THAT(is.ports, IsEmpty());
}

TEST_F(SandboxSpecTest, TheEngineKillsLaterThanProcessOneDoes) {
    const SandboxSpec is = spec("stop_timeout = 60\n");

    EXPECT_THAT(is.init, Contains("60000"));
    EXPECT_EQ(is.stop_timeout_s, 63);
    EXPECT_EQ(spec().stop_timeout_s, 5);
}

TEST_F(SandboxSpecTest, TheHelperIsMountedReadOnlyBehindTheProject) {
    const SandboxSpec is = spec();

    ASSERT_EQ(is.mounts.size(), 3U);
    EXPECT_EQ(is.mounts[0].source, project.path().string());
    EXPECT_EQ(is.mounts[0].target, "/workspace");
    EXPECT_FALSE(is.mounts[0].read_only);
    EXPECT_EQ(is.mounts[1].source, "/copy/alca-init");
    EXPECT_EQ(is.mounts[1].target, kInitPath);
    EXPECT_TRUE(is.mounts[1].read_only);
    EXPECT_EQ(is.mounts[2].source, "/state/run");
    EXPECT_EQ(is.mounts[2].target, "/alca-run");
}

TEST_F(SandboxSpecTest, ProcessOneIsTheHelperAsRoot) {
    EXPECT_THAT(spec().init, ElementsAre(kInitPath, "init", "--serve", "/alca-run/init.sock",
                                         "--jobs", "/alca-jobs", "--grace-ms", "2000"));
    EXPECT_EQ(spec().user, "0:0");
}

TEST_F(SandboxSpecTest, AVolumeBelongsToTheProjectByItsName) {
    const SandboxSpec is = spec("[[mounts]]\nvolume = \"cache\"\ntarget = \"/cache\"\n");

    ASSERT_EQ(is.mounts.size(), 4U);
    EXPECT_EQ(is.mounts[1].volume, made.container_name + "-cache");
    EXPECT_EQ(is.mounts[1].source, "");
    EXPECT_EQ(volume_name(made, "cache"), made.container_name + "-cache");
}

TEST_F(SandboxSpecTest, TheHostUserIsMadeInsideAndOwnsItsVolumesButNoMount) {
    fs::create_directory(project.path() / "data");

    const SandboxSpec is = spec(
        "user = \"host\"\n[[mounts]]\nvolume = \"cache\"\ntarget = \"/cache\"\n"
        "[[mounts]]\nsource = \"data\"\ntarget = \"/data\"\n");

    EXPECT_THAT(is.init, ElementsAre(kInitPath, "init", "--serve", "/alca-run/init.sock", "--jobs",
                                     "/alca-jobs", "--grace-ms", "2000", "--user",
                                     "1000:1001:agent:/home/agent", "--own", "/cache"));
    EXPECT_EQ(is.user, "0:0");
}

TEST_F(SandboxSpecTest, VolumesOfAnotherUserAreNotChowned) {
    const SandboxSpec is = spec("[[mounts]]\nvolume = \"cache\"\ntarget = \"/cache\"\n");

    EXPECT_THAT(is.init, Not(Contains("--own")));
}

TEST_F(SandboxSpecTest, ValuesThatAShellWouldReadStayValues) {
    const std::string value = "a b\"'`$(x)\\n;#";
    config::Config hostile = config();
    hostile.envs["X"].value = value;
    hostile.workdir = "/w $(x)";
    hostile.mounts[0].mount.target = "/w $(x)";

    const auto is = make_spec(hostile, made, host, "/copy/alca-init", "/state/run");

    ASSERT_TRUE(is) << is.error().message;
    EXPECT_EQ(is->env.at("X"), value);
    EXPECT_EQ(is->workdir, "/w $(x)");
    EXPECT_EQ(is->mounts[0].target, "/w $(x)");
    EXPECT_THAT(is->init, Not(Contains(HasSubstr("$(x)"))));
}

TEST_F(SandboxSpecTest, AProjectPathOfAnyBytesIsALabelAndAMountAsItIs) {
    const fs::path odd = project.base() / "a b\"'$(x)\n";
    fs::create_directory(odd);
    config::Config config = this->config();
    config.project_dir = odd;
    config.mounts[0].mount.source = odd.string();

    const auto is = make_spec(config, made, host, "/copy/alca-init", "/state/run");

    ASSERT_TRUE(is) << is.error().message;
    EXPECT_EQ(is->labels.at("alca.project.path"), odd.string());
    EXPECT_EQ(is->project_path, odd.string());
    EXPECT_EQ(is->mounts[0].source, odd.string());
}

TEST_F(SandboxSpecTest, AnEnvironmentValueThatCannotBeExpandedIsAnError) {
    const auto is = make_spec(config("[envs]\nT = \"${ALCA_TEST_UNSET}\"\n"), made, host,
                              "/copy/alca-init", "/state/run");

    ASSERT_FALSE(is);
    EXPECT_EQ(is.error().code, Code::invalid);
}

TEST_F(SandboxSpecTest, NoEnvironmentValueIsInALabelOrAnArgument) {
    const SandboxSpec is = spec("[envs]\nTOKEN = \"s3cret\"\n");

    EXPECT_EQ(is.env.at("TOKEN"), "s3cret");
    for (const auto& [name, value] : is.labels) EXPECT_THAT(value, Not(HasSubstr("s3cret")));
    EXPECT_THAT(is.init, Not(Contains(HasSubstr("s3cret"))));
}

// ---- user ---------------------------------------------------------------------------------------

TEST_F(SandboxSpecTest, TheHostUserIsTheCaller) {
    const auto user = host_user(host, project.path());

    ASSERT_TRUE(user);
    EXPECT_EQ(user->uid, 1000U);
    EXPECT_EQ(user->gid, 1001U);
}

TEST_F(SandboxSpecTest, ForRootTheHostUserIsTheOwnerOfTheProject) {
    host.uid = 0;
    host.gid = 0;
    struct stat owner{};
    // Only root can give the directory to somebody else; for others it is their own.
    if (::geteuid() == 0) {
        ASSERT_EQ(::chown(project.path().c_str(), 4242, 4343), 0);
    }
    ASSERT_EQ(::stat(project.path().c_str(), &owner), 0);

    const auto user = host_user(host, project.path());

    ASSERT_TRUE(user);
    EXPECT_EQ(user->uid, owner.st_uid);
    EXPECT_EQ(user->gid, owner.st_gid);
    EXPECT_NE(user->uid, 0U);
}

TEST_F(SandboxSpecTest, WithoutAProjectDirectoryRootHasNoHostUser) {
    host.uid = 0;

    EXPECT_THAT(message_of(host_user(host, project.base() / "gone")), HasSubstr("gone"));
}

TEST_F(SandboxSpecTest, RunsAsTheUserOfTheConfiguration) {
    EXPECT_EQ(run_user(config(), host).value_or("?"), "");
    EXPECT_EQ(run_user(config("user = \"node\"\n"), host).value_or("?"), "node");
    EXPECT_EQ(run_user(config("user = \"host\"\n"), host).value_or("?"), "1000:1001");
}

// ---- helper -------------------------------------------------------------------------------------

TEST_F(SandboxSpecTest, TheHelperIsCopiedOnceUnderANameOfItsContent) {
    const auto first = keep_init_program(host);
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(fakes::read_text(*first), "stand-in for alca-init");
    EXPECT_EQ(fs::status(*first).permissions(), static_cast<fs::perms>(0555));

    EXPECT_EQ(keep_init_program(host).value_or(""), *first);
}

TEST_F(SandboxSpecTest, AnotherVersionOfTheHelperLeavesTheOldCopyInPlace) {
    const auto old = keep_init_program(host);
    ASSERT_TRUE(old);
    fakes::write_text(host.init_program, "a newer one");

    const auto fresh = keep_init_program(host);

    ASSERT_TRUE(fresh);
    EXPECT_NE(*fresh, *old);
    EXPECT_EQ(fakes::read_text(*old), "stand-in for alca-init");
    EXPECT_EQ(fakes::read_text(*fresh), "a newer one");
}

TEST_F(SandboxSpecTest, ACopyThatWasChangedIsReplaced) {
    const auto copy = keep_init_program(host);
    ASSERT_TRUE(copy);
    fs::permissions(*copy, fs::perms::owner_all);
    fakes::write_text(*copy, "evil");

    EXPECT_EQ(keep_init_program(host).value_or(""), *copy);
    EXPECT_EQ(fakes::read_text(*copy), "stand-in for alca-init");
}

TEST_F(SandboxSpecTest, ASymlinkInPlaceOfTheCopyIsReplacedAndNotFollowed) {
    const auto copy = keep_init_program(host);
    ASSERT_TRUE(copy);
    const fs::path target = project.base() / "target";
    fakes::write_text(target, "stand-in for alca-init");
    fs::remove(*copy);
    fs::create_symlink(target, *copy);

    ASSERT_TRUE(keep_init_program(host));

    EXPECT_FALSE(fs::is_symlink(*copy));
}

TEST_F(SandboxSpecTest, AMissingHelperSaysThatAlcaIsIncomplete) {
    fs::remove(host.init_program);

    EXPECT_THAT(message_of(keep_init_program(host)), HasSubstr("install it again"));
}

// ---- references ---------------------------------------------------------------------------------

TEST_F(SandboxSpecTest, AReferenceNamesContainerAndNetwork) {
    made.container_id = "c1";

    const SandboxRef ref = make_ref(made);

    EXPECT_EQ(ref.id, made.project_id);
    EXPECT_EQ(ref.name, made.container_name);
    EXPECT_EQ(ref.container_id, "c1");
    EXPECT_EQ(ref.network_name, made.network.name);
}

TEST_F(SandboxSpecTest, TheFirewallIsAskedForTheInterfaceAndWhatTheStateSaysOfTheRules) {
    made.firewall = {.plugin = "firewall-test", .policy = "open", .dns = {"192.0.2.53"}};
    made.firewall.proxy = TcpProxy{.to = "10.0.0.5", .port = 1080};
    made.firewall.limits.new_connections_per_second = 5;

    const FirewallRequest request = make_firewall_request(made);

    EXPECT_EQ(request.sandbox_id, made.project_id);
    EXPECT_EQ(request.interface, made.network.interface);
    EXPECT_EQ(request.policy, NetworkPolicy::open);
    EXPECT_EQ(request.dns, std::vector<std::string>{"192.0.2.53"});
    EXPECT_EQ(request.proxy, made.firewall.proxy);
    EXPECT_EQ(request.limits, made.firewall.limits);
}

TEST_F(SandboxSpecTest, APolicyThatIsNotOpenIsTheStrictOne) {
    for (const char* policy : {"internet", "", "OPEN", "something new"}) {
        made.firewall.policy = policy;
        EXPECT_EQ(make_firewall_request(made).policy, NetworkPolicy::internet) << policy;
    }
}

}  // namespace
}  // namespace alca::flow
