#include "client_stream.hpp"

#include <unistd.h>

#include <cerrno>

namespace alca::init {

bool ClientStream::fill() {
    ssize_t count = -1;
    do {
        count = ::read(STDIN_FILENO, buffer_.data(), buffer_.size());
    } while (count < 0 && errno == EINTR);
    if (count < 0 && errno == EAGAIN) return true;
    if (count <= 0) return false;
    rest_ = {buffer_.data(), static_cast<std::size_t>(count)};
    return true;
}

}  // namespace alca::init
