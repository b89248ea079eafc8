// core/plugins/search_path.hpp - the directories that plugins come from.
#ifndef ALCA_CORE_PLUGINS_SEARCH_PATH_HPP
#define ALCA_CORE_PLUGINS_SEARCH_PATH_HPP

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace alca::plugins {

namespace fs = std::filesystem;

// What decides the search path; nothing else does. Never the current directory and never anything
// that a project says: the agent can write there.
struct SearchInput {
    std::string plugin_path;    // ALCA_PLUGIN_PATH: absolute directories, separated by ':'
    std::string xdg_data_home;  // XDG_DATA_HOME
    std::string home;           // HOME
    fs::path prefix;            // of the installed program: plugins are in lib/alca/plugins
    uid_t user = 0;             // effective
};

// Reads the environment with secure_getenv, so that a program with raised rights sees none of it.
[[nodiscard]] SearchInput search_input_of_process(const fs::path& prefix);

struct SearchPath {
    std::vector<fs::path> directories;  // absolute, first hit of an id wins; need not exist
    std::vector<std::string> ignored;   // what was left out and why, one line each
};

// ALCA_PLUGIN_PATH, then $XDG_DATA_HOME/alca/plugins (not for root), then the prefix. For root an
// entry of ALCA_PLUGIN_PATH counts too, because for root the trust check accepts only files that
// root alone can write: docs/adr/0002-plugin-path-as-root.md.
[[nodiscard]] SearchPath search_path(const SearchInput& input);

}  // namespace alca::plugins

#endif
