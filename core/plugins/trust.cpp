#include "core/plugins/trust.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <deque>
#include <string>

#include "core/os/file.hpp"

namespace alca::plugins {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel

std::string owner_text(uid_t user) {
    return user == 0 ? std::string("root") : fmt::format("root or uid {}", user);
}

Result<void> check_owner(const fs::path& path, const struct stat& info, uid_t user) {
    if (info.st_uid == 0 || info.st_uid == user) return {};
    return fail(Code::denied,
                fmt::format("{} belongs to uid {}, must belong to {}; run: chown -h {} {}",
                            path.string(), info.st_uid, owner_text(user), user, path.string()));
}

// The mode bits of a file with an access control list show the list's mask, so they cover it.
Result<void> check_mode(const fs::path& path, const struct stat& info) {
    const bool sticky = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0 && info.st_uid == 0;
    if (sticky || (info.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
    const bool others = (info.st_mode & S_IWOTH) != 0;
    return fail(Code::denied, fmt::format("{} is writable by {}; run: chmod go-w {}", path.string(),
                                          others ? "everybody" : "its group", path.string()));
}

Result<fs::path> read_link(const fs::path& path) {
    std::string target(PATH_MAX, '\0');
    const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
    if (length < 0) {
        return fail(Code::failed, fmt::format("{}: {}", path.string(), os::errno_text(errno)));
    }
    target.resize(static_cast<std::size_t>(length));
    return fs::path(target);
}

// Walks one path component by component; what a link names is walked too.
class Walk {
  public:
    explicit Walk(uid_t user) : user_(user) {}

    Result<fs::path> run(const fs::path& file) {
        if (!file.is_absolute()) {
            return fail(Code::invalid, fmt::format("{} is not an absolute path", file.string()));
        }
        struct stat info{};
        if (auto root = look("/", info); !root) return fail(root.error());
        push_front(file);
        while (!pending_.empty()) {
            const fs::path name = pending_.front();
            pending_.pop_front();
            if (name == "..") {
                current_ = current_.parent_path();
                continue;
            }
            if (auto step = enter(current_ / name, info); !step) return fail(step.error());
        }
        if (!S_ISREG(info.st_mode)) {
            return fail(Code::invalid, fmt::format("{} is not a regular file", current_.string()));
        }
        return current_;
    }

  private:
    Result<void> enter(const fs::path& path, struct stat& info) {
        if (auto seen = look(path, info); !seen) return seen;
        if (!S_ISLNK(info.st_mode)) {
            current_ = path;
            return {};
        }
        if (++links_ > kMaxLinks) {
            return fail(Code::invalid, fmt::format("{}: too many links", path.string()));
        }
        auto target = read_link(path);
        if (!target) return fail(target.error());
        if (target->is_absolute()) current_ = "/";
        push_front(*target);
        return {};
    }

    Result<void> look(const fs::path& path, struct stat& info) const {
        if (::lstat(path.c_str(), &info) != 0) {
            return fail(errno == ENOENT ? Code::not_found : Code::failed,
                        fmt::format("{}: {}", path.string(), os::errno_text(errno)));
        }
        if (auto owner = check_owner(path, info, user_); !owner) return owner;
        if (S_ISLNK(info.st_mode)) return {};  // a link's own mode says nothing
        return check_mode(path, info);
    }

    void push_front(const fs::path& path) {
        std::deque<fs::path> names;
        for (const fs::path& name : path.relative_path()) {
            if (!name.empty() && name != ".") names.push_back(name);
        }
        pending_.insert(pending_.begin(), names.begin(), names.end());
    }

    uid_t user_;
    fs::path current_ = "/";
    std::deque<fs::path> pending_;
    int links_ = 0;
};

bool is_inside(const fs::path& file, const fs::path& directory) {
    std::error_code error;
    fs::path real = fs::canonical(directory, error);
    if (error) real = directory.lexically_normal();
    auto at = file.begin();
    for (const fs::path& name : real) {
        if (name.empty()) continue;  // after a trailing slash
        if (at == file.end() || *at != name) return false;
        ++at;
    }
    return true;
}

}  // namespace

Result<fs::path> check_trust(const fs::path& file, const TrustContext& context) {
    auto resolved = Walk(context.user).run(file);
    if (!resolved) return resolved;
    if (!context.project_root.empty() && is_inside(*resolved, context.project_root)) {
        return fail(Code::denied,
                    fmt::format("{} is inside the project, where the agent can write; install the "
                                "plugin elsewhere",
                                resolved->string()));
    }
    for (const fs::path& mount : context.writable_mounts) {
        if (is_inside(*resolved, mount)) {
            return fail(
                Code::denied,
                fmt::format("{} is inside {}, which a sandbox can write; install the plugin "
                            "elsewhere",
                            resolved->string(), mount.string()));
        }
    }
    return resolved;
}

}  // namespace alca::plugins
