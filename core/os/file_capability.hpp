// core/os/file_capability.hpp - capabilities that a program's file gives to whoever runs it.
#ifndef ALCA_CORE_OS_FILE_CAPABILITY_HPP
#define ALCA_CORE_OS_FILE_CAPABILITY_HPP

#include <cstdint>
#include <filesystem>

#include "alca/result.hpp"

namespace alca::os {

// Bits as in capability_mask (capabilities.hpp); permitted and effective, nothing inheritable. In
// place of what the file had. Errors: denied (no CAP_SETFCAP), unsupported (the file system keeps
// none), failed.
[[nodiscard]] Result<void> set_file_capabilities(const std::filesystem::path& file,
                                                 std::uint64_t mask);
// 0: it has none. Errors: failed.
[[nodiscard]] Result<std::uint64_t> file_capabilities(const std::filesystem::path& file);

}  // namespace alca::os

#endif
