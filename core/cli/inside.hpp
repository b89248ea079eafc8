// core/cli/inside.hpp - for commands that are made of a command inside the project's sandbox.
#ifndef ALCA_CORE_CLI_INSIDE_HPP
#define ALCA_CORE_CLI_INSIDE_HPP

#include <cstddef>
#include <string>

#include "core/cli/session.hpp"
#include "core/flow/run.hpp"

namespace alca::cli {

// open_files, and there must be a sandbox.
[[nodiscard]] Result<std::unique_ptr<ProjectSession>> open_for_run(Session& session);

// Runs it by the socket, else through the engine, whose plugin is loaded only then. Returns the
// command's exit code.
[[nodiscard]] Result<int> run_inside(Session& session, ProjectSession& project,
                                     flow::RunRequest request, const flow::CommandIo& io);

struct Captured {
    int exit_code = 0;
    std::string out;
};
// The same without input, for what it prints: at most `limit` bytes, more is an error. What it
// writes to stderr is shown here, made harmless: it comes out of the sandbox.
[[nodiscard]] Result<Captured> capture_inside(Session& session, ProjectSession& project,
                                              flow::RunRequest request, std::size_t limit);

}  // namespace alca::cli

#endif
