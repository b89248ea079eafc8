#include "core/project/lock.hpp"

namespace alca::project {

Result<ProjectLock> ProjectLock::acquire(const Store& store, const fs::path& path,
                                         const os::LockWait& wait) {
    if (auto prepared = store.prepare(); !prepared) return fail(prepared.error());
    auto lock = os::FileLock::acquire(store.lock_file(path), wait);
    if (!lock && lock.error().code == Code::unavailable) {
        return fail(Code::unavailable,
                    "another alca is at work on this project; try again when it has ended");
    }
    if (!lock) return fail(lock.error());
    return ProjectLock(std::move(*lock));
}

}  // namespace alca::project
