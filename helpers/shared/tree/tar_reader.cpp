#include "helpers/shared/tree/tar_reader.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <cstring>

namespace alca::tree {
namespace {

la_ssize_t read_block(archive* handle, void* self, const void** data) {
    const std::int64_t count = static_cast<TarReader*>(self)->fill(data);
    if (count < 0) ::archive_set_error(handle, errno, "%s", std::strerror(errno));
    return static_cast<la_ssize_t>(count);
}

Kind kind_of(archive_entry* entry) {
    if (::archive_entry_hardlink(entry) != nullptr) return Kind::hard_link;
    switch (::archive_entry_filetype(entry)) {
        case AE_IFREG:
            return Kind::file;
        case AE_IFDIR:
            return Kind::directory;
        case AE_IFLNK:
            return Kind::link;
        default:
            return Kind::other;
    }
}

std::string_view or_empty(const char* text) {
    return text == nullptr ? std::string_view() : std::string_view(text);
}

// A list of holes and a name are small. The library keeps all of a head in memory.
constexpr std::size_t kMaxHeadBytes = std::size_t{4} << 20;

}  // namespace

TarReader::TarReader(ByteSource& source) : source_(source), archive_(::archive_read_new()) {
    if (archive_ == nullptr) return;
    ::archive_read_support_format_tar(archive_);
    is_readable_ = ::archive_read_open(archive_, this, nullptr, &read_block, nullptr) == ARCHIVE_OK;
}

TarReader::~TarReader() { ::archive_read_free(archive_); }

std::int64_t TarReader::fill(const void** data) {
    *data = buffer_.data();
    if (head_bytes_ > kMaxHeadBytes) {
        errno = EFBIG;
        return -1;
    }
    if (head_bytes_ > 0) head_bytes_ += buffer_.size();
    return source_.read(buffer_.data(), buffer_.size());
}

TarReader::Step TarReader::next(Entry& entry) {
    archive_entry* raw = nullptr;
    if (!is_readable_) return Step::broken;
    if (has_entry_) static_cast<void>(::archive_read_data_skip(archive_));
    head_bytes_ = 1;
    const int result = ::archive_read_next_header(archive_, &raw);
    head_bytes_ = 0;
    has_entry_ = result == ARCHIVE_OK || result == ARCHIVE_WARN;
    if (result == ARCHIVE_EOF) return Step::end;
    if (result == ARCHIVE_WARN) return Step::damaged;
    if (result != ARCHIVE_OK) return Step::broken;
    entry = {};
    entry.kind = kind_of(raw);
    entry.path = or_empty(::archive_entry_pathname(raw));
    if (entry.kind == Kind::link) entry.target = or_empty(::archive_entry_symlink(raw));
    if (entry.kind == Kind::hard_link) entry.target = or_empty(::archive_entry_hardlink(raw));
    const mode_t mode = ::archive_entry_perm(raw);
    entry.mode = mode & 0777U;
    entry.lost_bits = (mode & 07000U) != 0;
    entry.has_mtime = ::archive_entry_mtime_is_set(raw) != 0;
    entry.mtime = {.tv_sec = ::archive_entry_mtime(raw),
                   .tv_nsec = ::archive_entry_mtime_nsec(raw)};
    entry.size = ::archive_entry_size(raw);
    return Step::entry;
}

TarReader::Step TarReader::next_block(Block& block) {
    const void* data = nullptr;
    std::size_t count = 0;
    la_int64_t offset = 0;
    const int result = ::archive_read_data_block(archive_, &data, &count, &offset);
    if (result == ARCHIVE_EOF) return Step::end;
    if (result != ARCHIVE_OK) return Step::broken;
    block = {.data = {static_cast<const char*>(data), count}, .offset = offset};
    return Step::entry;
}

std::string_view TarReader::why() const {
    const char* text = archive_ == nullptr ? nullptr : ::archive_error_string(archive_);
    return text == nullptr ? "out of memory" : text;
}

}  // namespace alca::tree
