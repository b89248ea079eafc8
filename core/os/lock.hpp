// core/os/lock.hpp - an advisory lock on a file, with waiting that can be cancelled.
#ifndef ALCA_CORE_OS_LOCK_HPP
#define ALCA_CORE_OS_LOCK_HPP

#include <filesystem>
#include <functional>
#include <utility>

#include "alca/result.hpp"
#include "core/os/fd.hpp"

namespace alca::os {

// What to do when another process holds the lock.
struct LockWait {
    bool wait = true;               // false: fail at once
    int cancel_fd = -1;             // readable = give up; -1: none. Borrowed, never read
    std::function<void()> on_wait;  // called once, before waiting; may be empty
};

// An flock(2) on its own file; held until the object ends or the process dies, however it dies.
class FileLock {
  public:
    // Opens `file` (made 0600 if absent, never through a symlink) and locks it. The file is never
    // removed: two processes could then hold locks on two files of one name. Errors: unavailable
    // (held, wait is false), cancelled, denied, invalid (a symlink), failed.
    [[nodiscard]] static Result<FileLock> acquire(const std::filesystem::path& file,
                                                  const LockWait& wait);

  private:
    explicit FileLock(Fd fd) : fd_(std::move(fd)) {}
    Fd fd_;
};

}  // namespace alca::os

#endif
