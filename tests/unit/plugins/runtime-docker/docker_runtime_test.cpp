#include "plugins/runtime-docker/docker_runtime.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/utsname.h>

#include "fake_call.hpp"
#include "fake_engine.hpp"

namespace alca::docker {
namespace {

using engine_http::Environment;
using test::chunked;
using test::FakeCall;
using test::FakeEngine;
using test::http;
using test::ping;
using test::Step;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr const char* kImage = R"({"Id":"sha256:1","Config":{"User":"node","Env":["A=b"]}})";
constexpr const char* kMissing = R"({"message":"no such thing"})";

class DockerRuntimeTest : public ::testing::Test {
  protected:
    DockerRuntimeTest() {
        spec_.id = "550e8400";
        spec_.name = "alca-550e8400-e29";
        spec_.image = "debian:12";
        spec_.init = {"/.alca/init"};
        spec_.labels = {{"alca.project.id", "550e8400"}};
        spec_.network = {"alca-550e8400-e29", "alca550e8400", false};
        ref_.id = spec_.id;
        ref_.name = spec_.name;
        ref_.network_name = spec_.network.name;
    }

    // An engine that answers /_ping and then the script.
    DockerRuntime& with(std::vector<Step> script, const std::string& first = ping("1.41")) {
        script.insert(script.begin(), Step{.answer = first});
        engine_.emplace(std::move(script));
        Environment environment;
        environment.docker_host = engine_->endpoint().url;
        runtime_.emplace(environment);
        return *runtime_;
    }
    // Method and path of each request, without /_ping and version.
    [[nodiscard]] std::vector<std::string> sent() const {
        std::vector<std::string> lines;
        for (const std::string& request : engine_->requests()) {
            const std::string line = request.substr(0, request.find(" HTTP/"));
            const std::size_t version = line.find("/v1.41");
            if (version == std::string::npos) continue;
            lines.push_back(line.substr(0, version) + line.substr(version + 6));
        }
        return lines;
    }
    [[nodiscard]] static std::string network(const std::string& change = "{}") {
        Json json = Json::parse(R"({"Id":"n1","Name":"alca-550e8400-e29","Driver":"bridge",
            "Internal":false,"EnableIPv6":false,"Labels":{"alca.project.id":"550e8400"},
            "Options":{"com.docker.network.bridge.name":"alca550e8400"},"Containers":{},
            "IPAM":{"Config":[{"Subnet":"172.30.0.0/28","Gateway":"172.30.0.1"}]}})");
        json.merge_patch(Json::parse(change));
        return http(200, json.dump());
    }
    [[nodiscard]] static std::string container(const std::string& id,
                                               const std::string& state = "exited") {
        return http(200, Json{{"Id", "c1"},
                              {"Name", "/alca-550e8400-e29"},
                              {"State", {{"Status", state}}},
                              {"Config", {{"Labels", {{"alca.project.id", id}}}}},
                              {"HostConfig", {{"NetworkMode", "alca-550e8400-e29"}}}}
                             .dump());
    }

    FakeCall call_;
    SandboxSpec spec_;
    SandboxRef ref_;
    std::optional<FakeEngine> engine_;
    std::optional<DockerRuntime> runtime_;
};

TEST_F(DockerRuntimeTest, UnknownSettingsAreRefused) {
    EXPECT_TRUE(DockerRuntime::make(Json::object()));
    EXPECT_FALSE(DockerRuntime::make(Json{{"socket", "/x"}}));
}

TEST_F(DockerRuntimeTest, ProbeTellsWhatTheEngineIs) {
    auto probe = with({{.answer = http(200, R"({"ServerVersion":"20.10.24","OSType":"linux",
        "KernelVersion":"1.2.3-linuxkit","SecurityOptions":["name=seccomp,profile=default","name=rootless"]})")}})
                     .probe(call_);
    ASSERT_TRUE(probe) << probe.error().message;
    EXPECT_TRUE(probe->available) << probe->reason;
    EXPECT_EQ(probe->version, "20.10.24");
    EXPECT_EQ(probe->api_version, "1.41");
    EXPECT_EQ(probe->endpoint, engine_->endpoint().url);
    EXPECT_EQ(probe->endpoint_from, "DOCKER_HOST");
    EXPECT_FALSE(probe->shares_kernel);
    EXPECT_TRUE(probe->rootless);
}

TEST_F(DockerRuntimeTest, OnlyAnEngineOnOurOwnKernelSharesIt) {
    utsname names{};
    ASSERT_EQ(::uname(&names), 0);
    const std::string ours = names.release;
    const auto shares = [this](const Json& info) {
        auto probe = with({{.answer = http(200, info.dump())}}).probe(call_);
        return probe && probe->available && probe->shares_kernel;
    };
    Json info{{"OSType", "linux"}, {"OperatingSystem", "Debian"}, {"KernelVersion", ours}};
    EXPECT_TRUE(shares(info));
    info["OperatingSystem"] = "Docker Desktop";
    EXPECT_FALSE(shares(info));
    info["OperatingSystem"] = "OrbStack";
    EXPECT_FALSE(shares(info));
    info["OperatingSystem"] = "Debian";
    info["KernelVersion"] = ours + "-linuxkit";
    EXPECT_FALSE(shares(info));
    info.erase("KernelVersion");
    EXPECT_FALSE(shares(info));
}

TEST_F(DockerRuntimeTest, UsableEngineIsAskedOnceWhatItIs) {
    auto& runtime =
        with({{.answer = http(200, R"({"ServerVersion":"20.10.24","OSType":"linux"})")}});
    ASSERT_TRUE(runtime.probe(call_)->available);
    const auto again = runtime.probe(call_);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->available) << again->reason;
    EXPECT_EQ(again->version, "20.10.24");
    EXPECT_THAT(sent(), ElementsAre("GET /info"));
}

TEST_F(DockerRuntimeTest, ProbeOfAMissingEngineIsNoError) {
    Environment environment;
    environment.docker_host = "unix:///nonexistent/docker.sock";
    DockerRuntime runtime(environment);
    auto probe = runtime.probe(call_);
    ASSERT_TRUE(probe);
    EXPECT_FALSE(probe->available);
    EXPECT_EQ(probe->endpoint, "unix:///nonexistent/docker.sock");
    EXPECT_THAT(probe->reason, HasSubstr("(from DOCKER_HOST): No such file or directory"));
    EXPECT_THAT(probe->reason, HasSubstr("start the engine"));
}

TEST_F(DockerRuntimeTest, ProbeOfAnUnusableAddressIsNoError) {
    Environment environment;
    environment.docker_host = "tcp://192.0.2.1:2375";
    DockerRuntime runtime(environment);
    auto probe = runtime.probe(call_);
    ASSERT_TRUE(probe);
    EXPECT_FALSE(probe->available);
    EXPECT_THAT(probe->reason, HasSubstr("not supported yet"));
}

TEST_F(DockerRuntimeTest, PodmanIsNotTakenForDocker) {
    DockerRuntime& runtime = with({}, ping("1.41", "Libpod-Api-Version: 4.3.1\r\n"));
    auto probe = runtime.probe(call_);
    ASSERT_TRUE(probe);
    EXPECT_FALSE(probe->available);
    EXPECT_THAT(probe->reason, HasSubstr("is Podman, not Docker"));
    auto status = runtime.status(call_, ref_);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Code::unavailable);
}

TEST_F(DockerRuntimeTest, AnEngineForWindowsIsUnavailable) {
    auto probe = with({{.answer = http(200, R"({"OSType":"windows"})")}}).probe(call_);
    ASSERT_TRUE(probe);
    EXPECT_FALSE(probe->available);
    EXPECT_THAT(probe->reason, HasSubstr("windows containers"));
}

TEST_F(DockerRuntimeTest, APresentImageAndNetworkAreUsedAsTheyAre) {
    auto prepared =
        with({{.answer = http(200, kImage)}, {.answer = network()}}).prepare(call_, spec_);
    ASSERT_TRUE(prepared) << prepared.error().message;
    EXPECT_FALSE(prepared->image.pulled);
    EXPECT_EQ(prepared->image.user, "node");
    EXPECT_FALSE(prepared->network.created);
    EXPECT_THAT(prepared->network.gateways, ::testing::ElementsAre("172.30.0.1"));
}

TEST_F(DockerRuntimeTest, APullSumsTheBytesOfAllLayers) {
    const std::string stream =
        R"({"status":"Pulling from library/debian","id":"12"}
{"status":"Downloading","id":"a","progressDetail":{"current":10,"total":100}}
{"status":"Downloading","id":"b","progressDetail":{"current":5,"total":50}}
{"status":"Download complete","id":"a","progressDetail":{}}
{"status":"Pull complete","id":"b"}
)";
    auto prepared = with({{.answer = http(404, kMissing)},
                          {.answer = chunked(stream, 7), .piece = 11},
                          {.answer = http(200, kImage)},
                          {.answer = network()}})
                        .prepare(call_, spec_);
    ASSERT_TRUE(prepared) << prepared.error().message;
    EXPECT_TRUE(prepared->image.pulled);
    EXPECT_EQ(sent().at(1), "POST /images/create?fromImage=debian%3A12");
    ASSERT_THAT(call_.steps, ::testing::Not(IsEmpty()));
    const Progress& last = call_.steps.back();
    EXPECT_EQ(last.step, "pulling debian:12");
    EXPECT_EQ(last.unit, "bytes");
    EXPECT_EQ(last.done, 150U);
    EXPECT_EQ(last.total, 150U);
    EXPECT_TRUE(last.finished);
}

TEST_F(DockerRuntimeTest, AnErrorInThePullsStreamIsAnError) {
    auto prepared =
        with({{.answer = http(404, kMissing)},
              {.answer = chunked("{\"status\":\"x\"}\n{\"errorDetail\":{},\"error\":\"no "
                                 "space left on device\"}\n",
                                 9)}})
            .prepare(call_, spec_);
    ASSERT_FALSE(prepared);
    EXPECT_THAT(prepared.error().message, StartsWith("cannot pull image debian:12: "));
    EXPECT_THAT(prepared.error().message, HasSubstr("no space left on device"));
}

TEST_F(DockerRuntimeTest, APullThatBreaksOffIsAnError) {
    auto prepared =
        with({{.answer = http(404, kMissing)},
              {.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n",
               .after = Step::After::close}})
            .prepare(call_, spec_);
    ASSERT_FALSE(prepared);
    EXPECT_EQ(prepared.error().code, Code::unavailable);
}

TEST_F(DockerRuntimeTest, WithoutATagTheLatestIsPulled) {
    spec_.image = "127.0.0.1:5000/team/tool";
    ASSERT_FALSE(with({{.answer = http(404, kMissing)}, {.answer = http(404, kMissing)}})
                     .prepare(call_, spec_));
    EXPECT_EQ(sent().at(0), "GET /images/127.0.0.1:5000/team/tool/json");
    EXPECT_EQ(sent().at(1),
              "POST /images/create?fromImage=127.0.0.1%3A5000%2Fteam%2Ftool%3Alatest");
}

TEST_F(DockerRuntimeTest, ImageNamesThatLeadElsewhereAreNeverSent) {
    for (const char* name :
         {"../containers/x", "a/../b", "/a", "a/", "a b", "a?b", "a\nb", "-a", "a%2fb"}) {
        spec_.image = name;
        auto prepared = with({}).prepare(call_, spec_);
        ASSERT_FALSE(prepared) << name;
        EXPECT_EQ(prepared.error().code, Code::invalid);
        EXPECT_THAT(sent(), IsEmpty());
    }
}

TEST_F(DockerRuntimeTest, AnExistingNetworkThatDiffersIsNamedWithTheReason) {
    const std::pair<const char*, const char*> table[] = {
        {R"({"Labels":{"alca.project.id":"other"}})", "belongs to something else"},
        {R"({"Labels":null})", "belongs to something else"},
        {R"({"Driver":"macvlan"})", "its driver is macvlan"},
        {R"({"Options":{"com.docker.network.bridge.name":"br-x"}})", "its bridge is 'br-x'"},
        {R"({"Options":{"com.docker.network.bridge.enable_icc":"false"}})", "other options"},
        {R"({"Internal":true})", "it is internal"},
        {R"({"EnableIPv6":true})", "it has IPv6"},
        {R"({"IPAM":{"Config":[]}})", "other subnets"},
        {R"({"IPAM":{"Config":[{"Subnet":"172.30.0.0/28"}]}})", "no gateway"},
    };
    for (const auto& [change, reason] : table) {
        auto prepared = with({{.answer = http(200, kImage)}, {.answer = network(change)}})
                            .prepare(call_, spec_);
        ASSERT_FALSE(prepared) << change;
        EXPECT_THAT(prepared.error().message, HasSubstr(reason));
        EXPECT_THAT(prepared.error().message, HasSubstr("docker network rm alca-550e8400-e29"));
    }
}

TEST_F(DockerRuntimeTest, AnotherSubnetIsTriedWhenTheEngineFindsAnOverlap) {
    auto prepared =
        with({{.answer = http(200, kImage)},
              {.answer = http(404, kMissing)},
              {.answer = http(
                   403, R"({"message":"Pool overlaps with other one on this address space"})")},
              {.answer = http(201, R"({"Id":"n1"})")},
              {.answer = network()}})
            .prepare(call_, spec_);
    ASSERT_TRUE(prepared) << prepared.error().message;
    EXPECT_TRUE(prepared->network.created);
    const auto requests = engine_->requests();
    const auto subnet = [](const std::string& request) {
        return request.substr(request.find("\"Subnet\""), 28);
    };
    EXPECT_NE(subnet(requests.at(3)), subnet(requests.at(4)));
}

TEST_F(DockerRuntimeTest, ANetworkThatIsMadeAtTheSameTimeIsLookedAt) {
    auto prepared = with({{.answer = http(200, kImage)},
                          {.answer = http(404, kMissing)},
                          {.answer = http(409, R"({"message":"network exists"})")},
                          {.answer = network()}})
                        .prepare(call_, spec_);
    ASSERT_TRUE(prepared) << prepared.error().message;
    EXPECT_FALSE(prepared->network.created);
}

TEST_F(DockerRuntimeTest, AContainerOfOursIsReplacedByCreate) {
    auto created = with({{.answer = http(409, R"({"message":"name in use"})")},
                         {.answer = container("550e8400")},
                         {.answer = http(304, "")},
                         {.answer = http(204, "")},
                         {.answer = http(201, R"({"Id":"c2","Warnings":null})")}})
                       .create(call_, spec_);
    ASSERT_TRUE(created) << created.error().message;
    EXPECT_EQ(created->container_id, "c2");
    EXPECT_EQ(sent().at(3), "DELETE /containers/c1?force=true&v=true");
}

TEST_F(DockerRuntimeTest, AContainerOfSomebodyElseIsLeftAlone) {
    auto created = with({{.answer = http(409, R"({"message":"name in use"})")},
                         {.answer = container("other")}})
                       .create(call_, spec_);
    ASSERT_FALSE(created);
    EXPECT_THAT(created.error().message, HasSubstr("does not belong to this project"));
    EXPECT_THAT(sent(), SizeIs(2));
    for (const char* method : {"remove", "start", "stop"}) {
        DockerRuntime& runtime = with({{.answer = container("other")}});
        const Result<void> result =
            std::string_view(method) == "remove"  ? runtime.remove(call_, ref_, false)
            : std::string_view(method) == "start" ? runtime.start(call_, ref_)
                                                  : runtime.stop(call_, ref_);
        EXPECT_FALSE(result) << method;
        EXPECT_THAT(sent(), SizeIs(1)) << method;
    }
}

TEST_F(DockerRuntimeTest, StatusShowsAContainerOfSomebodyElseWithItsLabels) {
    auto status = with({{.answer = container("other")}, {.answer = network()}}).status(call_, ref_);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(status->labels.at("alca.project.id"), "other");
    EXPECT_EQ(status->effective.id, "other");
}

TEST_F(DockerRuntimeTest, StatusReadsTheBridgeOfTheNetworkBack) {
    auto status =
        with({{.answer = container("550e8400")},
              {.answer = network(R"({"Options":{"com.docker.network.bridge.name":"br0"}})")}})
            .status(call_, ref_);
    ASSERT_TRUE(status) << status.error().message;
    EXPECT_EQ(status->effective.network.interface, "br0");
    auto gone = with({{.answer = container("550e8400")}, {.answer = http(404, kMissing)}})
                    .status(call_, ref_);
    ASSERT_TRUE(gone);
    EXPECT_EQ(gone->effective.network.interface, "");
}

TEST_F(DockerRuntimeTest, AbsentIsAState) {
    auto status = with({{.answer = http(404, kMissing)}}).status(call_, ref_);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->state, SandboxState::absent);
}

TEST_F(DockerRuntimeTest, AContainerFoundByAPartOfItsIdIsAbsent) {
    ref_.name = "c";  // an engine would find "c1"
    auto status = with({{.answer = container("550e8400")}}).status(call_, ref_);
    ASSERT_TRUE(status);
    EXPECT_EQ(status->state, SandboxState::absent);
}

TEST_F(DockerRuntimeTest, RemoveOfWhatIsGoneSucceeds) {
    const auto removed = with({{.answer = http(404, kMissing)}, {.answer = http(404, kMissing)}})
                             .remove(call_, ref_, false);
    EXPECT_TRUE(removed) << removed.error().message;
}

TEST_F(DockerRuntimeTest, RemoveKeepsTheNetworkWhenAsked) {
    EXPECT_TRUE(with({{.answer = http(404, kMissing)}}).remove(call_, ref_, true));
    EXPECT_THAT(sent(), SizeIs(1));
}

TEST_F(DockerRuntimeTest, ANetworkInUseIsNotRemovedAndItsUsersAreNamed) {
    const auto removed = with({{.answer = http(404, kMissing)},
                               {.answer = network(R"({"Containers":{"c9":{"Name":"postgres"}}})")}})
                             .remove(call_, ref_, false);
    ASSERT_FALSE(removed);
    EXPECT_THAT(removed.error().message, HasSubstr("still used by postgres"));
    EXPECT_THAT(sent(), SizeIs(2));
}

TEST_F(DockerRuntimeTest, StartSaysWhyInTheEnginesWords) {
    const auto started = with({{.answer = container("550e8400")},
                               {.answer = http(500, R"({"message":"oci runtime error"})")}})
                             .start(call_, ref_);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().message,
              "cannot start container alca-550e8400-e29: oci runtime error (HTTP 500)");
}

TEST_F(DockerRuntimeTest, APausedContainerIsNotStarted) {
    const auto started = with({{.answer = container("550e8400", "paused")}}).start(call_, ref_);
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().code, Code::unavailable);
    EXPECT_EQ(started.error().message,
              "container alca-550e8400-e29 is paused; run: docker unpause alca-550e8400-e29");
    EXPECT_THAT(sent(), SizeIs(1));
}

TEST_F(DockerRuntimeTest, AnEngineThatDiesInEachStepIsUnavailable) {
    const Step death{.answer = "HTTP/1.1 2", .after = Step::After::close};
    const auto expect_lost = [](const auto& result) {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, Code::unavailable) << result.error().message;
        EXPECT_THAT(result.error().message, HasSubstr("(from DOCKER_HOST)"));
    };
    expect_lost(with({{.answer = http(200, kImage)}, {.answer = http(404, kMissing)}, death})
                    .prepare(call_, spec_));
    expect_lost(with({death}).create(call_, spec_));
    expect_lost(with({{.answer = container("550e8400")}, death}).start(call_, ref_));
    expect_lost(with({{.answer = container("550e8400")}, death}).remove(call_, ref_, false));
    expect_lost(with({death}).list(call_));
}

TEST_F(DockerRuntimeTest, ListHasEveryContainerWithOurLabel) {
    auto list = with({{.answer = http(200, R"([{"Id":"c1","Names":["/alca-1"],"Image":"i",
        "State":"running","Created":0,"Labels":{"alca.project.id":"1"}},{"Id":"c2","Names":["/alca-2"],
        "State":"exited","Created":1795503661,"Labels":{"alca.project.id":"2"}}])")}})
                    .list(call_);
    ASSERT_TRUE(list) << list.error().message;
    ASSERT_THAT(*list, SizeIs(2));
    EXPECT_EQ(list->at(0).name, "alca-1");
    EXPECT_EQ(list->at(1).state, SandboxState::stopped);
    EXPECT_EQ(list->at(1).created_at, "2026-11-24T07:01:01Z");
}

TEST_F(DockerRuntimeTest, AnswersOfAnotherShapeAreErrors) {
    for (const char* body : {"", "7", "\"x\"", "[]", "{}", R"({"Id":7})", "[[[]]]"}) {
        EXPECT_FALSE(with({{.answer = http(200, body)}}).status(call_, ref_)) << body;
        EXPECT_FALSE(with({{.answer = http(201, body)}}).create(call_, spec_)) << body;
    }
    EXPECT_FALSE(with({{.answer = http(200, "{}")}}).list(call_));
    EXPECT_FALSE(with({{.answer = http(200, "[7]")}}).list(call_));
}

}  // namespace
}  // namespace alca::docker
