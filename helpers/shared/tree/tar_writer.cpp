#include "helpers/shared/tree/tar_writer.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>

#include "helpers/shared/tree/path.hpp"

namespace alca::tree {
namespace {

constexpr int kBlockBytes = 64 * 1024;  // for the sink; small files share one

la_ssize_t write_block(archive* /*unused*/, void* self, const void* data, std::size_t count) {
    const bool is_taken =
        static_cast<TarWriter*>(self)->pass_on(static_cast<const char*>(data), count);
    return is_taken ? static_cast<la_ssize_t>(count) : -1;
}

}  // namespace

TarWriter::TarWriter(ByteSink& sink)
    : sink_(sink), archive_(::archive_write_new()), entry_(::archive_entry_new()) {
    if (archive_ == nullptr || entry_ == nullptr) return;
    ::archive_write_set_format_gnutar(archive_);
    ::archive_write_set_bytes_per_block(archive_, kBlockBytes);
    ::archive_write_set_bytes_in_last_block(archive_, 1);
    ::archive_write_open(archive_, this, nullptr, &write_block, nullptr);
}

TarWriter::~TarWriter() {
    // Freeing completes the stream; one that broke off must not look complete.
    is_over_ = true;
    ::archive_entry_free(entry_);
    ::archive_write_free(archive_);
}

bool TarWriter::pass_on(const char* data, std::size_t count) {
    return is_over_ || sink_.write(data, count);
}

bool TarWriter::begin(const Entry& entry) {
    if (archive_ == nullptr || entry_ == nullptr) return false;
    ::archive_entry_clear(entry_);
    Path path;
    Path target;
    // A link's text may be as long as a path.
    if (!path.set(entry.path) || !target.set(entry.target)) return false;
    ::archive_entry_copy_pathname(entry_, path.c_str());
    ::archive_entry_set_perm(entry_, entry.mode);
    if (entry.has_mtime) ::archive_entry_set_mtime(entry_, entry.mtime.tv_sec, 0);
    unsigned type = AE_IFREG;
    if (entry.kind == Kind::directory) type = AE_IFDIR;
    if (entry.kind == Kind::link) type = AE_IFLNK;
    ::archive_entry_set_filetype(entry_, type);
    if (entry.kind == Kind::link) ::archive_entry_copy_symlink(entry_, target.c_str());
    if (entry.kind == Kind::hard_link) ::archive_entry_copy_hardlink(entry_, target.c_str());
    ::archive_entry_set_size(entry_, entry.kind == Kind::file ? entry.size : 0);
    return ::archive_write_header(archive_, entry_) == ARCHIVE_OK;
}

bool TarWriter::write(const char* data, std::size_t count) {
    // Less than asked for: the entry is full, and its header has told another size.
    const la_ssize_t written = ::archive_write_data(archive_, data, count);
    if (written >= 0 && static_cast<std::size_t>(written) != count) errno = EFBIG;
    return written >= 0 && static_cast<std::size_t>(written) == count;
}

bool TarWriter::close() {
    return archive_ != nullptr && entry_ != nullptr &&
           ::archive_write_close(archive_) == ARCHIVE_OK;
}

}  // namespace alca::tree
