// core/project/lock.hpp - one alca at a time changes a project's sandbox.
#ifndef ALCA_CORE_PROJECT_LOCK_HPP
#define ALCA_CORE_PROJECT_LOCK_HPP

#include <utility>

#include "alca/result.hpp"
#include "core/os/lock.hpp"
#include "core/project/state.hpp"

namespace alca::project {

// Held until the object ends, or the process does. Moves, does not copy.
class ProjectLock {
  public:
    // Takes the lock of the project at `path` (absolute, resolved). See os::LockWait for waiting.
    // Errors: unavailable (held by another and wait.wait is false), cancelled, denied, failed.
    [[nodiscard]] static Result<ProjectLock> acquire(const Store& store, const fs::path& path,
                                                     const os::LockWait& wait);

  private:
    explicit ProjectLock(os::FileLock lock) : lock_(std::move(lock)) {}
    os::FileLock lock_;
};

}  // namespace alca::project

#endif
