#include "core/flow/host_path.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <system_error>

#include "core/os/file.hpp"

namespace alca::flow {
namespace {

constexpr int kMaxLinks = 40;  // as the kernel

// `base` has no links in it, so that leading ".." mean what they say; later ones may come after
// one.
fs::path without_leading_dots(fs::path base, const fs::path& typed) {
    auto name = typed.begin();
    for (; name != typed.end() && (*name == "." || *name == ".."); ++name) {
        if (*name == "..") base = base.parent_path();
    }
    for (; name != typed.end(); ++name) base /= *name;
    return base;
}

bool is_below(const fs::path& path, const fs::path& directory) {
    const fs::path relative = path.lexically_normal().lexically_relative(directory);
    return !relative.empty() && relative != "." && *relative.begin() != "..";
}

// A directory below another one is left out: it is the sandbox's to replace by a link that leads
// anywhere, and what it was made part of is in the list.
std::vector<fs::path> real_paths(const std::vector<fs::path>& directories) {
    std::vector<fs::path> real;
    for (const fs::path& directory : directories) {
        const bool is_in_another = std::any_of(
            directories.begin(), directories.end(),
            [&](const fs::path& other) { return is_below(directory, other.lexically_normal()); });
        if (is_in_another) continue;
        std::error_code error;
        fs::path path = fs::canonical(directory, error);
        if (!error) real.push_back(std::move(path));
    }
    return real;
}

using Names = std::deque<fs::path>;

Names names_of(const fs::path& path) { return {path.begin(), path.end()}; }

fs::path joined(fs::path path, const Names& names) {
    for (const fs::path& name : names)
        path /= name;  // a trailing slash is an empty name, and stays
    return path;
}

// Replaces the first of `names` by what it leads to. False: it is no link.
bool splice_link(fs::path& walked, Names& names) {
    std::error_code error;
    const fs::path target = fs::read_symlink(walked / names.front(), error);
    if (error) return false;
    names.pop_front();
    Names more = names_of(target);
    if (target.is_absolute()) {
        walked = "/";
        more.pop_front();
    }
    names.insert(names.begin(), more.begin(), more.end());
    return true;
}

Result<HostPath> enter(const fs::path& directory, const Names& rest) {
    HostPath path{.anchor = os::Fd(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
                  .path = joined(".", rest).string(),
                  .reach = tree::Reach::beneath};
    if (!path.anchor) return fail(directory.string() + ": " + os::errno_text(errno));
    return path;
}

}  // namespace

int HostPath::directory() const { return anchor ? anchor.get() : AT_FDCWD; }

// Name by name, with the text of each link in its place: up to the first directory that is shared
// nothing on the way is the sandbox's, and from there on the kernel keeps the path inside.
Result<HostPath> resolve_host_path(const std::string& typed, const fs::path& base,
                                   const std::vector<fs::path>& shared, LastLink last) {
    const fs::path full = without_leading_dots(base, typed);
    const std::vector<fs::path> directories = real_paths(shared);
    fs::path walked = "/";
    Names names = names_of(full.relative_path());
    int links = 0;
    while (true) {
        if (names.empty()) break;
        if (std::find(directories.begin(), directories.end(), walked) != directories.end()) {
            return enter(walked, names);
        }
        if (names.front() == "..") {
            walked = walked.parent_path();
            names.pop_front();
            continue;
        }
        const bool is_kept = names.size() == 1 && last == LastLink::kept;
        if (!is_kept && splice_link(walked, names)) {
            if (++links > kMaxLinks) return fail(typed + ": " + os::errno_text(ELOOP));
            continue;
        }
        std::error_code error;
        const fs::path next = walked / names.front();
        // What is not there, or is no directory, leads nowhere else.
        if (!fs::is_directory(fs::symlink_status(next, error))) break;
        if (!names.front().empty() && names.front() != ".") walked = next;
        names.pop_front();
    }
    return HostPath{
        .anchor = {}, .path = joined(walked, names).string(), .reach = tree::Reach::anywhere};
}

}  // namespace alca::flow
