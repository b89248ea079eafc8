#include "helpers/shared/tree/beneath.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace alca::tree {
namespace {

constexpr int kMaxTries = 200;
constexpr useconds_t kPauseUs = 5'000;

}  // namespace

Fd open_in(int directory, const char* path, int flags, Reach reach) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    if (reach == Reach::beneath) how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    if (reach == Reach::no_links) how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    for (int tries = 0;; ++tries) {
        // The C library has no function for openat2. EAGAIN: somebody renamed in the tree just
        // then, so that the kernel cannot vouch for "..".
        const long fd = reach == Reach::anywhere
                            ? ::openat(directory, path, flags | O_CLOEXEC)
                            : ::syscall(SYS_openat2, directory, path, &how, sizeof how);
        if (fd >= 0) return Fd(static_cast<int>(fd));
        if (errno != EINTR && errno != EAGAIN) return {};
        // Somebody may go on renaming for ever, or hold a lease on the file.
        if (tries == kMaxTries) return {};
        if (errno == EAGAIN && tries > 0) ::usleep(kPauseUs);
    }
}

}  // namespace alca::tree
