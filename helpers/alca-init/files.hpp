#pragma once

#include <cstddef>
#include <string_view>

#include "bytes.hpp"
#include "fd.hpp"

namespace alca::init {

// open(2) relative to `directory` with O_CLOEXEC, EINTR handled. On failure errno says why.
[[nodiscard]] Fd open_at(int directory, const char* path, int flags, unsigned mode = 0);

// Writes everything; waits when a descriptor does not take more. False: errno says why.
[[nodiscard]] bool write_all(int fd, std::string_view bytes);

// Adds the whole content of `fd` to `out`. False: errno says why, EFBIG when there is more than
// `limit` bytes.
[[nodiscard]] bool read_all(int fd, std::size_t limit, Bytes& out);
[[nodiscard]] bool read_file(const char* path, std::size_t limit, Bytes& out);

// Takes the first line, without its newline, from the front of `text`.
std::string_view take_line(std::string_view& text);

}  // namespace alca::init
