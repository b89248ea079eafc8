#include "helpers/shared/tree/pack.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "helpers/shared/tree/path.hpp"

namespace alca::tree {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{256} * 1024;

// What an opened special file would do is not waited for: it is looked at and left out.
constexpr int kReadFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

// The buffer for files, and a directory that is being read.
class Chunk {
  public:
    Chunk() : data_(static_cast<char*>(std::malloc(kChunkBytes))) {}
    Chunk(const Chunk&) = delete;
    Chunk& operator=(const Chunk&) = delete;
    ~Chunk() { std::free(data_); }
    [[nodiscard]] char* data() const { return data_; }

  private:
    char* data_;
};

class Listing {
  public:
    explicit Listing(Fd directory) : handle_(::fdopendir(directory.get())) {
        if (handle_ != nullptr) static_cast<void>(directory.release());
    }
    Listing(const Listing&) = delete;
    Listing& operator=(const Listing&) = delete;
    ~Listing() {
        if (handle_ != nullptr) ::closedir(handle_);
    }
    [[nodiscard]] bool is_open() const { return handle_ != nullptr; }
    [[nodiscard]] int fd() const { return ::dirfd(handle_); }
    // nullptr: the end (errno 0), or it cannot be read.
    [[nodiscard]] dirent* next() {
        errno = 0;
        return ::readdir(handle_);
    }

  private:
    DIR* handle_;
};

// Each member is false when the stream is broken.
class Packer {
  public:
    Packer(TarWriter& writer, Report& report) : writer_(writer), report_(report) {}

    [[nodiscard]] Outcome pack(const PackRequest& request) {
        if (chunk_.data() == nullptr || !path_.set(request.name)) return broken(ENOMEM);
        if (!pack_top(request) || !writer_.close()) return broken(errno);
        return is_complete_ ? Outcome::all : Outcome::some;
    }

  private:
    Outcome broken(int error) {
        report_.failed({}, std::strerror(error));
        return Outcome::broken;
    }
    bool failed(const char* why) {
        report_.failed(path_.view(), why);
        is_complete_ = false;
        return true;
    }
    bool failed(int error) { return failed(std::strerror(error)); }

    bool pack_top(const PackRequest& request) {
        const int link_flag = request.follow_link ? 0 : O_NOFOLLOW;
        const Fd top = open_in(request.directory, request.path, O_PATH | link_flag, request.reach);
        struct stat info{};
        if (!top.is_open() || ::fstat(top.get(), &info) != 0) return failed(errno);
        if (S_ISLNK(info.st_mode)) return add_link(top.get(), "", info);
        if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) return skip();
        return add_opened(
            open_in(request.directory, request.path, kReadFlags | link_flag, request.reach));
    }

    bool skip() {
        report_.skipped(path_.view());
        return true;
    }

    // `name` in the open directory `parent`. The type is a hint of the directory's.
    bool add(int parent, const char* name, unsigned char type) {
        struct stat info{};
        if (type != DT_REG && type != DT_DIR) {
            if (::fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return failed(errno);
            if (S_ISLNK(info.st_mode)) return add_link(parent, name, info);
            if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) return skip();
        }
        return add_opened(Fd(::openat(parent, name, kReadFlags | O_NOFOLLOW)));
    }

    bool add_opened(Fd fd) {
        struct stat info{};
        if (!fd.is_open() || ::fstat(fd.get(), &info) != 0) return failed(errno);
        if (S_ISDIR(info.st_mode)) return add_directory(std::move(fd), info);
        if (S_ISREG(info.st_mode)) return add_file(fd.get(), info);
        return skip();
    }

    [[nodiscard]] Entry entry_of(Kind kind, const struct stat& info) {
        // A link has no permissions of its own.
        if (kind != Kind::link && (info.st_mode & 07000U) != 0) report_.lost_bits(path_.view());
        return {.kind = kind,
                .path = path_.view(),
                .target = {},
                .mode = info.st_mode & 0777U,
                .lost_bits = false,
                .has_mtime = true,
                .mtime = info.st_mtim,
                .size = kind == Kind::file ? info.st_size : 0};
    }

    bool add_link(int parent, const char* name, const struct stat& info) {
        std::array<char, 4096> target{};
        const ssize_t size = ::readlinkat(parent, name, target.data(), target.size());
        if (size < 0) return failed(errno);
        if (size == static_cast<ssize_t>(target.size())) return failed(ENAMETOOLONG);
        Entry entry = entry_of(Kind::link, info);
        entry.target = {target.data(), static_cast<std::size_t>(size)};
        report_.copied_entry();
        return writer_.begin(entry);
    }

    bool add_file(int fd, const struct stat& info) {
        if (!writer_.begin(entry_of(Kind::file, info))) return false;
        std::int64_t left = info.st_size;
        while (left > 0) {
            const auto wanted = std::min<std::int64_t>(left, kChunkBytes);
            const ssize_t count = ::read(fd, chunk_.data(), static_cast<std::size_t>(wanted));
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return failed(errno);
            if (count == 0) return failed("became shorter while it was read; the end is zeros");
            if (!writer_.write(chunk_.data(), static_cast<std::size_t>(count))) return false;
            report_.copied_bytes(static_cast<std::size_t>(count));
            left -= count;
        }
        report_.copied_entry();
        return true;
    }

    // The recursion ends where names do: a path has at most 4095 bytes.
    bool add_directory(Fd fd, const struct stat& info) {  // NOLINT(misc-no-recursion): see above
        if (!writer_.begin(entry_of(Kind::directory, info))) return false;
        report_.copied_entry();
        Listing listing(std::move(fd));
        if (!listing.is_open()) return failed(errno);
        const std::size_t size = path_.size();
        const dirent* item = listing.next();
        for (; item != nullptr; item = listing.next()) {
            const std::string_view name = item->d_name;
            if (name == "." || name == "..") continue;
            if (!path_.push(name)) {
                static_cast<void>(failed("it holds a path that is too long"));
                continue;
            }
            const bool is_fine = add(listing.fd(), item->d_name, item->d_type);
            path_.cut(size);
            if (!is_fine) return false;
        }
        return errno == 0 || failed(errno);
    }

    TarWriter& writer_;
    Report& report_;
    Chunk chunk_;
    Path path_;
    bool is_complete_ = true;
};

}  // namespace

Outcome pack(const PackRequest& request, TarWriter& writer, Report& report) {
    return Packer(writer, report).pack(request);
}

}  // namespace alca::tree
