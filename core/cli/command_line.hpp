// core/cli/command_line.hpp - what CLI11 does not do by itself.
#ifndef ALCA_CORE_CLI_COMMAND_LINE_HPP
#define ALCA_CORE_CLI_COMMAND_LINE_HPP

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace alca::cli {

// Adds -v to `app` and every command below it, for `alca -v up` and `alca up -v` alike. Not CLI11's
// fallthrough: it would take options of the command behind `alca run` for ours.
void add_verbose(CLI::App& app, int& verbosity);

// The arguments without the "--" between `run` and its command, which CLI11 does not pass to a
// command that takes the rest as it is.
[[nodiscard]] std::vector<std::string> without_separator(std::vector<std::string> arguments);

// Errors as "alca: ...", with the command that was probably meant.
void use_our_messages(CLI::App& app);

}  // namespace alca::cli

#endif
