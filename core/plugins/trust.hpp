// core/plugins/trust.hpp - may code in this file run with the user's rights?
#ifndef ALCA_CORE_PLUGINS_TRUST_HPP
#define ALCA_CORE_PLUGINS_TRUST_HPP

#include <sys/types.h>

#include <filesystem>
#include <vector>

#include "alca/result.hpp"

namespace alca::plugins {

namespace fs = std::filesystem;

struct TrustContext {
    uid_t user = 0;                         // effective; its files are trusted beside root's
    fs::path project_root;                  // nothing in it is trusted; "" when there is no project
    std::vector<fs::path> writable_mounts;  // of known sandboxes: the agent can write there
};

// Follows `file` from the root directory as the kernel does and checks every directory and link on
// the way. Each must belong to root or the user, and no group and nobody else may write it (but a
// sticky directory of root's). The file must be regular and outside project and mounts.
// Returns the file's resolved path: when all of it is trusted nobody else can exchange the file
// later, so the path may be loaded. About 60 us.
// Errors: denied (not trusted; says which component, and the command that mends it), not_found,
// invalid (not absolute, not a regular file, a loop of links).
[[nodiscard]] Result<fs::path> check_trust(const fs::path& file, const TrustContext& context);

}  // namespace alca::plugins

#endif
