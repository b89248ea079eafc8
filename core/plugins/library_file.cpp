#include "core/plugins/library_file.hpp"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/os/fd.hpp"
#include "core/os/file.hpp"

namespace alca::plugins {
namespace {

using Header = ElfW(Ehdr);
using Segment = ElfW(Phdr);

constexpr std::size_t kMaxSegments = 128;

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
#else
#error "name the ELF machine of this architecture here"
#endif
constexpr unsigned char kClass = sizeof(void*) == 8 ? ELFCLASS64 : ELFCLASS32;

// Reads exactly `size` bytes at `offset`; false when the file is shorter or cannot be read.
bool read_at(int fd, void* to, std::size_t size, std::uint64_t offset) {
    auto* bytes = static_cast<char*>(to);
    while (size > 0) {
        const ssize_t count = ::pread(fd, bytes, size, static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes += count;
        size -= static_cast<std::size_t>(count);
        offset += static_cast<std::uint64_t>(count);
    }
    return true;
}

const char* fault_of(int fd, std::uint64_t file_bytes) {
    Header header{};
    if (!read_at(fd, &header, sizeof header, 0)) return "is truncated";
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_type != ET_DYN ||
        header.e_phentsize != sizeof(Segment)) {
        return "is not a shared library";
    }
    if (header.e_ident[EI_CLASS] != kClass || header.e_machine != kMachine) {
        return "is a library for another machine";
    }
    if (header.e_phnum > kMaxSegments) return "is not a shared library";
    std::vector<Segment> segments(header.e_phnum);
    if (!read_at(fd, segments.data(), segments.size() * sizeof(Segment), header.e_phoff)) {
        return "is truncated";
    }
    for (const Segment& segment : segments) {
        if (segment.p_offset > file_bytes || segment.p_filesz > file_bytes - segment.p_offset) {
            return "is truncated";
        }
    }
    return nullptr;
}

}  // namespace

Result<void> check_library_file(const std::filesystem::path& file) {
    const os::Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat info{};
    if (!fd || ::fstat(fd.get(), &info) != 0) {
        return fail(Code::failed, fmt::format("{}: {}", file.string(), os::errno_text(errno)));
    }
    if (const char* fault = fault_of(fd.get(), static_cast<std::uint64_t>(info.st_size))) {
        return fail(Code::invalid,
                    fmt::format("{} {}; install the plugin again", file.string(), fault));
    }
    return {};
}

}  // namespace alca::plugins
