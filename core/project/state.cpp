#include "core/project/state.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <system_error>

#include "core/os/file.hpp"

namespace alca::project {
namespace {

constexpr std::size_t kMaxStateBytes = std::size_t{8} * 1024 * 1024;
constexpr std::chrono::seconds kStaleAge{60};  // no write of a state takes that long

// Approvals are read from here, so no other user may be able to write them.
Result<void> check_owner(const fs::path& directory) {
    struct stat info{};
    if (::stat(directory.c_str(), &info) != 0) {
        return fail(errno == EACCES ? Code::denied : Code::failed,
                    fmt::format("{}: {}", directory.string(), os::errno_text(errno)));
    }
    if (info.st_uid != ::geteuid()) {
        return fail(Code::denied,
                    fmt::format("{} belongs to another user; set XDG_STATE_HOME to a directory of "
                                "your own",
                                directory.string()));
    }
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fail(Code::denied, fmt::format("{} can be written by others; run: chmod 700 {}",
                                              directory.string(), directory.string()));
    }
    return {};
}

// A file name for any path: fixed length, and no part of the path in it.
std::string key_of(const fs::path& project) {
    const boost::uuids::name_generator_sha1 name(boost::uuids::ns::url());
    return boost::uuids::to_string(name(project.string()));
}

Error unusable(const fs::path& file, const Error& error) {
    return {error.code,
            fmt::format("{}: {}; alca does not guess: if the file cannot be repaired, remove the "
                        "project's container and network (named alca-...) with the engine's own "
                        "tools, then this file",
                        file.string(), error.message)};
}

}  // namespace

std::string sandbox_name(std::string_view project_id) {
    return fmt::format("alca-{}", project_id.substr(0, 12));
}

std::string interface_name(std::string_view project_id) {
    std::string digits(project_id);
    std::erase(digits, '-');
    return "alca" + digits.substr(0, 11);
}

std::string rfc3339(std::time_t time) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time));
}

std::string rfc3339_now() { return rfc3339(std::time(nullptr)); }

State make_state(const Directory& directory) {
    State state;
    state.project_id = boost::uuids::to_string(boost::uuids::random_generator()());
    state.directory = directory;
    state.container_name = sandbox_name(state.project_id);
    state.network.name = state.container_name;
    state.network.interface = interface_name(state.project_id);
    return state;
}

Result<fs::path> state_directory(std::string_view xdg_state_home, std::string_view home) {
    if (xdg_state_home.starts_with('/')) return fs::path(xdg_state_home) / "alca";
    if (home.starts_with('/')) return fs::path(home) / ".local/state/alca";
    return fail(Code::invalid,
                "no place for alca's state; set HOME or XDG_STATE_HOME to an absolute path");
}

fs::path Store::state_file(const fs::path& path) const {
    return directory_ / "projects" / (key_of(path) + ".json");
}

fs::path Store::lock_file(const fs::path& path) const {
    return directory_ / "projects" / (key_of(path) + ".lock");
}

Result<void> Store::prepare() const {
    const fs::path projects = directory_ / "projects";
    if (auto made = os::make_directories(projects, 0700); !made) return made;
    if (auto checked = check_owner(directory_); !checked) return checked;
    return check_owner(projects);
}

Result<State> Store::read(const fs::path& file) const {
    auto text = os::read_file(file, kMaxStateBytes, os::Follow::no);
    if (!text) return fail(text.error());
    auto json = parse_object(*text);
    if (!json) return fail(unusable(file, json.error()));
    auto state = state_from_json(*json);
    if (!state) return fail(unusable(file, state.error()));
    if (state_file(state->directory.path) != file) {
        return fail(unusable(file, {Code::invalid, "belongs to another project path"}));
    }
    return state;
}

Result<std::optional<State>> Store::load(const fs::path& path) const {
    const fs::path file = state_file(path);
    std::error_code error;
    const fs::file_status status = fs::symlink_status(file, error);
    // Only "there is none" is none; a file that cannot be looked at is an error below.
    if (status.type() == fs::file_type::not_found) return std::nullopt;
    if (auto checked = prepare(); !checked) return fail(checked.error());
    auto state = read(file);
    if (!state) return fail(state.error());
    return std::move(*state);
}

Result<void> Store::save(const State& state) const {
    if (auto prepared = prepare(); !prepared) return prepared;
    const fs::path file = state_file(state.directory.path);
    const std::string text =
        to_json(state).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    // An `up` that finds all in order changes nothing, and syncing would be its slowest step.
    const auto present = os::read_file(file, kMaxStateBytes, os::Follow::no);
    if (present && *present == text) return {};
    auto written = os::write_file_atomic(file, text, 0600);
    if (!written) return fail(written.error(), "save state");
    os::remove_stale_temporaries(file, kStaleAge);
    return {};
}

Result<Store::Listing> Store::list() const {
    Listing listing;
    const fs::path projects = directory_ / "projects";
    std::error_code error;
    if (fs::symlink_status(projects, error).type() == fs::file_type::not_found) return listing;
    if (auto checked = prepare(); !checked) return fail(checked.error());
    fs::directory_iterator entries(projects, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
        // Beside the states there are locks, and temporary files of a write that was killed.
        if (entries->path().extension() != ".json") continue;
        auto state = read(entries->path());
        if (state) {
            listing.states.push_back(std::move(*state));
        } else {
            listing.problems.push_back(state.error());
        }
    }
    if (error) {
        return fail(Code::failed, fmt::format("{}: {}", projects.string(), error.message()));
    }
    std::sort(listing.states.begin(), listing.states.end(),
              [](const State& a, const State& b) { return a.directory.path < b.directory.path; });
    return listing;
}

}  // namespace alca::project
