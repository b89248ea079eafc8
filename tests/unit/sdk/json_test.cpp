#include "alca/json.hpp"

#include <gtest/gtest.h>

#include "alca/runtime.hpp"

namespace alca {
namespace {

template <class T>
std::string error_of(const char* text, T value = {}) {
    const Json json = Json::parse(text);
    JsonReader in(json, "thing");
    in.require("key", value);
    const auto done = in.done(value);
    return done ? "" : done.error().message;
}

TEST(JsonTest, ErrorsNameThePath) {
    EXPECT_EQ(error_of<std::string>("{}"), "thing.key is missing");
    EXPECT_EQ(error_of<std::string>(R"({"key":null})"), "thing.key is missing");
    EXPECT_EQ(error_of<std::string>(R"({"key":1})"), "thing.key must be a string");
    EXPECT_EQ(error_of<bool>(R"({"key":1})"), "thing.key must be true or false");
    EXPECT_EQ(error_of<std::vector<std::string>>(R"({"key":["a",1]})"),
              "thing.key must be a string");
    EXPECT_EQ(error_of<Mount>(R"({"key":{"target":7}})"),
              "thing.key: mount.target must be a string");
}

std::string nested(int levels) {
    const auto count = static_cast<std::size_t>(levels - 1);
    return "{\"a\":" + std::string(count, '[') + std::string(count, ']') + "}";
}

TEST(JsonTest, ADeepValueIsAnErrorNotACrash) {
    EXPECT_TRUE(parse_object(nested(kMostJsonLevels)));
    EXPECT_FALSE(parse_object(nested(kMostJsonLevels + 1)));
    EXPECT_FALSE(parse_object(nested(1'000'000)));
}

TEST(JsonTest, OnlyWhatIsOpenCountsAsALevel) {
    std::string text = R"({"[[\"[\\":[0)";
    for (int i = 0; i < 1000; ++i) text += R"(,["[{"])";
    EXPECT_TRUE(parse_object(text + "]}"));
}

TEST(JsonTest, IntegersAreCheckedForTheirRange) {
    EXPECT_EQ(error_of<std::uint16_t>(R"({"key":65535})"), "");
    EXPECT_EQ(error_of<std::uint16_t>(R"({"key":65536})"), "thing.key is out of range");
    EXPECT_EQ(error_of<std::uint16_t>(R"({"key":-1})"), "thing.key is out of range");
    EXPECT_EQ(error_of<std::int64_t>(R"({"key":18446744073709551615})"),
              "thing.key is out of range");
    EXPECT_EQ(error_of<int>(R"({"key":1.0})"), "thing.key must be an integer");
}

TEST(JsonTest, TheFirstErrorIsKept) {
    const Json json = Json::parse(R"({"a":1,"b":1})");
    std::string text;
    bool flag = false;
    JsonReader in(json, "x");
    in.read("a", text);
    in.read("b", flag);
    EXPECT_EQ(in.done(true).error().message, "x.a must be a string");
}

TEST(JsonTest, WhatIsNoObjectIsAnError) {
    const Json json = Json::array();
    JsonReader in(json, "x");
    EXPECT_FALSE(in.ok());
    EXPECT_FALSE(Mount::from_json(json));
}

TEST(JsonTest, AMissingOptionalMemberKeepsItsDefault) {
    const auto port = Port::from_json(Json{{"host_port", 1}, {"container_port", 2}});
    ASSERT_TRUE(port);
    EXPECT_EQ(port->host_ip, "127.0.0.1");
    EXPECT_EQ(port->protocol, "tcp");
}

TEST(StatusTest, WhatIsNotReportedDoesNotCountAsProtection) {
    for (const char* text : {R"({"state":"running"})", R"({"state":"running","effective":null})",
                             R"({"state":"running","effective":{"name":"n"}})"}) {
        const auto status = SandboxStatus::from_json(Json::parse(text));
        ASSERT_TRUE(status) << status.error().message;
        EXPECT_FALSE(status->effective.no_new_privileges) << text;
    }
    EXPECT_FALSE(SandboxStatus{}.effective.no_new_privileges);
    EXPECT_TRUE(SandboxSpec{}.no_new_privileges);
    const auto probe = RuntimeProbe::from_json(Json{{"available", true}});
    ASSERT_TRUE(probe);
    EXPECT_FALSE(probe->shares_kernel);
}

TEST(StatusTest, WhatIsReportedComesThrough) {
    SandboxStatus sent;
    sent.image_volumes = {"/data"};
    sent.effective.no_new_privileges = true;
    sent.effective.name = "n";
    const auto status = SandboxStatus::from_json(Json(sent));
    ASSERT_TRUE(status);
    EXPECT_EQ(status->image_volumes, sent.image_volumes);
    EXPECT_EQ(Json(status->effective), Json(sent.effective));
}

TEST(StatusTest, ErrorsInWhatIsReportedNameThePath) {
    const auto status = SandboxStatus::from_json(
        Json::parse(R"({"state":"running","effective":{"pids_limit":"many"}})"));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, "status.effective: sandbox.pids_limit must be an integer");
}

}  // namespace
}  // namespace alca
