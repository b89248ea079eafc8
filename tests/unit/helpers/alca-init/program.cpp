#include "program.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

namespace alca::init::testing {
namespace {

using Clock = std::chrono::steady_clock;

std::pair<Fd, Fd> make_pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    return {Fd(ends[0]), Fd(ends[1])};
}

// Takes what is there. Closes `fd` at its end.
void take(Fd& fd, std::string& text) {
    std::array<char, 65536> chunk;
    const ssize_t count = ::read(fd.get(), chunk.data(), chunk.size());
    if (count > 0) text.append(chunk.data(), static_cast<std::size_t>(count));
    if (count == 0) fd.close();
}

}  // namespace

Program::Program(const std::vector<std::string>& command) {
    // A stub that has ended must be an error of write(2), not the end of the test.
    std::signal(SIGPIPE, SIG_IGN);
    auto [in_read, in_write] = make_pipe();
    auto [out_read, out_write] = make_pipe();
    auto [err_read, err_write] = make_pipe();
    std::vector<std::string> copy = command;
    std::vector<char*> arguments;
    arguments.reserve(copy.size() + 1);
    for (std::string& argument : copy) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
        ::dup2(in_read.get(), STDIN_FILENO);
        ::dup2(out_write.get(), STDOUT_FILENO);
        ::dup2(err_write.get(), STDERR_FILENO);
        ::execvp(arguments[0], arguments.data());
        ::_exit(111);
    }
    in_ = std::move(in_write);
    out_ = std::move(out_read);
    err_ = std::move(err_read);
    ::fcntl(out_.get(), F_SETFL, O_NONBLOCK);
    ::fcntl(err_.get(), F_SETFL, O_NONBLOCK);
}

Program::Program(Program&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)),
      output_(std::move(other.output_)) {}

Program::~Program() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void Program::send(std::string_view bytes) const {
    while (!bytes.empty()) {
        const ssize_t written = ::write(in_.get(), bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return;  // the program has ended; its exit code tells the test
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
}

void Program::pump(milliseconds time) {
    std::array<pollfd, 2> fds{pollfd{.fd = out_.get(), .events = POLLIN, .revents = 0},
                              pollfd{.fd = err_.get(), .events = POLLIN, .revents = 0}};
    ::poll(fds.data(), fds.size(), static_cast<int>(time.count()));
    if (fds[0].revents != 0) take(out_, output_.out);
    if (fds[1].revents != 0) take(err_, output_.err);
}

void Program::expect_output(std::string_view text) {
    const Clock::time_point end = Clock::now() + kPatience;
    while (output_.out.find(text) == std::string::npos) {
        ASSERT_LT(Clock::now(), end) << "no '" << text << "' in: " << output_.out << output_.err;
        pump(milliseconds(50));
    }
}

void Program::expect_lines(std::size_t count) {
    const Clock::time_point end = Clock::now() + kPatience;
    while (static_cast<std::size_t>(std::count(output_.out.begin(), output_.out.end(), '\n')) <
           count) {
        ASSERT_LT(Clock::now(), end) << output_.out << output_.err;
        pump(milliseconds(50));
    }
}

bool Program::has_ended() {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    output_.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    pid_ = -1;
    return true;
}

Output Program::finish() {
    const Clock::time_point end = Clock::now() + kPatience;
    while (!has_ended()) {
        if (Clock::now() > end) {
            ADD_FAILURE() << "still running; it wrote: " << output_.out << output_.err;
            return output_;
        }
        pump(milliseconds(5));
    }
    // What is left in the pipes was written before the end.
    std::size_t before = 0;
    do {
        before = output_.out.size() + output_.err.size();
        pump(milliseconds(0));
    } while (output_.out.size() + output_.err.size() != before);
    return output_;
}

Program start_stub() { return Program({ALCA_INIT_PROGRAM, "stub"}); }

Output run_stub(std::string_view frames) {
    Program stub = start_stub();
    stub.send(frames);
    return stub.finish();
}

bool holds_soon(const std::function<bool()>& condition) {
    const Clock::time_point end = Clock::now() + kPatience;
    while (!condition()) {
        if (Clock::now() > end) return false;
        std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
}

bool is_running(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string stat{std::istreambuf_iterator<char>(file), {}};
    const std::size_t bracket = stat.rfind(") ");
    return bracket != std::string::npos && stat[bracket + 2] != 'Z';
}

std::vector<pid_t> parse_pids(const std::string& output) {
    std::istringstream stream(output);
    std::vector<pid_t> pids;
    for (pid_t pid = 0; stream >> pid;) pids.push_back(pid);
    return pids;
}

}  // namespace alca::init::testing
