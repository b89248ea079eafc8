// core/cli/version.hpp - which alca this is.
#ifndef ALCA_CORE_CLI_VERSION_HPP
#define ALCA_CORE_CLI_VERSION_HPP

#include <string>

namespace alca::cli {

// Three lines: "alca version V", "commit: C", "date: D".
[[nodiscard]] std::string version_text();

}  // namespace alca::cli

#endif
