#include "plugins/shared/engine_http/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "fake_call.hpp"
#include "fake_engine.hpp"

namespace alca::engine_http {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using test::FakeCall;
using test::FakeEngine;
using test::http;
using test::Step;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr Timeouts kShort{.connect = 1000ms, .look = 300ms, .answer = 300ms, .silence = 300ms};

const Request kGet{.method = "GET", .target = "/containers/json", .body = ""};
const Request kPost{.method = "POST", .target = "/containers/create", .body = "{}"};

Endpoint endpoint_at(const std::string& path) {
    return {.url = "unix://" + path, .socket_path = path, .origin = "context work"};
}

TEST(ClientTest, ReusesItsConnection) {
    FakeEngine engine({{.answer = http(200, "{}")}, {.answer = http(201, "[]")}});
    Client client(engine.endpoint());
    FakeCall call;
    ASSERT_TRUE(client.request(call, kGet));
    const auto second = client.request(call, kPost);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->status, 201U);
    EXPECT_EQ(second->body, "[]");
    EXPECT_EQ(engine.connections(), 1U);
}

TEST(ClientTest, ConnectsAgainAfterTheEngineClosed) {
    FakeEngine engine(
        {{.answer = http(200, "1"), .after = Step::After::close}, {.answer = http(200, "2")}});
    Client client(engine.endpoint());
    FakeCall call;
    ASSERT_TRUE(client.request(call, kGet));
    const auto second = client.request(call, kGet);
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_EQ(second->body, "2");
}

TEST(ClientTest, DoesNotRepeatAPostThatMayHaveArrived) {
    FakeEngine engine({{.answer = http(200, "")},
                       {.answer = "", .after = Step::After::close},
                       {.answer = http(201, "")}});
    Client client(engine.endpoint());
    FakeCall call;
    ASSERT_TRUE(client.request(call, kGet));
    const auto second = client.request(call, kPost);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Code::unavailable);
    EXPECT_THAT(engine.requests(), SizeIs(2));
}

TEST(ClientTest, MissingSocketIsUnavailableAndNamed) {
    Client client(endpoint_at("/nonexistent/docker.sock"));
    FakeCall call;
    const auto response = client.request(call, kGet);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::unavailable);
    EXPECT_THAT(response.error().message,
                HasSubstr("unix:///nonexistent/docker.sock (from context work): No such file"));
    EXPECT_THAT(response.error().message, HasSubstr("start the engine"));
}

TEST(ClientTest, SocketWithoutListenerIsUnavailable) {
    const std::string path = ::testing::TempDir() + "alca-dead.sock";
    {
        const FakeEngine engine({});
        std::filesystem::create_hard_link(engine.endpoint().socket_path, path);
    }
    Client client(endpoint_at(path));
    FakeCall call;
    const auto response = client.request(call, kGet);
    std::filesystem::remove(path);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::unavailable);
    EXPECT_THAT(response.error().message, HasSubstr("Connection refused"));
}

TEST(ClientTest, PathThatNoSocketCanHaveIsInvalid) {
    Client client(endpoint_at("/" + std::string(200, 'x')));
    FakeCall call;
    const auto response = client.request(call, kGet);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::invalid);
}

TEST(ClientTest, AnEngineThatHangsTimesOut) {
    FakeEngine engine({{.answer = "HTTP/1.1 200 OK\r\n", .after = Step::After::hang}});
    Client client(engine.endpoint(), kShort);
    FakeCall call;
    const auto response = client.request(call, kGet);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::unavailable);
    EXPECT_THAT(response.error().message, HasSubstr("GET /containers/json at unix://"));
    EXPECT_THAT(response.error().message, HasSubstr("no answer within 0.3 s"));
}

TEST(ClientTest, AStreamThatFallsSilentTimesOut) {
    FakeEngine engine(
        {{.answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
          .after = Step::After::hang}});
    Client client(engine.endpoint(), kShort);
    FakeCall call;
    std::string seen;
    const auto response = client.request(call, kPost, [&](std::string_view piece) {
        seen += piece;
        return Result<void>();
    });
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::unavailable);
    EXPECT_EQ(seen, "{}");
}

TEST(ClientTest, CancelEndsAWaitWithin200Milliseconds) {
    FakeEngine engine({{.answer = "", .after = Step::After::hang}});
    Client client(engine.endpoint());
    const FakeCall call;
    const auto start = steady_clock::now();
    const auto canceller = call.cancel_after(50ms);
    const auto response = client.request(call, kGet);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::cancelled);
    EXPECT_LT(steady_clock::now() - start, 250ms);
}

TEST(ClientTest, WhatMustBeFinishedIsWaitedForAfterACancel) {
    FakeEngine engine({{.answer = http(201, "made"), .pause = 200ms}});
    Client client(engine.endpoint());
    const FakeCall call;
    Request request = kPost;
    request.finish = true;
    const auto canceller = call.cancel_after(50ms);
    const auto response = client.request(call, request);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "made");
    EXPECT_TRUE(call.cancelled());
}

TEST(ClientTest, WhatMustBeFinishedIsNotWaitedForWithoutEnd) {
    FakeEngine engine({{.answer = "", .after = Step::After::hang}});
    Client client(engine.endpoint(), Timeouts{.finish = 100ms});
    const FakeCall call;
    Request request = kPost;
    request.finish = true;
    call.cancel();
    const auto start = steady_clock::now();
    const auto response = client.request(call, request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, Code::cancelled);
    EXPECT_LT(steady_clock::now() - start, 1s);
}

TEST(ClientTest, DeathInTheMiddleOfAnAnswerIsUnavailable) {
    const std::string whole = http(200, R"({"Id":"abc"})");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        FakeEngine engine({{.answer = whole.substr(0, size), .after = Step::After::close}});
        Client client(engine.endpoint());
        FakeCall call;
        const auto response = client.request(call, kPost);
        ASSERT_FALSE(response) << size;
        EXPECT_EQ(response.error().code, Code::unavailable) << size;
        EXPECT_THAT(response.error().message, HasSubstr("connection was lost"));
    }
}

TEST(ClientTest, GarbageIsAnErrorNotACrash) {
    for (const char* garbage :
         {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "\x01\x02\x03\x04\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
        FakeEngine engine({{.answer = garbage, .after = Step::After::close}});
        Client client(engine.endpoint());
        FakeCall call;
        const auto response = client.request(call, kGet);
        ASSERT_FALSE(response) << garbage;
        EXPECT_THAT(response.error().message, HasSubstr("not valid HTTP")) << garbage;
    }
}

TEST(ClientTest, AnswersMayArriveByteByByte) {
    const std::string body = R"({"message":"a longer text, in pieces"})";
    FakeEngine engine(
        {{.answer = http(404, body), .piece = 1}, {.answer = test::chunked(body, 3), .piece = 1}});
    Client client(engine.endpoint());
    FakeCall call;
    const auto plain = client.request(call, kGet);
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_EQ(plain->body, body);
    const auto in_chunks = client.request(call, kGet);
    ASSERT_TRUE(in_chunks) << in_chunks.error().message;
    EXPECT_EQ(in_chunks->body, body);
}

TEST(ClientTest, ABodyEndsWithTheConnectionWhenItHasNoLength) {
    FakeEngine engine(
        {{.answer = "HTTP/1.1 200 OK\r\n\r\nall of it", .after = Step::After::close}});
    Client client(engine.endpoint());
    FakeCall call;
    const auto response = client.request(call, kGet);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "all of it");
}

TEST(ClientTest, AnswersLargerThan16MiBAreRefused) {
    const std::string body((16U << 20) + 1, ' ');
    FakeEngine engine({{.answer = test::chunked(body, 1U << 20)}});
    Client client(engine.endpoint());
    FakeCall call;
    const auto response = client.request(call, kGet);
    ASSERT_FALSE(response);
    EXPECT_THAT(response.error().message, HasSubstr("larger than 16 MiB"));
}

TEST(ClientTest, HeadsWithoutEndAreRefused) {
    FakeEngine engine({{.answer = "HTTP/1.1 200 OK\r\nX: " + std::string(1U << 20, 'x')}});
    Client client(engine.endpoint());
    FakeCall call;
    ASSERT_FALSE(client.request(call, kGet));
}

TEST(ClientTest, ASinkGetsOnlyTheBodyOfASuccess) {
    FakeEngine engine({{.answer = http(500, "no")}, {.answer = test::chunked("yes", 1)}});
    Client client(engine.endpoint());
    FakeCall call;
    std::string seen;
    const BodySink sink = [&](std::string_view piece) {
        seen += piece;
        return Result<void>();
    };
    const auto refused = client.request(call, kPost, sink);
    ASSERT_TRUE(refused) << refused.error().message;
    EXPECT_EQ(refused->body, "no");
    EXPECT_EQ(seen, "");
    ASSERT_TRUE(client.request(call, kPost, sink));
    EXPECT_EQ(seen, "yes");
}

TEST(ClientTest, AnErrorOfTheSinkEndsTheRequest) {
    FakeEngine engine({{.answer = test::chunked("abc", 1)}});
    Client client(engine.endpoint());
    FakeCall call;
    const auto response = client.request(
        call, kPost, [](std::string_view) { return Result<void>(fail("disk is full")); });
    ASSERT_FALSE(response);
    EXPECT_THAT(response.error().message, HasSubstr("disk is full"));
}

TEST(ClientTest, APathWithABlankOrLineBreakIsNeverSent) {
    FakeEngine engine({});
    Client client(engine.endpoint());
    FakeCall call;
    for (const char* target : {"/a b", "/a\r\nX: y", "/a\x7f"}) {
        const auto response = client.request(call, {.method = "GET", .target = target, .body = ""});
        ASSERT_FALSE(response);
        EXPECT_EQ(response.error().code, Code::invalid);
    }
    EXPECT_EQ(engine.connections(), 0U);
}

TEST(ClientTest, LogsMethodPathAndStatusButNoSecret) {
    FakeEngine engine({{.answer = http(200, "the answer")}});
    Client client(engine.endpoint());
    FakeCall call;
    ASSERT_TRUE(client.request(call, {.method = "POST",
                                      .target = "/images/create",
                                      .body = "the body",
                                      .headers = {{"X-Registry-Auth", "secret"}}}));
    ASSERT_THAT(call.lines, SizeIs(1));
    EXPECT_THAT(call.lines[0], HasSubstr("POST /images/create -> 200 in "));
    for (const char* hidden : {"secret", "the body", "the answer"}) {
        EXPECT_THAT(call.lines[0], ::testing::Not(HasSubstr(hidden)));
    }
}

TEST(ClientTest, AnUpgradeKeepsWhatCameWithTheHead) {
    FakeEngine engine({{.answer = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\n\r\nfirst",
                        .after = Step::After::hang}});
    Client client(engine.endpoint());
    FakeCall call;
    const auto stream = client.upgrade(call, kPost);
    ASSERT_TRUE(stream) << stream.error().message;
    std::string received = stream->received;
    std::array<char, 16> rest{};
    while (received.size() < 5) {
        const auto count = stream->socket.read_some(rest, Wait(call, 1000ms));
        ASSERT_TRUE(count);
        received.append(rest.data(), *count);
    }
    EXPECT_EQ(received, "first");
    EXPECT_THAT(engine.requests().at(0), HasSubstr("Upgrade: tcp\r\n"));
}

TEST(ClientTest, ARefusedUpgradeHasTheReason) {
    FakeEngine engine({{.answer = http(409, R"({"message":"not running"})")}});
    Client client(engine.endpoint());
    FakeCall call;
    const auto stream = client.upgrade(call, kPost);
    ASSERT_TRUE(stream) << stream.error().message;
    EXPECT_EQ(stream->response.status, 409U);
    EXPECT_THAT(stream->response.body, HasSubstr("not running"));
}

TEST(UrlEscapeTest, LeavesOnlyUnreservedCharacters) {
    EXPECT_EQ(url_escape("alca-1_2.3~"), "alca-1_2.3~");
    EXPECT_EQ(url_escape("a/b?c=d&e f\n\xc3\xa9"), "a%2Fb%3Fc%3Dd%26e%20f%0A%C3%A9");
}

}  // namespace
}  // namespace alca::engine_http
