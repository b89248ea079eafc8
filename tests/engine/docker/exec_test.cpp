// Commands in a sandbox on the real engine.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sha2.h>
#include <unistd.h>

#include <chrono>
#include <random>

#include "alca/plugin.h"
#include "sandbox_fixture.hpp"

namespace alca::test {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class ExecTest : public SandboxTest {
  protected:
    void SetUp() override {
        SandboxTest::SetUp();
        if (!IsSkipped() && !HasFatalFailure()) start();
    }
};

// SHA-256 over a stream of bytes.
class Hash {
  public:
    Hash() { SHA256Init(&context_); }
    void add(std::string_view bytes) {
        const void* raw = bytes.data();
        SHA256Update(&context_, static_cast<const std::uint8_t*>(raw), bytes.size());
    }
    std::string hex() {
        std::array<char, SHA256_DIGEST_STRING_LENGTH> text{};
        SHA256End(&context_, text.data());
        return text.data();
    }

  private:
    SHA2_CTX context_{};
};

bool write_all(int fd, std::string_view rest) {
    while (!rest.empty()) {
        const ssize_t count = ::write(fd, rest.data(), rest.size());
        if (count <= 0) return false;
        rest.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

TEST_F(ExecTest, ExitCodesAreTheCommandsOwn) {
    for (const int code : {0, 1, 7, 125, 255}) {
        EXPECT_EQ(run("exit " + std::to_string(code)).code, code);
    }
    EXPECT_EQ(run("kill -9 $$").code, 137);
}

TEST_F(ExecTest, StreamsAreKeptApartAndBytesAreKept) {
    const Output output = run(R"(printf 'a\0b\377'; printf 'e\001' >&2)");
    EXPECT_EQ(output.out, std::string("a\0b\377", 4));
    EXPECT_EQ(output.err, "e\001");
}

TEST_F(ExecTest, UserDirectoryAndEnvironmentAreTheRequests) {
    ExecRequest wanted = request({"/bin/sh", "-c", "id -u; pwd; printf %s \"$A\""});
    wanted.user = "65534:65534";
    wanted.cwd = "/tmp";
    wanted.env = {{"A", "x y\nz"}};
    EXPECT_EQ(run(wanted).out, "65534\n/tmp\nx y\nz");
}

TEST_F(ExecTest, ArgumentsAreNoShellText) {
    EXPECT_EQ(run(request({"/bin/echo", "-n", "$(id)", "a  b", "'\"\\"})).out, "$(id) a  b '\"\\");
}

TEST_F(ExecTest, TheEndOfInputReachesTheCommand) { EXPECT_EQ(run("cat; echo end").out, "end\n"); }

TEST_F(ExecTest, OneGibibyteFlowsBothWaysUnchanged) {
    constexpr std::uint64_t kTotal = std::uint64_t{1} << 30;
    std::string block(1U << 20, '\0');
    std::mt19937_64 random(42);
    for (char& c : block) c = static_cast<char>(random() & 0xFF);
    Pipe in;
    Pipe out;
    Hash sent;
    Hash received;
    std::uint64_t received_bytes = 0;
    std::jthread writer([&] {
        for (std::uint64_t done = 0; done < kTotal; done += block.size()) {
            block[done >> 20 & 0xFFFFF] ^= 1;  // each block differs
            sent.add(block);
            if (!write_all(in.write.get(), block)) return;
        }
        in.write = Fd();
    });
    std::jthread reader([&] {
        std::vector<char> chunk(1U << 20);
        ssize_t count = 0;
        while ((count = ::read(out.read.get(), chunk.data(), chunk.size())) > 0) {
            received.add({chunk.data(), static_cast<std::size_t>(count)});
            received_bytes += static_cast<std::uint64_t>(count);
        }
    });
    const auto code = runtime_.exec(call_, request({"/bin/cat"}),
                                    {in.read.get(), out.write.get(), -1, false, -1});
    out.write = Fd();
    in.read = Fd();
    writer.join();
    reader.join();
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(*code, 0);
    EXPECT_EQ(received_bytes, kTotal);
    EXPECT_EQ(received.hex(), sent.hex());
}

TEST_F(ExecTest, ATerminalHasTheNewestSize) {
    Pipe in;
    Pipe out;
    Pipe resize;
    std::string text;
    const auto send_size = [&resize](std::uint16_t rows, std::uint16_t cols) {
        const alca_winsize size{rows, cols};
        EXPECT_EQ(::write(resize.write.get(), &size, sizeof(size)), 4);
    };
    // Answers each step when the output shows that the one before is done.
    std::jthread user([&] {
        std::array<char, 4096> chunk{};
        ssize_t count = 0;
        int step = 0;
        while ((count = ::read(out.read.get(), chunk.data(), chunk.size())) > 0) {
            text.append(chunk.data(), static_cast<std::size_t>(count));
            if (step == 0 && text.find("ready") != std::string::npos) {
                ++step;
                send_size(44, 111);
            }
        }
    });
    send_size(33, 77);
    const auto code = runtime_.exec(
        call_,
        request({"/bin/sh", "-c",
                 "tty; until [ \"$(stty size 2>&1)\" = '33 77' ]; do :; done; echo ready; "
                 "until [ \"$(stty size)\" = '44 111' ]; do :; done; stty size; exit 5"}),
        {in.read.get(), out.write.get(), -1, true, resize.read.get()});
    out.write = Fd();
    user.join();
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(*code, 5);
    EXPECT_THAT(text, HasSubstr("/dev/pts/"));
    EXPECT_THAT(text, HasSubstr("44 111\r\n"));
}

TEST_F(ExecTest, KeysThatDetachElsewhereReachTheCommand) {
    Pipe in;
    Pipe out;
    std::string text;
    // Typed when the terminal is raw: before, it would take the keys for its own flow control.
    std::jthread reader([&] {
        char c = 0;
        while (::read(out.read.get(), &c, 1) == 1) {
            text.push_back(c);
            if (text.ends_with("ready")) static_cast<void>(write_all(in.write.get(), "\x10\x11"));
        }
    });
    const auto code = runtime_.exec(
        call_, request({"/bin/sh", "-c", "stty raw -echo; echo ready; head -c 2 | od -An -tx1"}),
        {in.read.get(), out.write.get(), -1, true, -1});
    out.write = Fd();
    reader.join();
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(*code, 0);
    EXPECT_THAT(text, HasSubstr("10 11"));
}

TEST_F(ExecTest, CancelReturnsAtOnceAndEndsTheCommandsInput) {
    Pipe in;
    Pipe out;
    const auto start = std::chrono::steady_clock::now();
    const auto canceller = call_.cancel_after(300ms);
    const auto code =
        runtime_.exec(call_, request({"/bin/sh", "-c", "cat; touch /tmp/input-ended"}),
                      {in.read.get(), out.write.get(), -1, false, -1});
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, Code::cancelled);
    EXPECT_LT(std::chrono::steady_clock::now() - start, 1000ms);
    // This call is cancelled for good: look with the next one.
    DockerRuntime other(Environment::of_process());
    const FakeCall fresh;
    Pipe nothing;
    const auto ended = other.exec(
        fresh,
        request(
            {"/bin/sh", "-c",
             "for i in $(seq 100); do [ -e /tmp/input-ended ] && exit 0; sleep 0.1; done; exit 1"}),
        {-1, -1, -1, false, -1});
    ASSERT_TRUE(ended) << ended.error().message;
    EXPECT_EQ(*ended, 0);
}

TEST_F(ExecTest, AReaderThatLeavesEndsIt) {
    Pipe out;
    std::jthread reader([&] {
        char byte = 0;
        EXPECT_EQ(::read(out.read.get(), &byte, 1), 1);
        out.read = Fd();
    });
    const auto code =
        runtime_.exec(call_, request({"/bin/yes"}), {-1, out.write.get(), -1, false, -1});
    ASSERT_TRUE(code) << code.error().message;
    EXPECT_EQ(*code, 141);
}

TEST_F(ExecTest, AStoppedSandboxRunsNothing) {
    ASSERT_TRUE(runtime_.stop(call_, ref_));
    const auto code = runtime_.exec(call_, request({"/bin/true"}), {-1, -1, -1, false, -1});
    ASSERT_FALSE(code);
    EXPECT_THAT(code.error().message, HasSubstr("is not running"));
}

TEST_F(ExecTest, AnAbsentSandboxIsNotFound) {
    ref_.container_id.clear();
    ref_.name = "docker-test-nothing";
    const auto code = runtime_.exec(call_, request({"/bin/true"}), {-1, -1, -1, false, -1});
    ASSERT_FALSE(code);
    EXPECT_EQ(code.error().code, Code::not_found);
}

}  // namespace
}  // namespace alca::test
