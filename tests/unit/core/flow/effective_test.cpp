// check_effective: the engine's own account against what it was asked for.
#include <gmock/gmock.h>

#include <algorithm>

#include "core/flow/inside.hpp"
#include "support.hpp"

namespace alca::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SandboxSpec full_spec() {
    SandboxSpec spec;
    spec.capabilities = {"CHOWN", "SETUID"};
    spec.seccomp = "{}";
    spec.mounts = {{.source = "/p", .volume = "", .target = "/workspace", .read_only = false},
                   {.source = "/i", .volume = "", .target = "/opt/init", .read_only = true}};
    spec.id = "id";
    spec.name = "alca-1";
    spec.project_path = "/p";
    spec.image = "debian:12";
    spec.init = {"/opt/init", "init"};
    spec.user = "0:0";
    spec.workdir = "/workspace";
    spec.hostname = "alca-1";
    spec.env = {{"TERM", "xterm"}};
    spec.labels = {{"alca.project.id", "id"}};
    spec.ports = {
        {.host_ip = "127.0.0.1", .host_port = 8080, .container_port = 80, .protocol = "tcp"},
        {.host_ip = "127.0.0.1", .host_port = 8081, .container_port = 81, .protocol = "udp"}};
    spec.pids_limit = 4096;
    spec.memory_bytes = 1 << 30;
    spec.nano_cpus = 1'000'000'000;
    spec.network = {.name = "alca-1", .interface = "alca1", .ipv6 = false};
    return spec;
}

SandboxStatus status_of(const SandboxSpec& spec) {
    SandboxStatus status;
    status.name = spec.name;
    status.networks = {spec.network.name};
    status.labels = spec.labels;
    status.effective = spec;
    return status;
}

TEST(CheckEffectiveTest, WhatWasAskedForHasNoProblem) {
    EXPECT_THAT(check_effective(status_of(full_spec()), full_spec()), IsEmpty());
}

TEST(CheckEffectiveTest, TheOrderOfSetsAndWhatTheImageAddsDoNotMatter) {
    SandboxStatus status = status_of(full_spec());
    std::reverse(status.effective.mounts.begin(), status.effective.mounts.end());
    std::reverse(status.effective.ports.begin(), status.effective.ports.end());
    std::reverse(status.effective.capabilities.begin(), status.effective.capabilities.end());
    status.effective.env["PATH"] = "/bin";
    status.labels["maintainer"] = "somebody";

    EXPECT_THAT(check_effective(status, full_spec()), IsEmpty());
}

struct Difference {
    const char* name;
    void (*make)(SandboxStatus&);
    const char* problem;
};

class DifferenceTest : public testing::TestWithParam<Difference> {};

TEST_P(DifferenceTest, IsTheOnlyProblem) {
    SandboxStatus status = status_of(full_spec());
    GetParam().make(status);

    EXPECT_THAT(check_effective(status, full_spec()), ElementsAre(HasSubstr(GetParam().problem)));
}

// And in `up`: none of them gets as far as a start.
TEST_P(DifferenceTest, EndsUp) {
    World world;
    world.runtime.distort = GetParam().make;

    const auto done =
        world.up("[network]\nports = [\"8080:80\"]\n[resources]\nmemory = \"1g\"\ncpus = 1\n",
                 {.trust = true});

    EXPECT_THAT(message_of(done), HasSubstr(GetParam().problem));
    EXPECT_FALSE(world.journal.has("runtime.start"));
    EXPECT_EQ(world.left_over(), "");
}

INSTANTIATE_TEST_SUITE_P(
    Fields, DifferenceTest,
    testing::Values(
        Difference{"name", [](SandboxStatus& is) { is.name = "other"; }, "name"},
        Difference{"image", [](SandboxStatus& is) { is.effective.image = "debian:11"; }, "image"},
        Difference{"init", [](SandboxStatus& is) { is.effective.init = {"/bin/sh"}; }, "process 1"},
        Difference{"init_arguments",
                   [](SandboxStatus& is) { is.effective.init.emplace_back("more"); }, "process 1"},
        Difference{"user", [](SandboxStatus& is) { is.effective.user = "1000"; }, "user"},
        Difference{"workdir", [](SandboxStatus& is) { is.effective.workdir = "/"; },
                   "working directory"},
        Difference{"hostname", [](SandboxStatus& is) { is.effective.hostname = "h"; }, "host name"},
        Difference{"env_value", [](SandboxStatus& is) { is.effective.env["TERM"] = "dumb"; },
                   "environment"},
        Difference{"env_missing", [](SandboxStatus& is) { is.effective.env.erase("TERM"); },
                   "environment"},
        Difference{"mount_missing", [](SandboxStatus& is) { is.effective.mounts.pop_back(); },
                   "mounts"},
        Difference{"mount_extra",
                   [](SandboxStatus& is) {
                       is.effective.mounts.push_back(
                           {.source = "/", .volume = "", .target = "/host", .read_only = false});
                   },
                   "mounts"},
        Difference{"mount_source",
                   [](SandboxStatus& is) { is.effective.mounts.front().source = "/"; }, "mounts"},
        Difference{"mount_writable",
                   [](SandboxStatus& is) { is.effective.mounts.at(1).read_only = false; },
                   "mounts"},
        Difference{"port_missing", [](SandboxStatus& is) { is.effective.ports.pop_back(); },
                   "ports"},
        Difference{"port_on_all_addresses",
                   [](SandboxStatus& is) { is.effective.ports.front().host_ip = "0.0.0.0"; },
                   "ports"},
        Difference{"port_protocol",
                   [](SandboxStatus& is) { is.effective.ports.front().protocol = "sctp"; },
                   "ports"},
        Difference{"capability_extra",
                   [](SandboxStatus& is) { is.effective.capabilities.emplace_back("NET_RAW"); },
                   "capabilities"},
        Difference{"capability_missing",
                   [](SandboxStatus& is) { is.effective.capabilities.pop_back(); }, "capabilities"},
        Difference{"no_new_privileges",
                   [](SandboxStatus& is) { is.effective.no_new_privileges = false; },
                   "no-new-privileges"},
        Difference{"seccomp", [](SandboxStatus& is) { is.effective.seccomp.clear(); },
                   "system call filter"},
        Difference{"pids", [](SandboxStatus& is) { is.effective.pids_limit = 0; }, "process limit"},
        Difference{"memory", [](SandboxStatus& is) { is.effective.memory_bytes = 0; },
                   "memory limit"},
        Difference{"cpus", [](SandboxStatus& is) { is.effective.nano_cpus = 0; }, "CPU limit"},
        Difference{"network_interface",
                   [](SandboxStatus& is) { is.effective.network.interface = "docker0"; },
                   "network"},
        Difference{"network_ipv6", [](SandboxStatus& is) { is.effective.network.ipv6 = true; },
                   "network"},
        Difference{"network_name", [](SandboxStatus& is) { is.effective.network.name = "host"; },
                   "network"},
        Difference{"second_network", [](SandboxStatus& is) { is.networks.emplace_back("bridge"); },
                   "its own network and no other"},
        Difference{"no_network", [](SandboxStatus& is) { is.networks.clear(); },
                   "its own network and no other"},
        Difference{"weakness", [](SandboxStatus& is) { is.weaknesses = {"privileged"}; },
                   "isolation is undone by: privileged"}),
    [](const auto& difference) { return std::string(difference.param.name); });

struct LabelDifference {
    const char* name;
    const char* label;
    const char* problem;
};

class LabelTest : public testing::TestWithParam<LabelDifference> {};

// id and project path of a specification come back as labels: without them the next `up` would not
// know its own container.
TEST_P(LabelTest, ThatTheEngineChangedEndsUp) {
    World world;
    world.runtime.distort = [](SandboxStatus& is) { is.labels[GetParam().label] = "other"; };

    EXPECT_THAT(message_of(world.up()), HasSubstr(GetParam().problem));
    EXPECT_FALSE(world.journal.has("runtime.start"));
}

INSTANTIATE_TEST_SUITE_P(
    Labels, LabelTest,
    testing::Values(LabelDifference{"id", "alca.project.id", "does not belong to this project"},
                    LabelDifference{"path", "alca.project.path", "project path mismatch"},
                    LabelDifference{"version", "alca.version", "labels"}),
    [](const auto& difference) { return std::string(difference.param.name); });

}  // namespace
}  // namespace alca::flow
