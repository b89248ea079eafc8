// core/cli/leftovers.hpp - what the Go tool of the same name has left on this machine. It is told,
// and never touched: that tool may be in use still.
#ifndef ALCA_CORE_CLI_LEFTOVERS_HPP
#define ALCA_CORE_CLI_LEFTOVERS_HPP

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "alca/runtime.hpp"

namespace alca::cli {

namespace fs = std::filesystem;

struct Leftover {
    std::string name;
    std::vector<std::string> items;  // paths, or names of containers; sorted
    std::string advice;              // what it does, and how to be rid of it
};

// Its rule files, and the line by which they are loaded at boot.
// root: "/" but for tests. A directory that cannot be read is told in place of what is in it.
[[nodiscard]] std::vector<Leftover> leftover_files(const fs::path& root);

// Those of `sandboxes` that it made: they carry our label, but have no network of their own.
[[nodiscard]] std::optional<Leftover> leftover_containers(
    const std::vector<SandboxStatus>& sandboxes);

}  // namespace alca::cli

#endif
