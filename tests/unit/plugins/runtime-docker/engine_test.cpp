#include "plugins/shared/engine_http/engine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_call.hpp"
#include "fake_engine.hpp"

namespace alca::engine_http {
namespace {

using test::FakeCall;
using test::FakeEngine;
using test::http;
using test::ping;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(ApiVersionTest, IsOrderedByNumber) {
    EXPECT_LT(ApiVersion::parse("1.9"), ApiVersion::parse("1.41"));
    EXPECT_LT(ApiVersion::parse("1.99"), ApiVersion::parse("2.0"));
    for (const char* wrong :
         {"", "1", "1.", ".4", "1.4.1", "1.x", "-1.4", "1.-4", "v1.41", " 1.41"}) {
        EXPECT_FALSE(ApiVersion::parse(wrong)) << wrong;
    }
}

// Offered by the engine, used in the next request.
void expect_version(const std::string& offered, const std::string& used) {
    FakeEngine server({{.answer = ping(offered)}, {.answer = http(200, "{}")}});
    Engine engine(server.endpoint());
    FakeCall call;
    const auto reply = engine.get(call, "/info");
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_THAT(server.requests().at(0), StartsWith("GET /_ping "));
    EXPECT_THAT(server.requests().at(1), StartsWith("GET /v" + used + "/info "));
    EXPECT_EQ(server.connections(), 1U);
}

TEST(EngineTest, TheLowerVersionIsUsed) {
    expect_version("1.41", "1.41");
    expect_version("1.44", "1.44");
    expect_version("1.47", "1.47");
    expect_version("1.52", "1.47");
    expect_version("2.0", "1.47");
}

TEST(EngineTest, AnOlderEngineIsUnavailableAndBothVersionsAreNamed) {
    FakeEngine server({{.answer = ping("1.40")}});
    Engine engine(server.endpoint());
    FakeCall call;
    const auto reply = engine.get(call, "/info");
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::unavailable);
    EXPECT_THAT(reply.error().message, HasSubstr("API 1.40 at most, 1.41 is needed"));
}

TEST(EngineTest, AnEngineThatIsTooNewIsUnavailableAndBothVersionsAreNamed) {
    FakeEngine server({{.answer = ping("1.60")},
                       {.answer = http(400, R"({"message":"client version 1.47 is too old"})")},
                       {.answer = http(200, R"({"ApiVersion":"1.60","MinAPIVersion":"1.50"})")}});
    Engine engine(server.endpoint());
    FakeCall call;
    const auto reply = engine.get(call, "/info");
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, Code::unavailable);
    EXPECT_THAT(reply.error().message,
                HasSubstr("wants API 1.50 or newer, this version speaks 1.47"));
}

TEST(EngineTest, ABadRequestOfAFittingEngineStaysOne) {
    FakeEngine server({{.answer = ping("1.41")},
                       {.answer = http(400, R"({"message":"bad parameter"})")},
                       {.answer = http(200, R"({"ApiVersion":"1.41","MinAPIVersion":"1.12"})")}});
    Engine engine(server.endpoint());
    FakeCall call;
    const auto reply = engine.post(call, "/containers/create", Json::object());
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_FALSE(reply->is_ok());
    EXPECT_EQ(reply->error("create").code, Code::invalid);
    EXPECT_EQ(reply->error("create").message, "create: bad parameter (HTTP 400)");
}

TEST(EngineTest, WhatIsNoEngineIsUnavailable) {
    for (const std::string& answer : {http(200, "hello"), ping("new"), http(404, "")}) {
        FakeEngine server({{.answer = answer}});
        Engine engine(server.endpoint());
        FakeCall call;
        const auto reply = engine.get(call, "/info");
        ASSERT_FALSE(reply);
        EXPECT_EQ(reply.error().code, Code::unavailable);
        EXPECT_THAT(reply.error().message, HasSubstr("is no container engine"));
    }
}

TEST(EngineTest, PodmanIsRecognised) {
    FakeEngine server({{.answer = ping("1.41", "Libpod-Api-Version: 4.3.1\r\n")}});
    Engine engine(server.endpoint());
    FakeCall call;
    const auto info = engine.negotiate(call);
    ASSERT_TRUE(info);
    EXPECT_TRUE(info->is_podman);
    EXPECT_EQ(info->version, "20.10.24+dfsg1");
}

TEST(EngineTest, ErrorTextIsOneLineWithoutControlCharacters) {
    FakeEngine server({{.answer = ping("1.41")},
                       {.answer = http(500, "{\"message\":\"a\\n\\u001b[31mb\\r\\n\"}")},
                       {.answer = http(502, "<html>\nproxy")},
                       {.answer = http(500, "")}});
    Engine engine(server.endpoint());
    FakeCall call;
    EXPECT_EQ(engine.get(call, "/info")->message, "a  [31mb");
    EXPECT_EQ(engine.get(call, "/info")->message, "<html> proxy");
    EXPECT_EQ(engine.get(call, "/info")->message, "no reason given");
}

TEST(EngineTest, StatusDecidesTheCode) {
    const auto code = [](unsigned status) {
        Reply reply;
        reply.status = status;
        return reply.error("x").code;
    };
    EXPECT_EQ(code(404), Code::not_found);
    EXPECT_EQ(code(409), Code::failed);
    EXPECT_EQ(code(500), Code::failed);
    EXPECT_EQ(code(501), Code::unsupported);
    EXPECT_EQ(code(503), Code::unavailable);
}

}  // namespace
}  // namespace alca::engine_http
