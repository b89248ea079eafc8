// A call that nobody listens to.
#ifndef ALCA_TESTS_FIREWALL_NFT_QUIET_CALL_HPP
#define ALCA_TESTS_FIREWALL_NFT_QUIET_CALL_HPP

#include "alca/call.hpp"

namespace alca::nft::test {

class QuietCall final : public Call {
  public:
    // cancel_fd: -1, or borrowed for the object's life.
    explicit QuietCall(int cancel_fd = -1) : cancel_fd_(cancel_fd) {}
    [[nodiscard]] int cancel_fd() const override { return cancel_fd_; }
    void log(LogLevel /*level*/, std::string_view /*line*/) const override {}
    void progress(const Progress& /*progress*/) const override {}

  private:
    int cancel_fd_;
};

}  // namespace alca::nft::test

#endif
