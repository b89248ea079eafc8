#include "core/flow/host_path.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "core/os/file.hpp"

namespace alca::flow {
namespace {

bool is_in(const fs::path& path, const fs::path& directory) {
    const auto [end, ignored] =
        std::mismatch(directory.begin(), directory.end(), path.begin(), path.end());
    return end == directory.end();
}

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

}  // namespace

int HostPath::directory() const { return anchor ? anchor.get() : AT_FDCWD; }

Result<HostPath> resolve_host_path(const std::string& typed, const fs::path& base,
                                   const std::vector<fs::path>& shared) {
    const fs::path full = without_leading_dots(base, typed);
    std::vector<fs::path> directories;
    for (const fs::path& directory : shared) {
        std::error_code error;
        fs::path real = fs::canonical(directory, error);
        if (!error) directories.push_back(std::move(real));
    }
    // Up to the first name that lies in a shared directory nothing is the sandbox's. Nor is what
    // the last one leads to, when all before it lie outside.
    fs::path walked;
    for (auto name = full.begin(); name != full.end() && std::next(name) != full.end(); ++name) {
        walked /= *name;
        std::error_code error;
        const fs::path real = fs::canonical(walked, error);
        if (error) break;
        const auto entered = std::find_if(directories.begin(), directories.end(),
                                          [&](const fs::path& d) { return is_in(real, d); });
        if (entered == directories.end()) continue;
        fs::path rest = real.lexically_relative(*entered);
        // A trailing slash is an empty name, and stays.
        for (++name; name != full.end(); ++name) rest /= *name;
        HostPath path{.anchor = os::Fd(::open(entered->c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)),
                      .path = rest.string(),
                      .reach = tree::Reach::beneath};
        if (!path.anchor) return fail(entered->string() + ": " + os::errno_text(errno));
        return path;
    }
    return HostPath{.anchor = {}, .path = full.string(), .reach = tree::Reach::anywhere};
}

}  // namespace alca::flow
