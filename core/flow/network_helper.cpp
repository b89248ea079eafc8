#include "core/flow/network_helper.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>

#include "core/os/capabilities.hpp"
#include "core/os/file.hpp"
#include "core/os/file_capability.hpp"

namespace alca::flow {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{16} * 1024 * 1024;
constexpr mode_t kMode = 0750;

std::uint64_t wanted_capabilities() { return os::capability_mask({"NET_ADMIN"}); }

// A name, or the number of a group that need not have one.
Result<gid_t> group_number(const std::string& name) {
    const struct group* entry = ::getgrnam(name.c_str());
    gid_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool is_number = error == std::errc() && end == name.data() + name.size();
    if (entry == nullptr && is_number && number != 0) return number;
    if (entry == nullptr) {
        return fail(Code::not_found,
                    fmt::format("there is no group {}; name the one whose members may use the "
                                "engine: --group NAME",
                                name));
    }
    return entry->gr_gid;
}

std::string group_name(gid_t number) {
    const struct group* entry = ::getgrgid(number);
    return entry == nullptr ? fmt::format("{}", number) : entry->gr_name;
}

// A directory that others can write to would let them put their own program in its place.
Result<void> check_directory(const fs::path& directory) {
    for (fs::path at = directory;; at = at.parent_path()) {
        struct stat info{};
        if (::lstat(at.c_str(), &info) != 0) {
            return fail(fmt::format("{}: {}", at.string(), os::errno_text(errno)));
        }
        const bool group_writes = (info.st_mode & S_IWGRP) != 0 && info.st_gid != 0;
        if (info.st_uid != 0 || !S_ISDIR(info.st_mode) || (info.st_mode & S_IWOTH) != 0 ||
            (group_writes && group_name(info.st_gid) != "staff")) {
            return fail(Code::denied,
                        fmt::format("{} can be changed by others than root; a program with rights "
                                    "is not put below it",
                                    at.string()));
        }
        if (at == at.root_path()) return {};
    }
}

// What is wrong with the file beside its content.
std::string problem_with(const fs::path& file, const struct stat& info) {
    if (!S_ISREG(info.st_mode)) return "it is no regular file";
    if (info.st_uid != 0) return "it does not belong to root";
    if ((info.st_mode & 07777) != kMode) {
        return fmt::format("its mode is {:o} and must be {:o}", info.st_mode & 07777, kMode);
    }
    const auto capabilities = os::file_capabilities(file);
    if (!capabilities) return capabilities.error().message;
    if (*capabilities != wanted_capabilities()) return "it has not the capability CAP_NET_ADMIN";
    return "";
}

Result<void> give_rights(const fs::path& file, gid_t group) {
    // In this order: a change of owner takes capabilities away, and nobody may start it before.
    if (::chown(file.c_str(), 0, group) != 0) {
        return fail(fmt::format("{}: {}", file.string(), os::errno_text(errno)));
    }
    if (auto done = os::set_file_capabilities(file, wanted_capabilities()); !done) return done;
    if (::chmod(file.c_str(), kMode) != 0) {
        return fail(fmt::format("{}: {}", file.string(), os::errno_text(errno)));
    }
    return {};
}

}  // namespace

Result<NetworkHelper> look_at_network_helper(const fs::path& source, const fs::path& installed) {
    NetworkHelper found;
    struct stat info{};
    if (::lstat(installed.c_str(), &info) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return found;
        return fail(fmt::format("{}: {}", installed.string(), os::errno_text(errno)));
    }
    found.installed = true;
    found.group = group_name(info.st_gid);
    found.problem = problem_with(installed, info);
    // Who may not read it is not told that it is old: the program itself says so when it is asked.
    const auto ours = os::read_file(source, kMaxBytes);
    const auto theirs = os::read_file(installed, kMaxBytes, os::Follow::no);
    found.needs_update = !found.problem.empty() || (ours && theirs && *ours != *theirs);
    return found;
}

Result<std::string> group_called(const std::string& text) {
    const auto number = group_number(text);
    if (!number) return fail(number.error());
    return group_name(*number);
}

Result<void> install_network_helper(const fs::path& source, const fs::path& installed,
                                    const std::string& group) {
    if (::geteuid() != 0) {
        return fail(Code::denied, "installing needs root; run: sudo alca network-helper install");
    }
    const auto number = group_number(group);
    if (!number) return fail(number.error());
    const auto program = os::read_file(source, kMaxBytes);
    if (!program) return fail(program.error(), "a part of alca is missing; install it again");
    const fs::path directory = installed.parent_path();
    if (auto made = os::make_directories(directory, 0755); !made) return made;
    if (auto good = check_directory(directory); !good) return good;
    // Root's alone until it is complete.
    if (auto written = os::write_file_atomic(installed, *program, 0700); !written) return written;
    auto done = give_rights(installed, *number);
    if (!done) ::unlink(installed.c_str());
    return done;
}

Result<void> uninstall_network_helper(const fs::path& installed) {
    if (::unlink(installed.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) {
        const bool denied = errno == EACCES || errno == EPERM;
        return fail(denied ? Code::denied : Code::failed,
                    fmt::format("{}: {}{}", installed.string(), os::errno_text(errno),
                                denied ? "; run: sudo alca network-helper uninstall" : ""));
    }
    std::error_code not_empty;  // then it is somebody else's too
    fs::remove(installed.parent_path(), not_empty);
    return {};
}

}  // namespace alca::flow
