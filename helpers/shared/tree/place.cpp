#include "helpers/shared/tree/place.hpp"

#include <fcntl.h>

#include <cerrno>

namespace alca::tree {
namespace {

constexpr int kFlags = O_PATH | O_DIRECTORY;

}  // namespace

bool find_place(int directory, const char* path, Reach reach, std::string_view name, Place& place) {
    const bool is_content = name == ".";
    place.directory = open_in(directory, *path == '\0' ? "." : path, kFlags, reach);
    if (place.directory.is_open()) return place.top.set(is_content ? std::string_view() : name);
    if (errno != ENOENT && errno != ENOTDIR) return false;
    const int why = errno;

    std::string_view text = path;
    place.must_be_directory = is_content || text.back() == '/';
    while (!text.empty() && text.back() == '/') text.remove_suffix(1);
    const Split parts = split(text);
    Path parent;
    // "x/." and "x/.." of an x that is not there name nothing that could be made.
    if (parts.name.empty() || parts.name == "." || parts.name == "..") {
        errno = why;
        return false;
    }
    if (!parent.set(parts.directory) || !place.top.set(parts.name)) {
        errno = ENAMETOOLONG;
        return false;
    }
    // "/name" is in "/", "name" in the directory itself.
    const bool is_in_root = parts.directory.empty() && text.front() == '/';
    place.directory = open_in(directory, is_in_root ? "/" : parent.c_str(), kFlags, reach);
    return place.directory.is_open();
}

}  // namespace alca::tree
