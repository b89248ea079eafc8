// core/flow/host_path.hpp - a path of the host that a user named, where a sandbox may have put
// links.
#ifndef ALCA_CORE_FLOW_HOST_PATH_HPP
#define ALCA_CORE_FLOW_HOST_PATH_HPP

#include <string>
#include <vector>

#include "core/flow/context.hpp"
#include "core/os/fd.hpp"
#include "helpers/shared/tree/beneath.hpp"

namespace alca::flow {

// For tree::open_in. A path that enters a directory which the sandbox can write may follow links
// there, but not out of it: the sandbox may have made them.
struct HostPath {
    os::Fd anchor;  // none: `path` is absolute
    std::string path;
    tree::Reach reach = tree::Reach::anywhere;
    [[nodiscard]] int directory() const;
};

// typed: relative to `base`, which is absolute and without links. shared: directories that a
// sandbox can write.
[[nodiscard]] Result<HostPath> resolve_host_path(const std::string& typed, const fs::path& base,
                                                 const std::vector<fs::path>& shared);

}  // namespace alca::flow

#endif
