#include "core/os/lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>

#include <cerrno>

#include "core/os/file.hpp"

namespace alca::os {
namespace {

namespace fs = std::filesystem;

// flock has no form that waits for a lock and for cancel_fd together, so we look again this often.
constexpr int kRetryMs = 50;

Code code_of(int error_number) {
    if (error_number == EACCES || error_number == EPERM || error_number == EROFS) {
        return Code::denied;
    }
    if (error_number == ENOENT || error_number == ENOTDIR) return Code::not_found;
    return error_number == ELOOP ? Code::invalid : Code::failed;
}

tl::unexpected<Error> fail_errno(const fs::path& file, int error_number) {
    return fail(code_of(error_number),
                fmt::format("lock {}: {}", file.string(), errno_text(error_number)));
}

// True: taken. False: another holds it.
Result<bool> try_lock(const Fd& fd, const fs::path& file) {
    while (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return false;
        if (errno != EINTR) return fail_errno(file, errno);
    }
    return true;
}

// Pauses, or says that the wait was cancelled. A signal only ends the pause early.
bool cancelled_while_waiting(int cancel_fd) {
    pollfd entry{cancel_fd, POLLIN, 0};
    return ::poll(&entry, 1, kRetryMs) > 0;
}

}  // namespace

Result<FileLock> FileLock::acquire(const fs::path& file, const LockWait& wait) {
    Fd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd) return fail_errno(file, errno);
    for (bool first = true;; first = false) {
        auto taken = try_lock(fd, file);
        if (!taken) return fail(taken.error());
        if (*taken) return FileLock(std::move(fd));
        if (!wait.wait) {
            return fail(Code::unavailable,
                        fmt::format("{} is locked by another process", file.string()));
        }
        if (first && wait.on_wait) wait.on_wait();
        if (cancelled_while_waiting(wait.cancel_fd)) {
            return fail(Code::cancelled, "cancelled while waiting for another alca");
        }
    }
}

}  // namespace alca::os
