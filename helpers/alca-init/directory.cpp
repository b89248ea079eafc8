#include "directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "files.hpp"

namespace alca::init {
namespace {

// Takes the first part of "/a/b" from the front: "a". Empty when nothing is left.
std::string_view take_part(std::string_view& path) {
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(end);
    return part;
}

// The top level and everything in the trees that hold programs and settings. An image may name one
// of them as the home of a service user; giving it away would let the agent replace programs that
// root runs.
bool is_system_directory(std::string_view path) {
    static constexpr std::array<std::string_view, 11> kTrees = {
        "bin", "boot", "dev", "etc", "lib", "lib32", "lib64", "proc", "sbin", "sys", "usr"};
    const std::string_view top = take_part(path);
    if (take_part(path).empty()) return true;
    return std::find(kTrees.begin(), kTrees.end(), top) != kTrees.end();
}

bool is_empty_directory(int directory) {
    Fd copy(::fcntl(directory, F_DUPFD_CLOEXEC, 0));
    if (!copy.is_open()) return false;
    DIR* stream = ::fdopendir(copy.get());
    if (stream == nullptr) return false;
    static_cast<void>(copy.release());  // the stream owns it now
    bool is_empty = true;
    while (const dirent* entry = ::readdir(stream)) {
        const std::string_view name(static_cast<const char*>(entry->d_name));
        // A fresh ext4 volume holds lost+found.
        if (name != "." && name != ".." && name != "lost+found") is_empty = false;
    }
    ::closedir(stream);
    return is_empty;
}

struct OpenedDirectory {
    Fd fd;
    bool was_created = false;
};

// Opens one part, creating it when missing. On failure errno says why.
OpenedDirectory open_part(int parent, std::string_view part) {
    OpenedDirectory opened;
    std::array<char, NAME_MAX + 1> name{};
    if (part.size() > NAME_MAX) {
        errno = ENAMETOOLONG;
        return opened;
    }
    std::copy(part.begin(), part.end(), name.begin());
    static constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
    opened.fd = open_at(parent, name.data(), kFlags);
    if (opened.fd.is_open() || errno != ENOENT) return opened;
    if (::mkdirat(parent, name.data(), 0755) != 0) return opened;
    opened.was_created = true;
    opened.fd = open_at(parent, name.data(), kFlags);
    return opened;
}

void explain_open_failure(std::string_view path, int error, Text& fault) {
    if (error == ENOTDIR || error == ELOOP) {
        fault.set({"directory ", path,
                   " is not usable: a part of it is a file or a symbolic link; "
                   "choose another directory"});
        return;
    }
    fault.set({"cannot open or create directory ", path, ": ", describe_error(error).view(),
               error == EROFS ? "; create it in the image or make the root file system writable"
                              : "; check the directories above it"});
}

}  // namespace

bool is_plain_path(std::string_view path) {
    if (!path.starts_with('/') || path.size() >= PATH_MAX) return false;
    for (const char c : path) {
        const auto code = static_cast<unsigned char>(c);
        if (code < 0x20 || code == 0x7f || c == ':') return false;
    }
    while (true) {
        const std::string_view part = take_part(path);
        if (part.empty()) return true;
        if (part == "." || part == "..") return false;
    }
}

bool own_directory(int root, std::string_view path, std::uint32_t uid, std::uint32_t gid,
                   Text& fault) {
    OpenedDirectory at{.fd = open_at(root, ".", O_RDONLY | O_DIRECTORY), .was_created = false};
    std::string_view rest = path;
    for (std::string_view part = take_part(rest); !part.empty() && at.fd.is_open();
         part = take_part(rest))
        at = open_part(at.fd.get(), part);
    struct stat status{};
    if (!at.fd.is_open() || ::fstat(at.fd.get(), &status) != 0) {
        explain_open_failure(path, errno, fault);
        return false;
    }
    if (status.st_uid == uid) return true;
    if (status.st_uid != 0) {
        fault.set({"directory ", path, " belongs to uid ", Number(status.st_uid).view(),
                   ", not to ", Number(uid).view(), "; choose another directory or user"});
        return false;
    }
    if (!at.was_created && is_system_directory(path) && !is_empty_directory(at.fd.get())) {
        fault.set({"system directory ", path, " is not given to uid ", Number(uid).view(),
                   "; choose a user with a home of its own"});
        return false;
    }
    if (::fchown(at.fd.get(), uid, gid) == 0) return true;
    fault.set({"cannot give directory ", path, " to uid ", Number(uid).view(), ": ",
               describe_error(errno).view(), "; change its owner in the image or volume"});
    return false;
}

}  // namespace alca::init
