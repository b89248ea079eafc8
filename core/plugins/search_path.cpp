#include "core/plugins/search_path.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace alca::plugins {
namespace {

constexpr std::string_view kVariable = "ALCA_PLUGIN_PATH";

std::string from_environment(const char* name) {
    const char* value = ::secure_getenv(name);
    return value != nullptr ? value : "";
}

void add(SearchPath& path, const fs::path& directory) {
    fs::path normal = directory.lexically_normal();
    if (!normal.has_filename()) normal = normal.parent_path();
    if (std::find(path.directories.begin(), path.directories.end(), normal) ==
        path.directories.end()) {
        path.directories.push_back(std::move(normal));
    }
}

void add_variable(SearchPath& path, std::string_view value) {
    while (!value.empty()) {
        const std::size_t end = std::min(value.find(':'), value.size());
        const std::string_view entry = value.substr(0, end);
        value.remove_prefix(std::min(end + 1, value.size()));
        if (entry.empty()) continue;
        if (entry.front() == '/') {
            add(path, entry);
        } else {
            path.ignored.push_back(fmt::format("{}: {} is not an absolute path", kVariable, entry));
        }
    }
}

void add_user_directory(SearchPath& path, const SearchInput& input) {
    if (input.xdg_data_home.starts_with('/')) {
        add(path, fs::path(input.xdg_data_home) / "alca/plugins");
    } else if (input.home.starts_with('/')) {
        // Also for a relative XDG_DATA_HOME, which its specification says to ignore.
        add(path, fs::path(input.home) / ".local/share/alca/plugins");
    }
}

}  // namespace

SearchInput search_input_of_process(const fs::path& prefix) {
    return {.plugin_path = from_environment("ALCA_PLUGIN_PATH"),
            .xdg_data_home = from_environment("XDG_DATA_HOME"),
            .home = from_environment("HOME"),
            .prefix = prefix,
            .user = ::geteuid()};
}

SearchPath search_path(const SearchInput& input) {
    SearchPath path;
    add_variable(path, input.plugin_path);
    if (input.user != 0) add_user_directory(path, input);
    add(path, input.prefix / "lib/alca/plugins");
    return path;
}

}  // namespace alca::plugins
