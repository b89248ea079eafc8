#include "core/project/drift.hpp"

#include <gmock/gmock.h>

namespace alca::project {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Json form() {
    return Json::parse(R"({
        "image": "debian:11", "workdir": "/workspace", "runtime": "auto", "user": "",
        "commands": {"up": ""},
        "mounts": [{"source": "/p", "target": "/workspace", "readonly": false}],
        "resources": {"memory": "", "cpus": 0.0, "pids": 4096},
        "envs": {"A": {"literal": true, "digest": "1"}, "T": {"literal": false}},
        "network": {"ipv6": false, "ports": []}, "caps": ["KILL"]})");
}

std::vector<std::string> lines(const char* pointer, const Json& value) {
    Json wanted = form();
    wanted[Json::json_pointer(pointer)] = value;
    std::vector<std::string> out;
    for (const Change& change : drift(form(), wanted)) out.push_back(to_line(change));
    return out;
}

TEST(DriftTest, EqualFormsHaveNone) {
    EXPECT_THAT(drift(form(), form()), IsEmpty());
    EXPECT_THAT(drift(Json(), form()), IsEmpty());
}

TEST(DriftTest, ShortValuesAreShown) {
    EXPECT_THAT(lines("/image", "debian:12"), ElementsAre("Image: debian:11 → debian:12"));
    EXPECT_THAT(lines("/runtime", "docker"), ElementsAre("Runtime: auto → docker"));
    EXPECT_THAT(lines("/user", "host"), ElementsAre("User: (none) → host"));
    EXPECT_THAT(lines("/resources/memory", "2g"), ElementsAre("Resources.memory: (none) → 2g"));
    EXPECT_THAT(lines("/resources/cpus", 1.5), ElementsAre("Resources.cpus: (none) → 1.5"));
    EXPECT_THAT(lines("/resources/pids", 64), ElementsAre("Resources.pids: 4096 → 64"));
    EXPECT_THAT(lines("/network/ipv6", true), ElementsAre("Network.ipv6: false → true"));
    EXPECT_THAT(lines("/workdir", "/w"), ElementsAre("Workdir: /workspace → /w"));
}

TEST(DriftTest, LongOrSecretValuesAreOnlyNamed) {
    EXPECT_THAT(lines("/commands/up", "make"), ElementsAre("Commands.up: changed"));
    EXPECT_THAT(lines("/mounts/0/readonly", true), ElementsAre("Mounts: changed"));
    EXPECT_THAT(lines("/network/ports", Json::array({1})), ElementsAre("Ports: changed"));
    EXPECT_THAT(lines("/caps", Json::array()), ElementsAre("Caps: changed"));
    EXPECT_THAT(lines("/envs/A/digest", "2"), ElementsAre("Envs: changed"));
}

TEST(DriftTest, VariablesThatComeOrGoCount) {
    EXPECT_THAT(lines("/envs/B", Json{{"literal", false}}), ElementsAre("Envs: changed"));
    EXPECT_THAT(lines("/envs", Json{{"A", form()["envs"]["A"]}}), ElementsAre("Envs: changed"));
}

TEST(DriftTest, LiteralThatComesFromTheEnvironmentNowCountsAndTheOtherWayRound) {
    EXPECT_THAT(lines("/envs/A", Json{{"literal", false}}), ElementsAre("Envs: changed"));
    EXPECT_THAT(lines("/envs/T", Json{{"literal", true}, {"digest", "9"}}),
                ElementsAre("Envs: changed"));
}

TEST(DriftTest, KeysThatAnOlderVersionDidNotStoreDoNotCount) {
    Json old = form();
    old.erase("caps");
    old["network"].erase("ipv6");
    EXPECT_THAT(drift(old, form()), IsEmpty());
}

TEST(DriftTest, SeveralChangesComeInAFixedOrder) {
    Json wanted = form();
    wanted["caps"] = Json::array();
    wanted["image"] = "x";
    const auto changes = drift(form(), wanted);
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[0].key, "Image");
    EXPECT_EQ(changes[1].key, "Caps");
}

}  // namespace
}  // namespace alca::project
