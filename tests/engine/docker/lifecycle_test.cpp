// Making, reading back and removing sandboxes on the real engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "plugins/shared/engine_http/engine.hpp"
#include "plugins/shared/engine_http/network.hpp"
#include "sandbox_fixture.hpp"

namespace alca::test {
namespace {

namespace fs = std::filesystem;
using engine_http::Engine;
using engine_http::resolve_endpoint;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr const char* kSeccomp =
    R"({"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]})";

class LifecycleTest : public SandboxTest {
  protected:
    // The engine itself, to do what a runtime never would.
    Engine engine() {
        auto endpoint = resolve_endpoint(Environment::of_process());
        EXPECT_TRUE(endpoint);
        return Engine(*endpoint);
    }
};

TEST_F(LifecycleTest, WhatWasAskedForIsInForceInsideAndReadBack) {
    std::ofstream(directory_ / "file") << "content";
    fs::permissions(directory_, fs::perms::all);
    spec_.env = {{"PLAIN", "a b=c"}, {"EMPTY", ""}, {"LINES", "1\n2"}};
    spec_.workdir = "/work";
    spec_.user = "1234:4321";
    spec_.capabilities = {"CHOWN", "NET_BIND_SERVICE"};
    spec_.seccomp = kSeccomp;
    spec_.pids_limit = 100;
    spec_.memory_bytes = 64 << 20;
    spec_.nano_cpus = 500'000'000;
    spec_.mounts = {{directory_.string(), "", "/work", true}};
    spec_.ports = {{"127.0.0.1", 0, 80, "tcp"}};
    start();

    const SandboxStatus seen = status();
    EXPECT_EQ(seen.state, SandboxState::running);
    EXPECT_GT(seen.pid, 0);
    EXPECT_THAT(seen.weaknesses, IsEmpty());
    EXPECT_THAT(seen.networks, ElementsAre(spec_.network.name));
    const SandboxSpec& effective = seen.effective;
    EXPECT_EQ(effective.id, spec_.id);
    EXPECT_EQ(effective.init, spec_.init);
    EXPECT_EQ(effective.user, spec_.user);
    EXPECT_EQ(effective.workdir, spec_.workdir);
    EXPECT_EQ(effective.hostname, spec_.hostname);
    EXPECT_EQ(effective.mounts, spec_.mounts);
    EXPECT_EQ(effective.ports, spec_.ports);
    EXPECT_EQ(effective.capabilities, spec_.capabilities);
    EXPECT_TRUE(effective.no_new_privileges);
    EXPECT_EQ(effective.seccomp, spec_.seccomp);
    EXPECT_EQ(effective.pids_limit, spec_.pids_limit);
    EXPECT_EQ(effective.memory_bytes, spec_.memory_bytes);
    EXPECT_EQ(effective.nano_cpus, spec_.nano_cpus);
    EXPECT_EQ(effective.network, spec_.network);
    for (const auto& [name, value] : spec_.env) EXPECT_EQ(effective.env.at(name), value);

    const Output inside = run(
        "id -u; id -g; pwd; hostname; printf '%s|' \"$PLAIN\" \"$LINES\"; echo; cat file; echo; "
        "touch file 2>&1; mkdir /tmp/x 2>&1; grep -E 'CapBnd|NoNewPrivs|Seccomp:' /proc/1/status; "
        "tr '\\0' ' ' < /proc/1/cmdline | cut -c 1-12");
    EXPECT_THAT(inside.out, StartsWith("1234\n4321\n/work\nsandbox\na b=c|1\n2|\ncontent\n"));
    EXPECT_THAT(inside.out, HasSubstr("touch: file: Read-only file system"));
    EXPECT_THAT(inside.out,
                HasSubstr("mkdir: can't create directory '/tmp/x': Operation not permitted"));
    EXPECT_THAT(inside.out, HasSubstr("CapBnd:\t0000000000000401\nNoNewPrivs:\t1\nSeccomp:\t2\n"));
    EXPECT_THAT(inside.out, HasSubstr("/bin/sh -c t"));
}

TEST_F(LifecycleTest, TheNetworkIsItsOwnBridgeWithTheGatewaysThatWereTold) {
    spec_.network.ipv6 = true;
    const auto prepared = runtime_.prepare(call_, spec_);
    ASSERT_TRUE(prepared) << prepared.error().message;
    EXPECT_TRUE(prepared->network.created);
    EXPECT_TRUE(fs::exists("/sys/class/net/" + spec_.network.interface));
    ASSERT_EQ(prepared->network.gateways.size(), 2U);
    EXPECT_THAT(prepared->network.subnets[0], ::testing::EndsWith("/28"));
    start();
    EXPECT_THAT(status().gateways, ::testing::ElementsAreArray(prepared->network.gateways));
    const Output routes = run("ip route; ip -6 route");
    EXPECT_THAT(routes.out, HasSubstr("default via " + prepared->network.gateways[0]));
    EXPECT_THAT(routes.out, HasSubstr("default via " + prepared->network.gateways[1]));

    const auto again = runtime_.prepare(call_, spec_);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_FALSE(again->network.created);
    EXPECT_EQ(again->network.gateways, prepared->network.gateways);
}

TEST_F(LifecycleTest, ASubnetThatIsInUseIsNotTakenAgain) {
    const auto first = runtime_.prepare(call_, spec_);
    ASSERT_TRUE(first) << first.error().message;
    // The same id has the same favourite, which is now another network's.
    SandboxSpec other = make_spec("other");
    Engine direct = engine();
    const auto network = engine_http::ensure_network(direct, call_, spec_.id, other.network, {});
    ASSERT_TRUE(network) << network.error().message;
    EXPECT_NE(network->subnets, first->network.subnets);
    const auto removed = engine_http::remove_network(direct, call_, spec_.id, other.network.name);
    EXPECT_TRUE(removed) << removed.error().message;
}

TEST_F(LifecycleTest, AMissingSourceIsAnErrorAndNothingIsMade) {
    const fs::path missing = directory_ / "missing";
    spec_.mounts = {{missing.string(), "", "/work", false}};
    const auto created = runtime_.create(call_, spec_);
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().code, Code::not_found);
    EXPECT_THAT(created.error().message, HasSubstr(missing.string()));
    EXPECT_FALSE(fs::exists(missing));
    EXPECT_EQ(status().state, SandboxState::absent);
}

TEST_F(LifecycleTest, StrangeProjectPathsAreMountedAsTheyAre) {
    fs::path project = directory_;
    for (const char* part :
         {" two  spaces ", "quote'\"`", "$(touch x)", "line\nbreak", ":ro,x", "\xc3\xa9"}) {
        project /= part;
    }
    project /= std::string(250, 'l');
    ASSERT_GT(project.string().size(), 300U);
    fs::create_directories(project);
    std::ofstream(project / "here") << "found";
    spec_.mounts = {{project.string(), "", "/work", false}};
    start();
    EXPECT_EQ(run("cat /work/here").out, "found");
    EXPECT_EQ(status().effective.mounts, spec_.mounts);
}

TEST_F(LifecycleTest, AVolumeOutlivesItsSandbox) {
    spec_.mounts = {{"", spec_.id + "-cache", "/cache", false}};
    start();
    EXPECT_EQ(run("echo kept > /cache/file").code, 0);
    ASSERT_TRUE(runtime_.remove(call_, ref_, false));
    ref_.container_id.clear();
    start();
    EXPECT_EQ(run("cat /cache/file").out, "kept\n");
    EXPECT_EQ(status().effective.mounts, spec_.mounts);
    ASSERT_TRUE(runtime_.remove(call_, ref_, false));
    const auto reply = engine().remove(call_, "/volumes/" + spec_.id + "-cache");
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->status, 204U);
}

TEST_F(LifecycleTest, ItStopsStartsAndEndsWithoutWaiting) {
    start();
    EXPECT_TRUE(runtime_.start(call_, ref_));
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(runtime_.stop(call_, ref_));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
    EXPECT_TRUE(runtime_.stop(call_, ref_));
    EXPECT_EQ(status().state, SandboxState::stopped);
    ASSERT_TRUE(runtime_.start(call_, ref_));
    EXPECT_EQ(status().state, SandboxState::running);
}

TEST_F(LifecycleTest, RemoveLeavesNothingAndMayBeRepeated) {
    start();
    for (int time = 0; time < 2; ++time) {
        const auto removed = runtime_.remove(call_, ref_, false);
        ASSERT_TRUE(removed) << removed.error().message;
    }
    EXPECT_EQ(status().state, SandboxState::absent);
    EXPECT_FALSE(fs::exists("/sys/class/net/" + spec_.network.interface));
}

TEST_F(LifecycleTest, RemoveCanKeepTheNetwork) {
    start();
    ASSERT_TRUE(runtime_.remove(call_, ref_, true));
    EXPECT_TRUE(fs::exists("/sys/class/net/" + spec_.network.interface));
}

TEST_F(LifecycleTest, CreateReplacesAContainerOfTheSameProject) {
    ASSERT_TRUE(runtime_.prepare(call_, spec_));
    const auto first = runtime_.create(call_, spec_);
    ASSERT_TRUE(first) << first.error().message;
    const auto second = runtime_.create(call_, spec_);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_NE(first->container_id, second->container_id);
    EXPECT_EQ(status().container_id, second->container_id);
}

TEST_F(LifecycleTest, NamesOfAnotherProjectAreLeftAlone) {
    start();
    SandboxSpec thief = make_spec("thief");
    const SandboxRef mine = ref_of(thief);
    thief.name = spec_.name;
    thief.network = spec_.network;
    const auto prepared = runtime_.prepare(call_, thief);
    ASSERT_FALSE(prepared);
    EXPECT_THAT(prepared.error().message, HasSubstr("belongs to something else"));
    const auto created = runtime_.create(call_, thief);
    ASSERT_FALSE(created);
    EXPECT_THAT(created.error().message, HasSubstr("does not belong to this project"));
    EXPECT_FALSE(runtime_.remove(call_, ref_of(thief), false));
    EXPECT_EQ(status().state, SandboxState::running);
}

TEST_F(LifecycleTest, AContainerThatUndoesIsolationIsSeenThrough) {
    ASSERT_TRUE(runtime_.prepare(call_, spec_));
    const Json body{{"Image", kImageName},
                    {"Cmd", {"/bin/true"}},
                    {"Labels", {{"alca.project.id", spec_.id}}},
                    {"HostConfig",
                     {{"Privileged", true},
                      {"PidMode", "host"},
                      {"UTSMode", "host"},
                      {"IpcMode", "host"},
                      {"NetworkMode", "host"},
                      {"CapAdd", {"SYS_ADMIN"}},
                      {"GroupAdd", {"0"}},
                      {"SecurityOpt", {"seccomp=unconfined", "apparmor=unconfined"}},
                      {"Devices",
                       {{{"PathOnHost", "/dev/null"},
                         {"PathInContainer", "/dev/x"},
                         {"CgroupPermissions", "rwm"}}}},
                      {"Binds", {"/var/run/docker.sock:/s"}}}}};
    const auto reply = engine().post(call_, "/containers/create?name=" + spec_.name, body);
    ASSERT_TRUE(reply);
    ASSERT_EQ(reply->status, 201U) << reply->message;
    const SandboxStatus seen = status();
    EXPECT_THAT(seen.weaknesses,
                ::testing::IsSupersetOf({"privileged", "devices", "additional groups",
                                         "host network", "host pid namespace", "host ipc namespace",
                                         "host uts namespace", "security option seccomp=unconfined",
                                         "security option apparmor=unconfined",
                                         "engine socket mounted from /var/run/docker.sock"}));
    EXPECT_FALSE(seen.effective.no_new_privileges);
    EXPECT_THAT(seen.effective.capabilities, Contains("SYS_ADMIN"));
    EXPECT_EQ(seen.effective.mounts.size(), 1U);
    EXPECT_EQ(seen.effective.network.interface, "");
}

TEST_F(LifecycleTest, ASecondNetworkIsSeen) {
    start();
    const auto reply =
        engine().post(call_, "/networks/bridge/connect", {{"Container", spec_.name}});
    ASSERT_TRUE(reply);
    ASSERT_TRUE(reply->is_ok()) << reply->message;
    EXPECT_THAT(status().networks, UnorderedElementsAre("bridge", spec_.network.name));
    EXPECT_THAT(status().weaknesses, ElementsAre("joined to more than one network"));
}

TEST_F(LifecycleTest, ListHasItWithItsLabels) {
    start();
    const auto list = runtime_.list(call_);
    ASSERT_TRUE(list) << list.error().message;
    const auto it = std::find_if(list->begin(), list->end(),
                                 [this](const auto& s) { return s.name == spec_.name; });
    ASSERT_NE(it, list->end());
    EXPECT_EQ(it->state, SandboxState::running);
    EXPECT_EQ(it->container_id, ref_.container_id);
    EXPECT_EQ(it->labels.at("alca.project.id"), spec_.id);
}

TEST_F(LifecycleTest, AnUnknownImageIsNamed) {
    spec_.image = "127.0.0.1:9/alca-nothing";  // nobody listens there
    const auto prepared = runtime_.prepare(call_, spec_);
    ASSERT_FALSE(prepared);
    EXPECT_THAT(prepared.error().message,
                StartsWith("cannot pull image 127.0.0.1:9/alca-nothing: "));
    const auto created = runtime_.create(call_, spec_);
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().code, Code::not_found);
}

TEST_F(LifecycleTest, AnInitThatIsNotThereFailsAtStartInTheEnginesWords) {
    spec_.init = {"/nonexistent/init"};
    ASSERT_TRUE(runtime_.prepare(call_, spec_));
    ASSERT_TRUE(runtime_.create(call_, spec_));
    const auto started = runtime_.start(call_, ref_);
    ASSERT_FALSE(started);
    EXPECT_THAT(started.error().message, HasSubstr("/nonexistent/init"));
}

}  // namespace
}  // namespace alca::test
