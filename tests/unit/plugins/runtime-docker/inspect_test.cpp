#include "plugins/shared/engine_http/inspect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/shared/engine_http/create.hpp"

namespace alca::engine_http {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What Docker 20.10 answers for a sandbox of ours, shortened.
Json sandbox() {
    return Json::parse(R"({
      "Id": "1d50", "Name": "/alca-550e8400-e29", "Created": "2026-11-24T07:07:40.931232334Z",
      "State": {"Status": "running", "Pid": 31862, "StartedAt": "2026-11-24T07:07:41.471940057Z"},
      "Config": {"Image": "debian:12", "Entrypoint": ["/.alca/init", "serve"], "Cmd": null,
        "User": "0:0", "WorkingDir": "/work", "Hostname": "sb", "Env": ["A=b=c", "PATH=/bin"],
        "Labels": {"alca.project.id": "550e8400"}, "Volumes": {"/data": {}}},
      "HostConfig": {"NetworkMode": "alca-550e8400-e29", "CapAdd": ["CAP_CHOWN", "KILL"],
        "CapDrop": ["ALL"], "SecurityOpt": ["no-new-privileges", "seccomp={\"a\":1}"],
        "PidsLimit": 4096, "Memory": 67108864, "NanoCpus": 500000000, "Privileged": false,
        "PidMode": "", "IpcMode": "private", "UTSMode": "", "UsernsMode": "",
        "CgroupnsMode": "private", "Devices": null, "OomKillDisable": false,
        "MaskedPaths": ["/proc/kcore"], "ReadonlyPaths": ["/proc/sys"],
        "Mounts": [{"Type": "bind", "Source": "/p", "Target": "/work"},
                   {"Type": "volume", "Source": "v", "Target": "/vol"}],
        "PortBindings": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}],
                         "53/udp": [{"HostIp": "", "HostPort": ""}]}},
      "Mounts": [{"Type": "bind", "Source": "/p", "Destination": "/work", "RW": false,
                  "Propagation": "rprivate"},
                 {"Type": "volume", "Name": "v", "Source": "/var/v", "Destination": "/vol", "RW": true},
                 {"Type": "volume", "Source": "/var/x", "Destination": "/data", "RW": true,
                  "Name": "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}],
      "NetworkSettings": {"Networks": {"alca-550e8400-e29":
        {"Gateway": "172.30.0.1", "IPv6Gateway": "fd00::1"}}}
    })");
}

SandboxStatus read(const Json& json) {
    auto status = status_of_inspect(json);
    EXPECT_TRUE(status) << status.error().message;
    return status.value_or(SandboxStatus{});
}

TEST(InspectTest, ReadsEveryFieldThatTheHostCompares) {
    const SandboxStatus status = read(sandbox());
    EXPECT_EQ(status.state, SandboxState::running);
    EXPECT_EQ(status.name, "alca-550e8400-e29");
    EXPECT_EQ(status.pid, 31862);
    EXPECT_THAT(status.networks, ElementsAre("alca-550e8400-e29"));
    EXPECT_THAT(status.gateways, ElementsAre("172.30.0.1", "fd00::1"));
    EXPECT_THAT(status.weaknesses, IsEmpty());
    const SandboxSpec& spec = status.effective;
    EXPECT_EQ(spec.image, "debian:12");
    EXPECT_THAT(spec.init, ElementsAre("/.alca/init", "serve"));
    EXPECT_EQ(spec.user, "0:0");
    EXPECT_EQ(spec.workdir, "/work");
    EXPECT_EQ(spec.hostname, "sb");
    EXPECT_EQ(spec.env.at("A"), "b=c");
    EXPECT_EQ(spec.labels.at("alca.project.id"), "550e8400");
    EXPECT_THAT(spec.capabilities, ElementsAre("CHOWN", "KILL"));
    EXPECT_TRUE(spec.no_new_privileges);
    EXPECT_EQ(spec.seccomp, R"({"a":1})");
    EXPECT_EQ(spec.pids_limit, 4096);
    EXPECT_EQ(spec.memory_bytes, 67108864);
    EXPECT_EQ(spec.nano_cpus, 500000000);
    EXPECT_EQ(spec.network.name, "alca-550e8400-e29");
    EXPECT_THAT(spec.ports,
                ElementsAre(Port{"", 0, 53, "udp"}, Port{"127.0.0.1", 8080, 80, "tcp"}));
}

TEST(InspectTest, MountsAreThoseInForceWithoutTheImagesOwnVolumes) {
    const SandboxStatus status = read(sandbox());
    EXPECT_THAT(status.effective.mounts,
                ElementsAre(Mount{"/p", "", "/work", true}, Mount{"", "v", "/vol", false}));
    EXPECT_THAT(status.image_volumes, ElementsAre("/data"));
}

TEST(InspectTest, AnImageMayWriteItsVolumeWithASlash) {
    Json json = sandbox();
    json["Config"]["Volumes"] = {{"/data/", Json::object()}};
    EXPECT_THAT(read(json).image_volumes, ElementsAre("/data"));
}

TEST(InspectTest, AVolumeThatTheImageDoesNotDeclareOrThatHasANameIsAMount) {
    Json undeclared = sandbox();
    undeclared["Config"]["Volumes"] = nullptr;
    Json named = sandbox();
    named["Mounts"][2]["Name"] = "secrets-of-another";
    for (const Json& json : {undeclared, named}) {
        EXPECT_THAT(read(json).image_volumes, IsEmpty());
        EXPECT_EQ(read(json).effective.mounts.size(), 3U);
    }
}

TEST(InspectTest, AMountThatNobodyAskedForIsSeen) {
    Json json = sandbox();
    json["Mounts"].push_back(
        {{"Type", "bind"}, {"Source", "/"}, {"Destination", "/data"}, {"RW", true}});
    EXPECT_THAT(read(json).effective.mounts, Contains(Mount{"/", "", "/data", false}));
}

TEST(InspectTest, ArgumentsOfTheImageAreSeen) {
    Json json = sandbox();
    json["Config"]["Cmd"] = {"--evil"};
    EXPECT_THAT(read(json).effective.init, ElementsAre("/.alca/init", "serve", "--evil"));
}

TEST(InspectTest, CapabilitiesAreTheSetNotTheRequest) {
    Json json = sandbox();
    json["HostConfig"]["CapDrop"] = nullptr;
    json["HostConfig"]["CapAdd"] = {"NET_ADMIN"};
    const auto defaults = read(json).effective.capabilities;
    EXPECT_EQ(defaults.size(), 15U);
    EXPECT_THAT(defaults, Contains("NET_RAW"));
    EXPECT_THAT(defaults, Contains("NET_ADMIN"));
    json["HostConfig"]["CapDrop"] = {"CAP_NET_RAW"};
    EXPECT_THAT(read(json).effective.capabilities, ::testing::Not(Contains("NET_RAW")));
    json["HostConfig"]["CapAdd"] = {"ALL"};
    json["HostConfig"]["CapDrop"] = nullptr;
    EXPECT_EQ(read(json).effective.capabilities.size(), 41U);
}

TEST(InspectTest, MissingSecurityOptionsAreSeen) {
    Json json = sandbox();
    json["HostConfig"]["SecurityOpt"] = nullptr;
    EXPECT_FALSE(read(json).effective.no_new_privileges);
    EXPECT_EQ(read(json).effective.seccomp, "");
}

TEST(InspectTest, StatesAreTranslated) {
    const std::pair<const char*, SandboxState> table[] = {
        {"created", SandboxState::created}, {"running", SandboxState::running},
        {"paused", SandboxState::paused},   {"exited", SandboxState::stopped},
        {"dead", SandboxState::unknown},    {"restarting", SandboxState::unknown},
        {"", SandboxState::unknown}};
    for (const auto& [word, state] : table) {
        Json json = sandbox();
        json["State"]["Status"] = word;
        EXPECT_EQ(read(json).state, state) << word;
    }
}

TEST(InspectTest, NeverStartedHasNoTime) {
    Json json = sandbox();
    json["State"]["StartedAt"] = "0001-01-01T00:00:00Z";
    EXPECT_EQ(read(json).started_at, "");
}

TEST(InspectTest, WrongTypesAreErrorsNotCrashes) {
    const Json good = sandbox();
    for (const char* key : {"Id", "State", "Config", "HostConfig", "NetworkSettings", "Mounts"}) {
        Json json = good;
        json[key] = 7;
        EXPECT_FALSE(status_of_inspect(json)) << key;
    }
    for (const auto& [key, value] : good["HostConfig"].items()) {
        Json json = good;
        json["HostConfig"][key] = Json::array({Json::array({1})});
        static_cast<void>(status_of_inspect(json));
    }
    EXPECT_FALSE(status_of_inspect(Json::array()));
    EXPECT_FALSE(status_of_inspect(nullptr));
}

struct Case {
    const char* key;
    const char* value;
    const char* expected;
};

TEST(WeaknessTest, EachSettingThatUndoesIsolationIsNamed) {
    const Case cases[] = {
        {"Privileged", "true", "privileged"},
        {"NetworkMode", R"("host")", "host network"},
        {"NetworkMode", R"("container:abc")", "container:abc network"},
        {"PidMode", R"("host")", "host pid namespace"},
        {"IpcMode", R"("host")", "host ipc namespace"},
        {"IpcMode", R"("shareable")", "shareable ipc namespace"},
        {"UTSMode", R"("host")", "host uts namespace"},
        {"UsernsMode", R"("host")", "host user namespace"},
        {"CgroupnsMode", R"("host")", "host cgroup namespace"},
        {"Devices", R"([{"PathOnHost":"/dev/kvm"}])", "devices"},
        {"DeviceRequests", R"([{"Driver":"nvidia"}])", "device requests"},
        {"DeviceCgroupRules", R"(["a *:* rwm"])", "device rules"},
        {"GroupAdd", R"(["0"])", "additional groups"},
        {"VolumesFrom", R"(["other"])", "volumes of another container"},
        {"Links", R"(["a:b"])", "links to other containers"},
        {"Sysctls", R"({"net.ipv4.ip_forward":"1"})", "kernel settings"},
        {"OomKillDisable", "true", "never killed when memory ends"},
        {"PublishAllPorts", "true", "all ports published"},
        {"SecurityOpt", R"(["seccomp=unconfined"])", "security option seccomp=unconfined"},
        {"SecurityOpt", R"(["apparmor=unconfined"])", "security option apparmor=unconfined"},
        {"SecurityOpt", R"(["label=disable"])", "security option label=disable"},
        {"SecurityOpt", R"(["no-new-privileges:false"])",
         "security option no-new-privileges:false"},
        {"MaskedPaths", "[]", "MaskedPaths emptied"},
        {"ReadonlyPaths", "[]", "ReadonlyPaths emptied"},
    };
    for (const Case& item : cases) {
        Json json = sandbox();
        json["HostConfig"][item.key] = Json::parse(item.value);
        EXPECT_THAT(weaknesses_of(json), ElementsAre(item.expected)) << item.key;
    }
}

TEST(WeaknessTest, ASecondNetworkIsNamed) {
    Json json = sandbox();
    json["NetworkSettings"]["Networks"]["bridge"] = Json::object();
    EXPECT_THAT(weaknesses_of(json), ElementsAre("joined to more than one network"));
}

TEST(WeaknessTest, AnEngineSocketAndAPropagatingMountAreNamed) {
    Json json = sandbox();
    json["Mounts"].push_back(
        {{"Source", "/run/docker.sock"}, {"Destination", "/x"}, {"Propagation", "rshared"}});
    EXPECT_THAT(weaknesses_of(json), ElementsAre("engine socket mounted from /run/docker.sock",
                                                 "mount /x propagates (rshared)"));
}

TEST(WeaknessTest, AnAnswerWithoutHostConfigIsNoCleanBill) {
    EXPECT_THAT(weaknesses_of(Json::object()), ElementsAre("the engine reports no HostConfig"));
}

SandboxSpec spec() {
    SandboxSpec spec;
    spec.id = "550e8400";
    spec.name = "alca-550e8400-e29";
    spec.image = "debian:12";
    spec.init = {"/.alca/init"};
    spec.labels = {{"alca.project.id", "550e8400"}};
    spec.network = {"alca-550e8400-e29", "alca550e8400", false};
    return spec;
}

TEST(CreateTest, NothingIsLeftToTheEnginesTaste) {
    SandboxSpec wanted = spec();
    wanted.capabilities = {"CHOWN"};
    wanted.seccomp = "{}";
    wanted.memory_bytes = 1024;
    wanted.env = {{"A", "b"}};
    wanted.ports = {{"127.0.0.1", 8080, 80, "tcp"}, {"127.0.0.1", 0, 80, "tcp"}};
    const Json body = create_body(wanted);
    const Json& host = body["HostConfig"];
    EXPECT_EQ(body["Entrypoint"], Json({"/.alca/init"}));
    EXPECT_EQ(body["Cmd"], Json::array());
    EXPECT_FALSE(body.contains("StopTimeout"));
    EXPECT_EQ(body["Env"], Json({"A=b"}));
    EXPECT_EQ(host["CapDrop"], Json({"ALL"}));
    EXPECT_EQ(host["CapAdd"], Json({"CHOWN"}));
    EXPECT_EQ(host["SecurityOpt"], Json({"no-new-privileges", "seccomp={}"}));
    EXPECT_EQ(host["MemorySwap"], 1024);
    EXPECT_EQ(host["Privileged"], false);
    EXPECT_EQ(host["NetworkMode"], "alca-550e8400-e29");
    EXPECT_EQ(host["RestartPolicy"]["Name"], "no");
    EXPECT_EQ(host["PortBindings"]["80/tcp"].size(), 2U);
    EXPECT_EQ(host["PortBindings"]["80/tcp"][1]["HostPort"], "");
}

TEST(CreateTest, TheTimeToStopIsTheContainers) {
    SandboxSpec wanted = spec();
    wanted.stop_timeout_s = 63;
    const Json body = create_body(wanted);
    EXPECT_EQ(body["StopTimeout"], 63);
    Json inspect = sandbox();
    inspect["Config"]["StopTimeout"] = 63;
    EXPECT_EQ(read(inspect).effective.stop_timeout_s, 63);
}

TEST(CreateTest, AMissingSourceIsAnErrorThatNamesIt) {
    SandboxSpec wanted = spec();
    wanted.mounts = {{"/nonexistent/x", "", "/x", false}};
    const auto checked = check_spec(wanted);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, Code::not_found);
    EXPECT_THAT(checked.error().message, HasSubstr("/nonexistent/x does not exist"));
}

TEST(CreateTest, HalfASpecIsInvalid) {
    const auto is_invalid = [](auto change) {
        SandboxSpec wanted = spec();
        change(wanted);
        const auto checked = check_spec(wanted);
        return !checked && checked.error().code == Code::invalid;
    };
    ASSERT_TRUE(check_spec(spec()));
    EXPECT_TRUE(is_invalid([](auto& s) { s.id.clear(); }));
    EXPECT_TRUE(is_invalid([](auto& s) { s.name.clear(); }));
    EXPECT_TRUE(is_invalid([](auto& s) { s.image.clear(); }));
    EXPECT_TRUE(is_invalid([](auto& s) { s.init.clear(); }));
    EXPECT_TRUE(is_invalid([](auto& s) { s.network.interface.clear(); }));
    EXPECT_TRUE(is_invalid([](auto& s) { s.labels.clear(); }));
    EXPECT_TRUE(is_invalid([](auto& s) { s.mounts = {{"/p", "v", "/x", false}}; }));
    EXPECT_TRUE(is_invalid([](auto& s) { s.mounts = {{"", "", "/x", false}}; }));
    EXPECT_TRUE(is_invalid([](auto& s) { s.mounts = {{"relative", "", "/x", false}}; }));
}

}  // namespace
}  // namespace alca::engine_http
