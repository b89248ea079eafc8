#include "helpers/shared/tree/tree_writer.hpp"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace alca::tree {
namespace {

// What the next entry would meet too.
bool is_for_all(int error) {
    return error == ENOSPC || error == EDQUOT || error == EIO || error == EROFS || error == ENOMEM;
}

// Access time, which is now, and modification time.
std::array<std::timespec, 2> times_of(bool has_mtime, const std::timespec& mtime) {
    if (!has_mtime) return {{{0, UTIME_NOW}, {0, UTIME_NOW}}};
    return {{{0, UTIME_NOW}, mtime}};
}

bool write_all(int fd, std::string_view data) {
    while (!data.empty()) {
        const ssize_t count = ::write(fd, data.data(), data.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return false;
        data.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

// Devices, FIFOs and sockets are not what somebody means who names them as a place for a copy.
bool may_replace(int parent, const char* name) {
    struct stat info{};
    if (::fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
    if (S_ISREG(info.st_mode) || S_ISLNK(info.st_mode) || S_ISDIR(info.st_mode)) return true;
    errno = EEXIST;
    return false;
}

bool copy_content(int from, int to) {
    std::array<char, 16384> buffer;
    while (true) {
        const ssize_t count = ::read(from, buffer.data(), buffer.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return count == 0;
        if (!write_all(to, {buffer.data(), static_cast<std::size_t>(count)})) return false;
    }
}

}  // namespace

TreeWriter::TreeWriter(int directory, mode_t masked, Report& report)
    : directory_(directory), masked_(masked), report_(report) {
    // Only so that it meets nobody else's: O_EXCL is what protects.
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) < 0) {
        number = static_cast<std::uint64_t>(::getpid());
    }
    static_cast<void>(std::snprintf(temporary_.data(), temporary_.size(), ".alca-cp-%016llx",
                                    static_cast<unsigned long long>(number)));
}

TreeWriter::~TreeWriter() { std::free(unfinished_); }

Step TreeWriter::fail(std::string_view path, int error) {
    const char* why = std::strerror(error);
    if (error == ELOOP) why = "a symbolic link stands where a directory should be";
    report_.failed(path, why);
    return is_for_all(error) ? Step::stop : Step::failed;
}

Fd TreeWriter::make_parents(std::string_view path) {
    Path name;
    Fd current;
    int at = directory_;
    for (auto part = take_name(path); !part.empty(); part = take_name(path)) {
        if (!name.set(part)) return {};
        if (::mkdirat(at, name.c_str(), 0777U & ~masked_) != 0 && errno != EEXIST) return {};
        current = open_in(at, name.c_str(), O_PATH | O_DIRECTORY, Reach::no_links);
        if (!current.is_open()) return {};
        at = current.get();
    }
    return current;
}

int TreeWriter::open_parent(std::string_view path) {
    const std::string_view directory = split(path).directory;
    if (directory.empty()) return directory_;
    if (has_parent_ && parent_path_.view() == directory) return parent_.get();
    has_parent_ = false;
    if (!parent_path_.set(directory)) return -1;
    parent_ = open_in(directory_, parent_path_.c_str(), O_PATH | O_DIRECTORY, Reach::no_links);
    if (!parent_.is_open() && errno == ENOENT) parent_ = make_parents(directory);
    has_parent_ = parent_.is_open();
    return parent_.get();
}

bool TreeWriter::remember_unfinished(const Entry& entry) {
    if (unfinished_count_ == unfinished_capacity_) {
        const std::size_t capacity = std::max<std::size_t>(16, unfinished_capacity_ * 2);
        void* grown = std::realloc(unfinished_, capacity * sizeof(Unfinished));
        if (grown == nullptr) return false;
        unfinished_ = static_cast<Unfinished*>(grown);
        unfinished_capacity_ = capacity;
    }
    if (!unfinished_path_.set(entry.path)) return false;
    unfinished_[unfinished_count_++] = {.path_size = entry.path.size(),
                                        .mode = entry.mode & ~masked_,
                                        .has_mtime = entry.has_mtime,
                                        .mtime = entry.mtime};
    return true;
}

void TreeWriter::finish_last() {
    const Unfinished& last = unfinished_[--unfinished_count_];
    unfinished_path_.cut(last.path_size);
    const Fd directory =
        open_in(directory_, unfinished_path_.c_str(), O_RDONLY | O_DIRECTORY, Reach::no_links);
    const auto times = times_of(last.has_mtime, last.mtime);
    if (!directory.is_open() || ::futimens(directory.get(), times.data()) != 0 ||
        ::fchmod(directory.get(), last.mode) != 0) {
        static_cast<void>(fail(unfinished_path_.view(), errno));
        is_complete_ = false;
    }
}

void TreeWriter::finish_down_to(std::string_view path) {
    while (unfinished_count_ > 0) {
        unfinished_path_.cut(unfinished_[unfinished_count_ - 1].path_size);
        if (is_at_or_below(path, unfinished_path_.view())) return;
        finish_last();
    }
}

Step TreeWriter::finish() {
    while (unfinished_count_ > 0) finish_last();
    return is_complete_ ? Step::done : Step::failed;
}

Step TreeWriter::add_directory(const Entry& entry) {
    finish_down_to(entry.path);
    if (entry.path.empty()) return Step::done;
    const int parent = open_parent(entry.path);
    Path name;
    if (parent < 0 || !name.set(split(entry.path).name)) return fail(entry.path, errno);
    if (::mkdirat(parent, name.c_str(), 0700) == 0) {
        if (!remember_unfinished(entry)) return fail(entry.path, ENOMEM);
    } else if (errno != EEXIST) {
        return fail(entry.path, errno);
    } else if (!open_in(parent, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW, Reach::no_links)
                    .is_open()) {
        return fail(entry.path, EEXIST);
    }
    report_.copied_entry();
    return Step::done;
}

Fd TreeWriter::create(int parent) {
    return Fd(::openat(parent, temporary_.data(),
                       O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
}

Step TreeWriter::fill(const Entry& entry, const Fd& file, TarReader& content) {
    std::int64_t size = 0;
    TarReader::Block block;
    auto found = content.next_block(block);
    for (; found == TarReader::Step::entry; found = content.next_block(block)) {
        // Streams that reach this place hold no sparse files.
        if (block.offset != size) return fail(entry.path, EINVAL);
        if (!write_all(file.get(), block.data)) return fail(entry.path, errno);
        size += static_cast<std::int64_t>(block.data.size());
        report_.copied_bytes(block.data.size());
    }
    if (found == TarReader::Step::end && size == entry.size) return Step::done;
    report_.failed(entry.path, found == TarReader::Step::end ? "cut short" : content.why());
    return Step::stop;
}

// What is in the file becomes what has the name.
Step TreeWriter::put_in_place(const Entry& entry, int parent, const Fd& file) {
    const auto times = times_of(entry.has_mtime, entry.mtime);
    Path name;
    if (::fchmod(file.get(), entry.mode & ~masked_) != 0 ||
        ::futimens(file.get(), times.data()) != 0 || !name.set(split(entry.path).name) ||
        !may_replace(parent, name.c_str()) ||
        ::renameat(parent, temporary_.data(), parent, name.c_str()) != 0) {
        return fail(entry.path, errno);
    }
    report_.copied_entry();
    return Step::done;
}

Step TreeWriter::add_file(const Entry& entry, TarReader& content) {
    finish_down_to(entry.path);
    const int parent = open_parent(entry.path);
    const Fd file = parent < 0 ? Fd() : create(parent);
    if (!file.is_open()) return fail(entry.path, errno);
    Step step = fill(entry, file, content);
    if (step == Step::done) step = put_in_place(entry, parent, file);
    if (step != Step::done) ::unlinkat(parent, temporary_.data(), 0);
    return step;
}

Step TreeWriter::add_link(const Entry& entry) {
    finish_down_to(entry.path);
    const int parent = open_parent(entry.path);
    Path name;
    Path target;
    if (parent < 0 || !name.set(split(entry.path).name)) return fail(entry.path, errno);
    if (!target.set(entry.target)) return fail(entry.path, ENAMETOOLONG);
    if (::symlinkat(target.c_str(), parent, temporary_.data()) != 0) return fail(entry.path, errno);
    const auto times = times_of(entry.has_mtime, entry.mtime);
    // Not every file system keeps times of links.
    static_cast<void>(::utimensat(parent, temporary_.data(), times.data(), AT_SYMLINK_NOFOLLOW));
    if (!may_replace(parent, name.c_str()) ||
        ::renameat(parent, temporary_.data(), parent, name.c_str()) != 0) {
        const int error = errno;
        ::unlinkat(parent, temporary_.data(), 0);
        return fail(entry.path, error);
    }
    if (leads_out(entry.path, entry.target)) report_.leads_out(entry.path, entry.target);
    report_.copied_entry();
    return Step::done;
}

Step TreeWriter::add_hard_link(const Entry& entry) {
    finish_down_to(entry.path);
    Path path;
    if (!path.set(entry.target)) return fail(entry.path, ENAMETOOLONG);
    const Fd other = open_in(directory_, path.c_str(), O_RDONLY | O_NONBLOCK, Reach::no_links);
    struct stat info{};
    if (!other.is_open() || ::fstat(other.get(), &info) != 0) return fail(entry.path, errno);
    if (!S_ISREG(info.st_mode)) return fail(entry.path, EINVAL);
    const int parent = open_parent(entry.path);
    const Fd file = parent < 0 ? Fd() : create(parent);
    if (!file.is_open()) return fail(entry.path, errno);
    const Entry copy{.kind = Kind::file,
                     .path = entry.path,
                     .target = {},
                     .mode = info.st_mode & 0777U,
                     .lost_bits = false,
                     .has_mtime = true,
                     .mtime = info.st_mtim,
                     .size = info.st_size};
    Step step = copy_content(other.get(), file.get()) ? put_in_place(copy, parent, file)
                                                      : fail(entry.path, errno);
    if (step != Step::done) ::unlinkat(parent, temporary_.data(), 0);
    return step;
}

}  // namespace alca::tree
