// core/os/capabilities.hpp - the kernel's capabilities by name.
#ifndef ALCA_CORE_OS_CAPABILITIES_HPP
#define ALCA_CORE_OS_CAPABILITIES_HPP

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace alca::os {

// Names without the prefix CAP_; the index is the number of the bit (linux/capability.h).
[[nodiscard]] std::span<const std::string_view> capability_names();

// The set as /proc/<pid>/status shows it. "ALL" is every capability this table knows; a name that
// it does not know is no bit.
[[nodiscard]] std::uint64_t capability_mask(const std::vector<std::string>& names);

}  // namespace alca::os

#endif
