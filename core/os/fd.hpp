// core/os/fd.hpp - the owning file descriptor.
#ifndef ALCA_CORE_OS_FD_HPP
#define ALCA_CORE_OS_FD_HPP

#include <unistd.h>

#include <utility>

namespace alca::os {

// Owns one descriptor, or none (-1). Closes it at the end of its life.
class Fd {
  public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Fd& operator=(Fd&& other) noexcept {
        if (this != &other) reset(std::exchange(other.fd_, -1));
        return *this;
    }
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;
    ~Fd() { reset(); }

    [[nodiscard]] int get() const { return fd_; }
    [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }
    [[nodiscard]] int release() { return std::exchange(fd_, -1); }
    // Closes the owned one and owns `fd`. EINTR of close is not retried: on Linux the descriptor is
    // gone.
    void reset(int fd = -1) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = fd;
    }

  private:
    int fd_ = -1;
};

}  // namespace alca::os

#endif
