#include "core/config/sections.hpp"

#include <fmt/format.h>
#include <glob.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "core/config/quantity.hpp"
#include "core/config/text.hpp"

namespace alca::config {
namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kDigits = "0123456789";

// alca's own program and its socket are mounted there: nothing may hide them or lie where they are
// looked for.
constexpr std::array<std::string_view, 3> kReserved{"/alca-init", "/alca-jobs", "/alca-run"};
// What an engine puts into every container itself.
constexpr std::array<std::string_view, 6> kSandboxOwn{
    "/proc", "/sys", "/dev", "/etc/hostname", "/etc/hosts", "/etc/resolv.conf"};

bool has_only(std::string_view text, const std::string& allowed) {
    return text.find_first_not_of(allowed) == std::string_view::npos;
}

// Both in normal form.
bool is_at_or_below(std::string_view path, std::string_view directory) {
    return path == directory ||
           (path.starts_with(directory) && path.substr(directory.size()).starts_with('/'));
}

bool is_pattern(std::string_view reference) {
    return reference.find_first_of("*?[") != std::string_view::npos;
}

// Existing files that the pattern means. On any error of the search: yes, the careful answer; and
// for a pattern of directories, which could be made to search the whole machine.
bool matches_a_file(const std::string& pattern, const fs::path& directory) {
    if (is_pattern(fs::path(pattern).parent_path().string())) return true;
    // Only the reference is a pattern; the directory may hold such characters as part of its name.
    std::string escaped;
    for (const char c : directory.string() + "/") {
        if (std::string_view("*?[]\\").find(c) != std::string_view::npos) escaped += '\\';
        escaped += c;
    }
    glob_t found{};
    const std::string full = pattern.starts_with('/') ? pattern : escaped + pattern;
    const int status = ::glob(full.c_str(), GLOB_NOSORT, nullptr, &found);
    ::globfree(&found);
    return status != GLOB_NOMATCH;
}

bool is_image(std::string_view text) {
    const std::string allowed = fmt::format("{}{}._/:@-", kLetters, kDigits);
    return text.size() <= 512 && has_only(text, allowed) && !text.starts_with('-');
}

// A number that the kernel takes as uid or gid; the largest means "no change" there.
bool is_id_number(std::string_view text) {
    if (text.empty() || text.size() > 10 || !has_only(text, std::string(kDigits))) return false;
    return std::stoull(std::string(text)) < 0xFFFFFFFFULL;
}

bool is_user(std::string_view text) {
    if (text.empty() || is_id_number(text)) return true;
    if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
        return is_id_number(text.substr(0, colon)) && is_id_number(text.substr(colon + 1));
    }
    const bool starts = (std::string(kLetters) + "_").find(text[0]) != std::string::npos;
    return starts && text.size() <= 32 && has_only(text, fmt::format("{}{}_.-", kLetters, kDigits));
}

void read_cpus(const toml::node& node, Reading& reading) {
    double cpus = 0;
    if (node.is_integer()) {
        cpus = static_cast<double>(node.as_integer()->get());
    } else if (node.is_floating_point()) {
        cpus = node.as_floating_point()->get();
    } else {
        return reading.problems.add_type(node, "resources.cpus", "a number");
    }
    constexpr double kFewest = 0.01;  // what engines accept
    constexpr double kMost = 100000;
    if (cpus != 0 && !(cpus >= kFewest && cpus <= kMost)) {
        return reading.problems.add(position_of(node),
                                    "resources.cpus: must be at least 0.01, or 0 for no limit");
    }
    reading.config.resources.nano_cpus = std::llround(cpus * 1e9);
}

void read_memory(const toml::node& node, Reading& reading) {
    const auto text = read_string(node, "resources.memory", reading.problems);
    if (!text || text->empty()) return;
    constexpr std::int64_t kLeast = std::int64_t{6} * 1024 * 1024;  // Docker refuses less
    const auto bytes = parse_memory(*text);
    if (!bytes) {
        reading.problems.add(position_of(node), "resources.memory: " + bytes.error().message);
    } else if (*bytes < kLeast) {
        reading.problems.add(position_of(node), "resources.memory: must be at least \"6m\"");
    } else {
        reading.config.resources.memory_bytes = *bytes;
    }
}

}  // namespace

void refuse(const toml::node& node, std::string_view key, std::string_view instead,
            Problems& problems) {
    problems.add(
        position_of(node),
        fmt::format("{} is not supported by this version of alca; remove it, or {}", key, instead));
}

void refuse_if_set(const TableReader& table, std::string_view key, std::string_view instead,
                   Problems& problems) {
    const toml::node* node = table.find(key);
    if (node == nullptr) return;
    if (node->is_array()) {
        if (!read_strings(*node, table.name(key), problems).empty()) {
            refuse(*node, table.name(key), instead, problems);
        }
        return;
    }
    const auto text = read_string(*node, table.name(key), problems);
    if (text && !text->empty()) refuse(*node, table.name(key), instead, problems);
}

Result<std::string> parse_inside_path(std::string_view text) {
    if (!text.starts_with('/')) {
        return fail(Code::invalid, fmt::format("{} must be an absolute path", in_quotes(text)));
    }
    if (printable(text) != text) {
        return fail(Code::invalid, fmt::format("{} has characters that cannot be shown; use others",
                                               in_quotes(text)));
    }
    std::string path = fs::path(text).lexically_normal().string();
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    // POSIX lets two slashes at the start mean something else; Linux does not.
    if (path.starts_with("//")) path.erase(0, 1);
    if (path == "/") return fail(Code::invalid, "\"/\" would hide the image; choose a directory");
    for (const std::string_view reserved : kReserved) {
        if (!is_at_or_below(path, reserved) && !is_at_or_below(reserved, path)) continue;
        return fail(Code::invalid, fmt::format("{}: {} is reserved for alca; choose another path",
                                               in_quotes(text), reserved));
    }
    for (const std::string_view own : kSandboxOwn) {
        if (is_at_or_below(path, own)) {
            return fail(Code::invalid, fmt::format("{}: {} is the sandbox's own; choose another "
                                                   "path",
                                                   in_quotes(text), own));
        }
    }
    return path;
}

void read_references(const TableReader& file, Reading& reading) {
    for (const std::string_view key : {"extends", "includes"}) {
        std::vector<std::string> references;
        if (!file.read(key, references)) continue;
        for (const std::string& reference : references) {
            // The known templates include ./.alca.*.toml: without such files that asks for nothing.
            if (is_pattern(reference) && !matches_a_file(reference, reading.config.project_dir)) {
                continue;
            }
            refuse(*file.find(key), fmt::format("{} ({})", key, in_quotes(reference)),
                   "copy the settings of that file into this one", reading.problems);
        }
    }
}

void read_image(const TableReader& file, Reading& reading) {
    Config& config = reading.config;
    if (!file.read("image", config.image) && file.find("image") != nullptr) return;
    if (config.image.empty()) {
        reading.problems.add(
            file.find("image") == nullptr ? Position{} : position_of(*file.find("image")),
            fmt::format("image field is required in configuration {}; write: image = \"debian:12\"",
                        printable(config.file.string())));
    } else if (!is_image(config.image)) {
        reading.problems.add(
            position_of(*file.find("image")),
            fmt::format("image: {} is not an image name", in_quotes(config.image)));
    }
}

void read_workdir(const TableReader& file, Reading& reading) {
    refuse_if_set(file, "workdir_exclude", "keep such files outside of the project",
                  reading.problems);
    std::string written;
    if (!file.read("workdir", written) || written.empty()) return;
    auto path = parse_inside_path(written);
    if (!path) {
        reading.problems.add(position_of(*file.find("workdir")),
                             "workdir: " + path.error().message);
        return;
    }
    reading.config.workdir = std::move(*path);
}

void read_runtime_and_user(const TableReader& file, Reading& reading) {
    std::string runtime;
    if (file.read("runtime", runtime) && !runtime.empty()) {
        if (!has_only(runtime, fmt::format("{}{}-", kLower, kDigits)) || runtime.size() > 64) {
            reading.problems.add(
                position_of(*file.find("runtime")),
                fmt::format("runtime: {} is no runtime id; write \"auto\" or an id that "
                            "`alca plugins list` shows",
                            in_quotes(runtime)));
        }
        reading.config.runtime = runtime;
    }
    std::string user;
    if (!file.read("user", user)) return;
    if (!is_user(user)) {
        reading.problems.add(position_of(*file.find("user")),
                             fmt::format("user: {} is neither \"host\", a user name, a uid nor "
                                         "uid:gid",
                                         in_quotes(user)));
    }
    reading.config.user = user;
}

void read_stop_timeout(const TableReader& file, Reading& reading) {
    constexpr std::int64_t kMostSeconds = 60;  // what alca-init takes
    std::int64_t seconds = 0;
    if (!file.read("stop_timeout", seconds)) return;
    if (seconds < 0 || seconds > kMostSeconds) {
        return reading.problems.add(
            position_of(*file.find("stop_timeout")),
            fmt::format("stop_timeout: must be from 0 to {} seconds", kMostSeconds));
    }
    reading.config.stop_timeout = std::chrono::seconds(seconds);
}

void read_resources(const TableReader& file, Reading& reading) {
    const toml::table* table = file.table("resources");
    if (table == nullptr) return;
    const TableReader resources(*table, "resources", "resources", reading.problems);
    if (const toml::node* node = resources.find("memory"); node != nullptr) {
        read_memory(*node, reading);
    }
    if (const toml::node* node = resources.find("cpus"); node != nullptr) read_cpus(*node, reading);
    std::int64_t& pids = reading.config.resources.pids;
    constexpr std::int64_t kMostPids = 4194304;  // PID_MAX_LIMIT of the kernel
    if (resources.read("pids", pids) && (pids < 1 || pids > kMostPids)) {
        reading.problems.add(position_of(*resources.find("pids")),
                             fmt::format("resources.pids: must be from 1 to {}; there is always a "
                                         "limit",
                                         kMostPids));
    }
}

void read_hooks(const TableReader& file, Reading& reading) {
    const toml::table* table = file.table("hooks");
    if (table == nullptr) return;
    const TableReader hooks(*table, "hooks", "hooks", reading.problems);
    for (const std::string_view key : {"post_up", "pre_down"}) {
        refuse_if_set(hooks, key, "run the command yourself", reading.problems);
    }
}

}  // namespace alca::config
