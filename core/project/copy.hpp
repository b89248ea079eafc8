// core/project/copy.hpp - <project>/.alca/state.json, the copy of the state for people and scripts.
//
// The sandbox can write there, so nothing reads it, and writing follows no symlink.
#ifndef ALCA_CORE_PROJECT_COPY_HPP
#define ALCA_CORE_PROJECT_COPY_HPP

#include <filesystem>
#include <string_view>

#include "alca/result.hpp"
#include "core/project/state.hpp"

namespace alca::project {

// Makes sure that .alca is, or can become, a real directory. Makes nothing. To be asked before
// anything else is made. Errors: invalid (.alca is a symlink or a file; the message says what to
// do).
[[nodiscard]] Result<void> check_copy(const fs::path& project);

// Writes project_id, container_name, runtime and created_at. runtime_name: the engine's name for
// people, "Docker" or "Podman". Errors: as check_copy; denied, failed.
[[nodiscard]] Result<void> write_copy(const State& state, std::string_view runtime_name);

}  // namespace alca::project

#endif
