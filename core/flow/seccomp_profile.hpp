// core/flow/seccomp_profile.hpp - the system calls that a sandbox may make.
#ifndef ALCA_CORE_FLOW_SECCOMP_PROFILE_HPP
#define ALCA_CORE_FLOW_SECCOMP_PROFILE_HPP

#include <string>
#include <vector>

namespace alca::flow {

// The profile for a sandbox that holds `capabilities` (names without CAP_), as JSON text in the
// format that Docker and Podman read. It allows a list and refuses the rest with EPERM, so a system
// call that a later kernel adds is closed until somebody has looked at it. Packet, vsock and XDP
// sockets are refused whatever is held.
[[nodiscard]] std::string seccomp_profile(const std::vector<std::string>& capabilities);

}  // namespace alca::flow

#endif
