// plugins/shared/engine_http/fd.hpp - the owning file descriptor of plugins.
#ifndef ALCA_PLUGINS_SHARED_ENGINE_HTTP_FD_HPP
#define ALCA_PLUGINS_SHARED_ENGINE_HTTP_FD_HPP

#include <unistd.h>

#include <utility>

namespace alca::engine_http {

// Owns one descriptor, or none (-1). Closes it at the end of its life.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) {
            if (fd_ >= 0) ::close(fd_);
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() {
        if (fd_ >= 0) ::close(fd_);
    }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }

  private:
    int fd_ = -1;
};

}  // namespace alca::engine_http

#endif
