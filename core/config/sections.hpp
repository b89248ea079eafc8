// core/config/sections.hpp - one reader per part of .alca.toml. Internal to core/config.
//
// Each takes what is there from TOML into Config and adds every problem to `problems`; none stops
// at the first. Absent parts stay as Config has them.
#ifndef ALCA_CORE_CONFIG_SECTIONS_HPP
#define ALCA_CORE_CONFIG_SECTIONS_HPP

#include <string_view>

#include "core/config/config.hpp"
#include "core/config/load.hpp"
#include "core/config/reader.hpp"

namespace alca::config {

struct Reading {
    const LoadContext& context;
    Problems& problems;
    Config& config;
};

void read_references(const TableReader& file, Reading& reading);  // extends, includes
void read_image(const TableReader& file, Reading& reading);
void read_workdir(const TableReader& file, Reading& reading);  // and workdir_exclude
void read_runtime_and_user(const TableReader& file, Reading& reading);
void read_stop_timeout(const TableReader& file, Reading& reading);
void read_commands(const TableReader& file, Reading& reading);
void read_mounts(const TableReader& file, Reading& reading);  // after read_workdir
void read_resources(const TableReader& file, Reading& reading);
void read_envs(const TableReader& file, Reading& reading);
void read_network(const TableReader& file, Reading& reading);
void read_proxy(const TableReader& network, Reading& reading);
void read_limits(const TableReader& network, Reading& reading);
void read_caps(const TableReader& file, Reading& reading);
void read_hooks(const TableReader& file, Reading& reading);

// The problem "KEY is not supported by this version of alca; remove it, or INSTEAD".
void refuse(const toml::node& node, std::string_view key, std::string_view instead,
            Problems& problems);

// refuse() if the value asks for something: a string that is not empty, an array with elements.
void refuse_if_set(const TableReader& table, std::string_view key, std::string_view instead,
                   Problems& problems);

// An absolute path inside the sandbox in normal form, without a slash at the end. Errors: invalid
// (not absolute, "/" itself, at, above or below what is alca's own, at or below what the sandbox
// gets from its engine: /proc, /etc/hosts and the like).
[[nodiscard]] Result<std::string> parse_inside_path(std::string_view text);

// `path` (absolute) in normal form, with symlinks resolved as far as it exists.
[[nodiscard]] fs::path resolved(const fs::path& path);

}  // namespace alca::config

#endif
