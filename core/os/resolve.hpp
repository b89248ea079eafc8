// core/os/resolve.hpp - the addresses of a host name, as this machine looks names up.
#ifndef ALCA_CORE_OS_RESOLVE_HPP
#define ALCA_CORE_OS_RESOLVE_HPP

#include <string>
#include <vector>

#include "alca/result.hpp"

namespace alca::os {

// Numeric IPv4 and IPv6 addresses, sorted, without doubles; never empty.
// Errors: not_found (no such name, or no answer), cancelled (cancel_fd became readable).
[[nodiscard]] Result<std::vector<std::string>> resolve(const std::string& name, int cancel_fd);

}  // namespace alca::os

#endif
