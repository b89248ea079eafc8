#include "user.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <limits>
#include <optional>

#include "bytes.hpp"
#include "directory.hpp"
#include "fd.hpp"
#include "files.hpp"
#include "passwd.hpp"

namespace alca::init {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{4} << 20;
constexpr int kAppend = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK;
constexpr std::size_t kMaxNameBytes = 32;
// The highest 32-bit number means "no user" to the kernel.
constexpr std::uint64_t kMaxId = std::numeric_limits<std::uint32_t>::max() - 1ULL;

bool is_user_name(std::string_view name) {
    if (name.empty() || name.size() > kMaxNameBytes) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        const char c = name[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || c == '_';
        const bool is_late = (c >= '0' && c <= '9') || c == '-';
        if (!is_letter && !(i > 0 && is_late)) return false;
    }
    return true;
}

std::string_view take_field(std::string_view& text) {
    const std::size_t end = text.find(':');
    const std::string_view field = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return field;
}

// False: errno says why.
bool is_regular(const Fd& file) {
    struct stat status{};
    if (::fstat(file.get(), &status) != 0) return false;
    if (S_ISREG(status.st_mode)) return true;
    errno = EINVAL;
    return false;
}

// Reads etc/passwd or etc/group; a missing file is an empty one.
bool read_accounts(int root, const char* path, Bytes& out, Text& fault) {
    // O_NONBLOCK: a FIFO must not stop PID 1 for ever.
    const Fd file = open_at(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!file.is_open() && errno == ENOENT) return true;
    if (file.is_open() && is_regular(file) && read_all(file.get(), kMaxFileBytes, out)) return true;
    fault.set({"cannot read /", path, ": ", describe_error(errno).view(),
               errno == ELOOP ? "; replace the symbolic link by a file in the image"
                              : "; repair it in the image"});
    return false;
}

// One write, so that a reader never sees half a line; a short write is taken back.
bool append_line(int root, const char* path, std::string_view line, Text& fault) {
    const bool has_directory = ::mkdirat(root, "etc", 0755) == 0 || errno == EEXIST;
    Fd file;
    if (has_directory) file = open_at(root, path, kAppend, 0644);
    struct stat status{};
    if (file.is_open() && ::fstat(file.get(), &status) == 0) {
        ssize_t written = -1;
        do {
            written = ::write(file.get(), line.data(), line.size());
        } while (written < 0 && errno == EINTR);
        if (written == static_cast<ssize_t>(line.size())) return true;
        const int error = written < 0 ? errno : ENOSPC;
        // If this fails too, the partial line has no valid shape and is passed over by every
        // reader.
        errno = ::ftruncate(file.get(), status.st_size) == 0 ? error : errno;
    }
    fault.set({"cannot add a line to /", path, ": ", describe_error(errno).view(),
               errno == EROFS ? "; add the user in the image or make the root file system writable"
                              : "; check the image and its free space"});
    return false;
}

// `name`, or "name-ID" when the file has that name for somebody else.
bool choose_name(const Bytes& file, const User& user, std::uint32_t id, Text& name, Text& fault) {
    name.set({user.name});
    if (!has_name(file.view(), name.view())) return true;
    name.set({user.name, "-", Number(id).view()});
    if (!has_name(file.view(), name.view())) return true;
    fault.set({"names ", user.name, " and ", name.view(),
               " belong to others in the image; choose another user name"});
    return false;
}

// A file that does not end in a newline gets one first.
std::string_view line_break(const Bytes& file) {
    return file.is_empty() || file.view().ends_with('\n') ? "" : "\n";
}

bool add_user(int root, const Bytes& passwd, const User& user, Text& fault) {
    Text name;
    if (!choose_name(passwd, user, user.uid, name, fault)) return false;
    const bool has_bash = ::faccessat(root, "bin/bash", X_OK, 0) == 0;
    Text ids;
    ids.set({":x:", Number(user.uid).view(), ":", Number(user.gid).view(), "::"});
    Bytes line;
    if (line.append(line_break(passwd)) && line.append(name.view()) && line.append(ids.view()) &&
        line.append(user.home) && line.append(has_bash ? ":/bin/bash\n" : ":/bin/sh\n"))
        return append_line(root, "etc/passwd", line.view(), fault);
    fault.set({"out of memory; raise the sandbox's memory limit"});
    return false;
}

bool add_group(int root, const User& user, Text& fault) {
    Bytes group;
    if (!read_accounts(root, "etc/group", group, fault)) return false;
    if (has_group(group.view(), user.gid)) return true;
    Text name;
    if (!choose_name(group, user, user.gid, name, fault)) return false;
    Text line;
    line.set({line_break(group), name.view(), ":x:", Number(user.gid).view(), ":\n"});
    return append_line(root, "etc/group", line.view(), fault);
}

}  // namespace

bool parse_user(std::string_view text, User& user, Text& fault) {
    const std::optional<std::uint64_t> uid = parse_number(take_field(text), kMaxId);
    const std::optional<std::uint64_t> gid = parse_number(take_field(text), kMaxId);
    user.name = take_field(text);
    user.home = text;
    if (!uid || *uid == 0) {
        fault.set({"user id must be a number from 1 to ", Number(kMaxId).view()});
    } else if (!gid) {
        fault.set({"group id must be a number from 0 to ", Number(kMaxId).view()});
    } else if (!is_user_name(user.name)) {
        fault.set({"user name must be 1 to 32 of a-z, 0-9, _ and -, and begin with a letter or _"});
    } else if (!is_plain_path(user.home)) {
        fault.set({"home must be an absolute path without .., colon or control character"});
    } else {
        user.uid = static_cast<std::uint32_t>(*uid);
        user.gid = static_cast<std::uint32_t>(*gid);
        return true;
    }
    return false;
}

bool prepare_user(int root, const User& user, std::span<const std::string_view> own, Text& fault) {
    Bytes passwd;
    if (!read_accounts(root, "etc/passwd", passwd, fault)) return false;
    const std::optional<PasswdEntry> entry = find_user(passwd.view(), user.uid);
    const std::string_view home = entry ? entry->home : user.home;
    if (!is_plain_path(home)) {
        fault.set({"the home of uid ", Number(user.uid).view(),
                   " in /etc/passwd is no absolute path; choose another user"});
        return false;
    }
    if (!entry && !add_user(root, passwd, user, fault)) return false;
    if (!add_group(root, user, fault)) return false;
    if (!own_directory(root, home, user.uid, user.gid, fault)) return false;
    for (const std::string_view directory : own) {
        if (!own_directory(root, directory, user.uid, user.gid, fault)) return false;
    }
    return true;
}

}  // namespace alca::init
