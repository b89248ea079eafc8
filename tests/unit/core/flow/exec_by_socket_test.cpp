// Both ends of the socket: what a server says, the hostile one too, and what the client makes of
// it.
#include "core/flow/exec_by_socket.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <functional>
#include <thread>

#include "core/os/file.hpp"
#include "support.hpp"

namespace alca::flow {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

constexpr std::size_t kHeadBytes = 8;

std::string answer(char type, const std::string& payload) {
    return std::string(1, type) + "\0\0\0"s + static_cast<char>(payload.size()) + "\0\0\0"s +
           payload;
}
std::string exit_answer(char code) { return answer(18, std::string(1, code) + "\0\0\0"s); }

// The server's side of a connection.
struct Server {
    os::Fd connection;
    os::Fd out;
    os::Fd err;
    std::string hello;  // its payload

    void take_hello() {
        std::array<char, 1024> bytes{};
        iovec part{.iov_base = bytes.data(), .iov_len = bytes.size()};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * 2)> control{};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control.data();
        message.msg_controllen = control.size();
        const ssize_t count = ::recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC);
        ASSERT_GT(count, static_cast<ssize_t>(kHeadBytes));
        hello.assign(bytes.data() + kHeadBytes, static_cast<std::size_t>(count) - kHeadBytes);
        std::array<int, 2> fds{-1, -1};
        ASSERT_NE(CMSG_FIRSTHDR(&message), nullptr);
        std::memcpy(fds.data(), CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fds);
        out.reset(fds[0]);
        err.reset(fds[1]);
    }
    void say(const std::string& bytes) const {
        static_cast<void>(::send(connection.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
    }
    void welcome() const { say(answer(17, hello.substr(0, 20))); }
    // Until the client has gone.
    void wait() const {
        std::array<char, 4096> bytes{};
        while (::recv(connection.get(), bytes.data(), bytes.size(), 0) > 0) continue;
    }
    void end_output() {
        out.reset();
        err.reset();
    }
};

class ExecBySocketTest : public FlowTest {
  protected:
    ExecBySocketTest() { ::signal(SIGPIPE, SIG_IGN); }  // as core/cli/main.cpp does

    Result<int> run(const std::function<void(Server&)>& serve, int out = -1,
                    os::TerminalModes* modes = nullptr) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
        ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
        std::thread server([&serve, fd = ends[1]] {
            Server side{.connection = os::Fd(fd), .out = {}, .err = {}, .hello = {}};
            side.take_hello();
            serve(side);
        });
        InsideRequest request{
            .sandbox = {},
            .refused_address = "192.0.2.1",
            .user = "5:6",
            .command = {.argv = {"true"}, .env = {}, .cwd = "/", .tty = false, .size = {}}};
        request.on_start = [this]() -> Result<void> {
            ++started;
            return {};
        };
        auto code = exec_by_socket(call, os::Fd(ends[0]), request,
                                   {.in = -1, .out = out, .err = -1, .modes = modes});
        server.join();
        return code;
    }
    static bool is_unsupported(const Result<int>& result) {
        return !result && result.error().code == Code::unsupported;
    }

    int started = 0;
};

TEST_F(ExecBySocketTest, OutputComesBeforeTheExitCode) {
    const std::string file = (project.base() / "out").string();
    const os::Fd target(::open(file.c_str(), O_WRONLY | O_CREAT, 0600));
    const auto code = run(
        [](Server& server) {
            EXPECT_EQ(server.hello.substr(20), "5:6\0"s + "192.0.2.1\0"s);
            server.welcome();
            ASSERT_TRUE(os::write_all(server.out.get(), "all of it"));
            server.end_output();
            server.say(exit_answer(7));
        },
        target.get());
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(*code, 7);
    EXPECT_EQ(os::read_file(file, 100).value(), "all of it");
    EXPECT_EQ(started, 1);
}

TEST_F(ExecBySocketTest, ModesOfTheTerminalAreKnownWhenTheSandboxIsLost) {
    const os::Fd target(::open("/dev/null", O_WRONLY));
    os::TerminalModes modes;
    const auto code = run(
        [](Server& server) {
            server.welcome();
            ASSERT_TRUE(os::write_all(server.out.get(), "\x1b[?1049h"));
            ASSERT_TRUE(os::write_all(server.err.get(), "\x1b[?25l"));
            server.end_output();
        },
        target.get(), &modes);
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(*code, 137);
    EXPECT_EQ(modes.reset().view(), "\x1b[?1049l\x1b[m");
}

TEST_F(ExecBySocketTest, ADeclinedCommandWasNotStarted) {
    const auto code = run([](Server& server) { server.say(answer(19, "no such\x1b user")); });
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, Code::unsupported);
    EXPECT_EQ(code.error().message, "no such? user");
    EXPECT_EQ(started, 0);
}

TEST_F(ExecBySocketTest, WhoSpeaksOtherwiseIsNotSpokenTo) {
    const std::vector<std::function<void(Server&)>> strangers = {
        [](Server& server) { server.say(answer(17, "\x01\0\0\0"s + std::string(16, 'x'))); },
        [](Server& server) { server.say(exit_answer(0)); },
        [](Server& server) { server.say(std::string(4096, 'x')); },
        [](Server& server) { server.connection.reset(); },
    };
    for (const auto& stranger : strangers) EXPECT_TRUE(is_unsupported(run(stranger)));
    EXPECT_EQ(started, 0);
}

TEST_F(ExecBySocketTest, ASandboxThatEndsMeansKilled) {
    const auto code = run([](Server& server) {
        server.welcome();
        server.end_output();
    });
    ASSERT_TRUE(code);
    EXPECT_EQ(*code, 137);
}

TEST_F(ExecBySocketTest, AnythingButAnExitCodeAfterTheWelcomeIsAnError) {
    for (const std::string& bytes : {exit_answer(0).substr(0, 4) + std::string(600, 'x'),
                                     answer(17, "again"), answer(40, "")}) {
        const auto code = run([&](Server& server) {
            server.welcome();
            server.say(bytes);
            server.end_output();
            server.wait();
        });
        ASSERT_FALSE(code);
        EXPECT_THAT(code.error().message, HasSubstr("protocol"));
    }
}

}  // namespace
}  // namespace alca::flow
