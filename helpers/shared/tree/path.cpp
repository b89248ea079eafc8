#include "helpers/shared/tree/path.hpp"

#include <algorithm>

namespace alca::tree {

bool Path::set(std::string_view path) {
    if (path.size() > kMaxBytes) return false;
    path.copy(buffer_.data(), path.size());
    cut(path.size());
    return true;
}

bool Path::push(std::string_view name) {
    const std::size_t slash = size_ == 0 ? 0 : 1;
    if (size_ + slash > kMaxBytes || name.size() > kMaxBytes - size_ - slash) return false;
    if (slash != 0) buffer_.at(size_) = '/';
    name.copy(buffer_.data() + size_ + slash, name.size());
    cut(size_ + slash + name.size());
    return true;
}

void Path::cut(std::size_t size) {
    size_ = size;
    buffer_.at(size_) = '\0';
}

std::string_view take_name(std::string_view& path) {
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(name.size());
    return name;
}

Split split(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) return {.directory = {}, .name = path};
    return {.directory = path.substr(0, slash), .name = path.substr(slash + 1)};
}

bool is_at_or_below(std::string_view path, std::string_view above) {
    if (above.empty()) return true;
    if (path.substr(0, above.size()) != above) return false;
    return path.size() == above.size() || path[above.size()] == '/';
}

bool leads_out(std::string_view path, std::string_view target) {
    if (!target.empty() && target.front() == '/') return true;
    std::size_t depth = 0;
    std::string_view directory = split(path).directory;
    while (!take_name(directory).empty()) ++depth;
    for (auto name = take_name(target); !name.empty(); name = take_name(target)) {
        if (name == ".") continue;
        if (name == ".." && depth == 0) return true;
        depth = name == ".." ? depth - 1 : depth + 1;
    }
    return false;
}

}  // namespace alca::tree
