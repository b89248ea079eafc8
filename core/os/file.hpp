// core/os/file.hpp - whole files: bounded reads and atomic replacement.
#ifndef ALCA_CORE_OS_FILE_HPP
#define ALCA_CORE_OS_FILE_HPP

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "alca/result.hpp"
#include "core/os/fd.hpp"

namespace alca::os {

namespace fs = std::filesystem;

// "text: No such file or directory" for an errno value.
[[nodiscard]] std::string errno_text(int error_number);

enum class Follow { yes, no };  // no: the last component may not be a symlink (O_NOFOLLOW)

// Reads a regular file of at most `max_bytes`. Errors: not_found; denied; invalid (too large, not a
// regular file, a symlink with Follow::no); failed. The message begins with the path.
[[nodiscard]] Result<std::string> read_file(const fs::path& file, std::size_t max_bytes,
                                            Follow follow = Follow::yes);

// Replaces `file` in one step: temporary file beside it, written, synced, renamed, directory
// synced. A symlink at `file` is replaced, not followed. On an error the old content stays and no
// temporary file is left, with one exception: when only the directory could not be synced, the new
// content stands, but a power cut may bring the old one back.
[[nodiscard]] Result<void> write_file_atomic(const fs::path& file, std::string_view content,
                                             mode_t mode);

// Removes the temporary files that killed calls of write_file_atomic have left beside `file` and
// that are older than `age`, which must be longer than a write takes. What cannot be removed stays:
// it costs nothing but space.
void remove_stale_temporaries(const fs::path& file, std::chrono::seconds age);

// Makes `directory` and what is missing above it, with `mode`. One that exists must be a directory.
[[nodiscard]] Result<void> make_directories(const fs::path& directory, mode_t mode);

// Writes all of `data`; handles EINTR and short counts.
[[nodiscard]] Result<void> write_all(int fd, std::string_view data);

}  // namespace alca::os

#endif
