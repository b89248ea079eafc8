// What moves in pieces: JSON lines, multiplexed frames, the bytes of a command.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

#include "fake_call.hpp"
#include "fake_engine.hpp"
#include "plugins/shared/engine_http/demux.hpp"
#include "plugins/shared/engine_http/exec.hpp"
#include "plugins/shared/engine_http/json_lines.hpp"
#include "plugins/shared/engine_http/pull.hpp"
#include "plugins/shared/engine_http/pump.hpp"

namespace alca::engine_http {
namespace {

using namespace std::chrono_literals;
using test::FakeCall;
using test::FakeEngine;
using test::http;
using test::ping;
using test::Step;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string frame(char channel, std::string_view bytes) {
    std::string out{channel, 0, 0, 0, 0, 0, 0, 0};
    out[6] = static_cast<char>(bytes.size() >> 8);
    out[7] = static_cast<char>(bytes.size() & 0xFF);
    return out.append(bytes);
}

TEST(JsonLinesTest, LinesMayBreakAnywhere) {
    const std::string text = "{\"a\":1}\r\n\n{\"a\":2}\n{\"a\":3}";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        std::vector<int> seen;
        JsonLines lines([&seen](const Json& object) {
            seen.push_back(object["a"].get<int>());
            return Result<void>();
        });
        ASSERT_TRUE(lines.feed(text.substr(0, cut)));
        ASSERT_TRUE(lines.feed(text.substr(cut)));
        ASSERT_TRUE(lines.finish());
        EXPECT_THAT(seen, ElementsAre(1, 2, 3)) << cut;
    }
}

TEST(JsonLinesTest, WhatIsNoObjectIsAnError) {
    JsonLines lines([](const Json&) { return Result<void>(); });
    EXPECT_FALSE(lines.feed("[1]\n"));
    EXPECT_FALSE(lines.feed("oops\n"));
}

TEST(JsonLinesTest, AnEndlessLineIsAnError) {
    JsonLines lines([](const Json&) { return Result<void>(); });
    EXPECT_FALSE(lines.feed(std::string((1U << 20) + 1, ' ')));
}

TEST(PullProgressTest, SizesThatNothingHasDoNotWrapAround) {
    const FakeCall call;
    PullProgress progress(call, "debian:12");
    for (const char* id : {"a", "b"}) {
        ASSERT_TRUE(progress.take(
            {{"status", "Downloading"},
             {"id", id},
             {"progressDetail", {{"current", 5}, {"total", std::uint64_t{1} << 63}}}}));
    }
    progress.finish();
    EXPECT_EQ(call.steps.back().done, 10U);
    EXPECT_GT(call.steps.back().total, 10U);
}

TEST(DemuxTest, FramesMayBreakAnywhere) {
    const std::string stream =
        frame(1, "out") + frame(2, "error") + frame(1, "") + frame(1, std::string(300, 'x'));
    for (std::size_t first = 0; first <= stream.size(); ++first) {
        Demux demux;
        std::string out;
        std::string err;
        for (std::string_view rest :
             {std::string_view(stream).substr(0, first), std::string_view(stream).substr(first)}) {
            while (true) {
                const auto payload = demux.next(rest);
                ASSERT_TRUE(payload);
                if (payload->bytes.empty()) break;
                (payload->channel == Channel::err ? err : out).append(payload->bytes);
            }
        }
        EXPECT_EQ(out, "out" + std::string(300, 'x')) << first;
        EXPECT_EQ(err, "error") << first;
        EXPECT_TRUE(demux.is_between_frames());
    }
}

TEST(DemuxTest, ATextInPlaceOfAFrameIsAnError) {
    Demux demux;
    std::string_view text = "panic: something";
    EXPECT_FALSE(demux.next(text));
}

// One end for us, one for the code under test.
struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        read = Fd(ends[0]);
        write = Fd(ends[1]);
    }
    Fd read, write;
};

std::string read_all(int fd) {
    std::string text;
    std::array<char, 65536> chunk{};
    ssize_t count = 0;
    while ((count = ::read(fd, chunk.data(), chunk.size())) > 0) {
        text.append(chunk.data(), static_cast<std::size_t>(count));
    }
    return text;
}

// A running exec against a scripted engine.
class ExecTest : public ::testing::Test {
  protected:
    // The script after the creation of the exec.
    Result<int> run(std::vector<Step> script, bool tty = false) {
        script.insert(script.begin(),
                      {{.answer = ping(api_)}, {.answer = http(201, R"({"Id":"e1"})")}});
        server_.emplace(std::move(script));
        engine_.emplace(server_->endpoint());
        Stdio io{in_.read.get(), out_.write.get(), err_.write.get(), tty, resize_.read.get()};
        ExecRequest request;
        request.argv = {"cat"};
        auto result = run_exec(*engine_, call_, "c1", request, io);
        out_.write = Fd();
        err_.write = Fd();
        return result;
    }
    static Step upgraded(std::string bytes, Step::After after = Step::After::close) {
        return {.answer = "HTTP/1.1 101 UPGRADED\r\n\r\n" + bytes, .after = after, .piece = 7};
    }
    static Step exited(int code) {
        return {.answer =
                    http(200, R"({"Running":false,"ExitCode":)" + std::to_string(code) + "}")};
    }

    FakeCall call_;
    std::string api_ = "1.41";
    Pipe in_, out_, err_, resize_;
    std::optional<FakeEngine> server_;
    std::optional<Engine> engine_;
};

TEST_F(ExecTest, OutputAndErrorAreTakenApart) {
    const auto code = run({upgraded(frame(1, "to out") + frame(2, "to err")), exited(3)});
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(*code, 3);
    EXPECT_EQ(read_all(out_.read.get()), "to out");
    EXPECT_EQ(read_all(err_.read.get()), "to err");
}

TEST_F(ExecTest, ATerminalIsPassedOnAsItIs) {
    const auto code = run({upgraded("\x01raw\xff"), exited(0)}, true);
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(read_all(out_.read.get()), "\x01raw\xff");
}

TEST_F(ExecTest, ItWaitsForACommandThatHasClosedItsOutput) {
    const Step running{.answer = http(200, R"({"Running":true,"ExitCode":null})")};
    const auto code = run({upgraded(""), running, running, exited(9)});
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(*code, 9);
}

TEST_F(ExecTest, InputReachesTheCommand) {
    ASSERT_EQ(::write(in_.write.get(), "marker", 6), 6);
    in_.write = Fd();
    Step echo = upgraded("");
    echo.echo_until = "marker";
    // The echo is no frame, so this stream has to be a terminal's.
    const auto code = run({echo, exited(0)}, true);
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_THAT(read_all(out_.read.get()), HasSubstr("marker"));
}

TEST_F(ExecTest, CancelEndsItAtOnce) {
    const auto canceller = call_.cancel_after(50ms);
    const auto code = run({upgraded(frame(1, "x"), Step::After::hang)});
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, Code::cancelled);
}

TEST_F(ExecTest, AConnectionLostInsideAFrameIsNotAnExit) {
    const std::string whole = frame(1, "half");
    const auto code = run({upgraded(whole.substr(0, 10)), exited(0)});
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, Code::unavailable);
}

TEST_F(ExecTest, AnEngineThatIsGoneIsNotAnExit) {
    const auto code = run({upgraded(frame(1, "x"))});
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, Code::unavailable);
}

TEST_F(ExecTest, AReaderThatIsGoneIsReportedAsSigpipeWouldBe) {
    out_.read = Fd();
    const auto code = run({upgraded(frame(1, "nobody reads this"), Step::After::hang)});
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(*code, 141);
}

TEST_F(ExecTest, ARefusedStartHasTheEnginesReason) {
    const auto code = run({{.answer = http(409, R"({"message":"container is paused"})")}});
    ASSERT_FALSE(code);
    EXPECT_THAT(code.error().message, HasSubstr("container is paused"));
}

TEST_F(ExecTest, OlderEnginesAreToldTheSizeAfterTheStart) {
    for (const alca_winsize size : {alca_winsize{1, 1}, alca_winsize{33, 77}}) {
        ASSERT_EQ(::write(resize_.write.get(), &size, sizeof(size)), 4);
    }
    const auto code = run({upgraded(""), {.answer = http(200, "")}, exited(0)}, true);
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_THAT(server_->requests().at(3), HasSubstr("POST /v1.41/exec/e1/resize?h=33&w=77 "));
}

TEST_F(ExecTest, NewerEnginesAreToldTheSizeWithTheStart) {
    api_ = "1.47";
    const alca_winsize size{33, 77};
    ASSERT_EQ(::write(resize_.write.get(), &size, sizeof(size)), 4);
    const auto code = run({upgraded(""), exited(0)}, true);
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_THAT(server_->requests().at(2), HasSubstr(R"("ConsoleSize":[33,77])"));
}

TEST_F(ExecTest, NoKeysDetachFromTheCommand) {
    ASSERT_TRUE(run({upgraded(""), exited(0)}));
    EXPECT_THAT(server_->requests().at(1), HasSubstr(R"("DetachKeys":"ctrl-^,ctrl-^)"));
}

// Sends back what it gets, as `cat` does, and ends when its input ends.
void echo(int fd) {
    std::array<char, 65536> chunk{};
    ssize_t count = 0;
    while ((count = ::read(fd, chunk.data(), chunk.size())) > 0) {
        std::string_view rest(chunk.data(), static_cast<std::size_t>(count));
        while (!rest.empty()) {
            count = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
            if (count <= 0) return;
            rest.remove_prefix(static_cast<std::size_t>(count));
        }
    }
}

void write_all(int fd, std::string_view rest) {
    while (!rest.empty()) {
        const ssize_t count = ::write(fd, rest.data(), rest.size());
        if (count <= 0) return;
        rest.remove_prefix(static_cast<std::size_t>(count));
    }
}

// Far more than all buffers on the way hold: stopping to read while writing would never end.
TEST_F(ExecTest, BytesFlowBothWaysAtTheSameTime) {
    std::string data;
    for (int i = 0; data.size() < (8U << 20); ++i) data += std::to_string(i);
    const std::string path = ::testing::TempDir() + "alca-echo.sock";
    std::filesystem::remove(path);
    const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), std::begin(address.sun_path));
    const void* raw = &address;
    ASSERT_EQ(::bind(listener.get(), static_cast<const sockaddr*>(raw), sizeof(address)), 0);
    ASSERT_EQ(::listen(listener.get(), 1), 0);

    auto socket = Socket::connect(path, Wait(call_, 1000ms));
    ASSERT_TRUE(socket);
    std::jthread echoer([&listener] {
        const Fd peer(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        echo(peer.get());
    });
    std::jthread writer([&] {
        write_all(in_.write.get(), data);
        in_.write = Fd();
    });
    std::string echoed;
    std::jthread reader([&] { echoed = read_all(out_.read.get()); });

    const auto end = pump(call_, Stream{*std::move(socket), "", {}},
                          {in_.read.get(), out_.write.get(), -1, true, -1}, [](alca_winsize) {});
    out_.write = Fd();
    reader.join();
    ASSERT_TRUE(end) << end.error().message;
    EXPECT_EQ(*end, PumpEnd::stream_ended);
    EXPECT_TRUE(echoed == data) << echoed.size();
}

}  // namespace
}  // namespace alca::engine_http
