// alca/spawn.hpp - starting a program from a plugin.
//
// The host blocks SIGINT and SIGTERM, and the host's descriptors are not the child's business:
// system(), popen() or a bare fork would hand both down. Nothing here uses a shell.
#ifndef ALCA_SPAWN_HPP
#define ALCA_SPAWN_HPP

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "alca/result.hpp"

namespace alca {

struct Command {
    std::vector<std::string> argv{};  // never empty; argv[0] without '/' is searched in PATH
    std::optional<std::map<std::string, std::string>> env{};  // all of it; none: the caller's own
    std::string cwd{};                                        // "": the caller's own
    int in = -1, out = -1, err = -1;  // borrowed until spawn returns; -1: /dev/null
};

// A running child, the leader of its own process group. Its end of life is the child's too: what
// has not been waited for is killed with its group.
class Child {
  public:
    Child(Child&& other) noexcept
        : pid_(std::exchange(other.pid_, -1)), pid_fd_(std::exchange(other.pid_fd_, -1)) {}
    Child& operator=(Child&& other) noexcept {
        std::swap(pid_, other.pid_);
        std::swap(pid_fd_, other.pid_fd_);
        return *this;
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ > 0) {
            signal_group(SIGKILL);
            static_cast<void>(reap());
        }
        if (pid_fd_ >= 0) ::close(pid_fd_);
    }

    [[nodiscard]] pid_t pid() const { return pid_; }

    // Waits for the end. Returns the exit code, or 128 + the number of the signal that ended it.
    // When cancel_fd (-1: none) becomes readable the group gets SIGTERM, after `grace` SIGKILL.
    // Call it once. Errors: cancelled (the child has ended), failed.
    [[nodiscard]] Result<int> wait(int cancel_fd, std::chrono::milliseconds grace) {
        const auto first = wait_for_end(cancel_fd, std::nullopt);
        if (!first) return fail(first.error());
        if (*first) return reap();
        signal_group(SIGTERM);
        const auto second = wait_for_end(-1, std::chrono::steady_clock::now() + grace);
        if (!second) return fail(second.error());
        signal_group(SIGKILL);  // also what the leader left behind
        if (const auto code = reap(); !code) return code;
        return fail(Code::cancelled, "cancelled");
    }

  private:
    friend Result<Child> spawn(const Command& command);
    using Deadline = std::optional<std::chrono::steady_clock::time_point>;

    explicit Child(pid_t pid)
        : pid_(pid), pid_fd_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}

    // Until it is reaped the group's number is not reused, also when the leader has ended.
    void signal_group(int number) const { ::kill(-pid_, number); }

    // true: the child has ended; false: cancelled, or the time is up.
    [[nodiscard]] Result<bool> wait_for_end(int cancel_fd, Deadline deadline) const {
        while (true) {
            int timeout_ms = -1;
            if (deadline) {
                const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                    *deadline - std::chrono::steady_clock::now());
                timeout_ms = left.count() > 0 ? static_cast<int>(left.count()) : 0;
            }
            pollfd entries[2] = {{pid_fd_, POLLIN, 0}, {cancel_fd, POLLIN, 0}};
            const int ready = ::poll(entries, 2, timeout_ms);
            if (ready < 0 && errno == EINTR) continue;
            if (ready < 0) {
                return fail("wait for a child: " + std::generic_category().message(errno));
            }
            if (entries[0].revents != 0) return true;
            return false;
        }
    }

    [[nodiscard]] Result<int> reap() {
        int status = 0;
        pid_t waited = -1;
        do {
            waited = ::waitpid(pid_, &status, 0);
        } while (waited < 0 && errno == EINTR);
        if (waited < 0) return fail("wait for a child: " + std::generic_category().message(errno));
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    pid_t pid_;
    int pid_fd_;
};

namespace detail {

// What posix_spawn needs, freed at the end.
class SpawnPlan {
  public:
    SpawnPlan() {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawnattr_init(&attributes_);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    ~SpawnPlan() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
        for (const int fd : copies_) ::close(fd);
    }

    // Each step returns an errno value, 0 for success.
    [[nodiscard]] int set_stream(int fd, int target) {
        if (fd < 0) {
            return ::posix_spawn_file_actions_addopen(&actions_, target, "/dev/null",
                                                      target == 0 ? O_RDONLY : O_WRONLY, 0);
        }
        // A copy above 2 first: in, out and err may be any permutation of 0 to 2.
        const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (copy < 0) return errno;
        copies_.push_back(copy);
        return ::posix_spawn_file_actions_adddup2(&actions_, copy, target);
    }
    [[nodiscard]] int finish(const std::string& cwd) {
        int error = ::posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
        if (error == 0 && !cwd.empty()) {
            error = ::posix_spawn_file_actions_addchdir_np(&actions_, cwd.c_str());
        }
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        ::posix_spawnattr_setpgroup(&attributes_, 0);
        ::posix_spawnattr_setflags(
            &attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
        return error;
    }
    [[nodiscard]] int run(pid_t& pid, char* const* argv, char* const* env) {
        return ::posix_spawnp(&pid, argv[0], &actions_, &attributes_, argv, env);
    }

  private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
    std::vector<int> copies_;
};

[[nodiscard]] inline std::vector<char*> pointers_to(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    pointers.reserve(texts.size() + 1);
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace detail

// Starts a program: default signal dispositions, nothing blocked, its own process group, only the
// three streams open. Errors: invalid (no argv), not_found, denied (not executable), failed.
[[nodiscard]] inline Result<Child> spawn(const Command& command) {
    if (command.argv.empty()) return fail(Code::invalid, "no program to start");
    detail::SpawnPlan plan;
    int error = plan.set_stream(command.in, 0);
    if (error == 0) error = plan.set_stream(command.out, 1);
    if (error == 0) error = plan.set_stream(command.err, 2);
    if (error == 0) error = plan.finish(command.cwd);

    std::vector<std::string> argv = command.argv;
    std::vector<std::string> env;
    if (command.env) {
        for (const auto& [name, value] : *command.env) {
            env.emplace_back(name).append("=").append(value);
        }
    }
    const std::vector<char*> argv_pointers = detail::pointers_to(argv);
    const std::vector<char*> env_pointers = detail::pointers_to(env);
    pid_t pid = -1;
    if (error == 0) {
        error = plan.run(pid, argv_pointers.data(), command.env ? env_pointers.data() : environ);
    }
    if (error != 0) {
        const Code code = error == ENOENT   ? Code::not_found
                          : error == EACCES ? Code::denied
                                            : Code::failed;
        return fail(code, command.argv[0] + ": " + std::generic_category().message(error));
    }
    Child child(pid);
    if (child.pid_fd_ < 0) return fail("pidfd_open: needs Linux 5.3 or later");
    return child;
}

}  // namespace alca

#endif
