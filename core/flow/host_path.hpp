// core/flow/host_path.hpp - a path of the host that a user named, where a sandbox may have put
// links.
#ifndef ALCA_CORE_FLOW_HOST_PATH_HPP
#define ALCA_CORE_FLOW_HOST_PATH_HPP

#include <cstdint>
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

enum class LastLink : std::uint8_t { followed, kept };

// typed: relative to `base`, which is absolute and without links. shared: directories that a
// sandbox can write. last: whether the result will be opened so that a link at its very end is
// followed.
[[nodiscard]] Result<HostPath> resolve_host_path(const std::string& typed, const fs::path& base,
                                                 const std::vector<fs::path>& shared,
                                                 LastLink last);

}  // namespace alca::flow

#endif
