// core/flow/run.hpp - what `alca run` means.
#ifndef ALCA_CORE_FLOW_RUN_HPP
#define ALCA_CORE_FLOW_RUN_HPP

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/config/config.hpp"
#include "core/flow/context.hpp"
#include "core/flow/exec_inside.hpp"

namespace alca::flow {

struct RunRequest {
    std::vector<std::string> argv;   // exact bytes; empty: a shell
    fs::path caller_directory = {};  // a subdirectory of the project maps to the same one inside
    std::map<std::string, std::string> env = {};  // over that of the configuration
    std::string user = {};                        // "" = as the configuration says
    std::string workdir = {};                     // inside; "" = what matches caller_directory
    bool tty = false;
    os::WindowSize size = {};
    // argv is for alca-init itself: neither aliases nor commands.enter are for it.
    bool is_literal = false;
    // Start it as a job of this name, "" for one that is made from argv. It prints the name.
    std::optional<std::string> job = {};
    bool has_tried_socket = false;  // set by run_without_engine: run() does not try it again
    // Called when everything was looked at, right before the command starts; may be empty.
    std::function<Result<void>()> on_start = {};
};

// Runs a command in the project's running sandbox and returns its exit code. Refuses when the
// sandbox is not the one that `up` made and proved, or its network rules are not in force and
// cannot be restored.
[[nodiscard]] Result<int> run(const Context& context, const config::Config& config,
                              const project::State& state, const RunRequest& request,
                              const CommandIo& io);

// The same, where neither the engine nor a plugin has to be asked: the process that `up` verified
// still runs, on the same network, and takes commands itself, and its rules are known to be in
// force. nullopt, and nothing was started: use run().
[[nodiscard]] Result<std::optional<int>> run_without_engine(const Host& host, const Call& call,
                                                            const config::Config& config,
                                                            const project::State& state,
                                                            RunRequest& request,
                                                            const CommandIo& io);

// The directory inside that matches `caller_directory`; workdir when it is outside the project.
[[nodiscard]] std::string directory_inside(const config::Config& config,
                                           const fs::path& caller_directory);

// What is executed for `argv`: the alias for its first word, then commands.enter in front.
[[nodiscard]] std::vector<std::string> effective_argv(const config::Config& config,
                                                      std::vector<std::string> argv);

}  // namespace alca::flow

#endif
