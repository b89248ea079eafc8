// nft_rules/kernel.hpp - where the rules are: a kernel's network namespace and the way into it.
#ifndef ALCA_NFT_RULES_KERNEL_HPP
#define ALCA_NFT_RULES_KERNEL_HPP

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "alca/result.hpp"
#include "plugins/shared/nft_rules/interface_name.hpp"

namespace alca::nft {

// One netlink socket. Errors are errno values, 0 is none.
class Wire {
  public:
    virtual ~Wire() = default;
    virtual int send(std::span<const std::uint8_t> datagram) = 0;
    // size: of the whole datagram. ENOSPC: it is larger than `buffer`. EAGAIN: none is there, and
    // `wait` is false.
    virtual int receive(std::span<std::uint8_t> buffer, std::size_t& size, bool wait) = 0;
    // 0: not known.
    [[nodiscard]] virtual std::uint32_t port() const = 0;

  protected:
    Wire() = default;
    Wire(const Wire&) = default;
    Wire& operator=(const Wire&) = default;
};

class Kernel {
  public:
    virtual ~Kernel() = default;
    // protocol: NETLINK_NETFILTER or NETLINK_ROUTE; one of each at a time. Errors: denied,
    // unavailable, failed.
    [[nodiscard]] virtual Result<std::unique_ptr<Wire>> open(int protocol) = 0;
    // What the kernel there says of one UDP datagram to `address` (4 or 16 bytes): an errno, or 0
    // when it let the datagram go. Errors: failed.
    [[nodiscard]] virtual Result<int> probe(const Bytes& address) = 0;

  protected:
    Kernel() = default;
    Kernel(const Kernel&) = default;
    Kernel& operator=(const Kernel&) = default;
};

// The namespace of the thread that calls.
[[nodiscard]] std::unique_ptr<Kernel> this_namespace();
// The namespace that process `pid` is in, which must not be the caller's own: what is meant for a
// sandbox would replace the rules of the host. Errors: denied (no CAP_SYS_ADMIN), not_found (no
// such process), invalid (it is the caller's own).
[[nodiscard]] Result<std::unique_ptr<Kernel>> namespace_of(pid_t pid);
// The namespace that an alca-net at the other end of the stream `fd` is in. `fd` is borrowed.
// Errors: unavailable (no alca-net there, the stream has ended).
[[nodiscard]] Result<std::unique_ptr<Kernel>> through_relay(int fd);

}  // namespace alca::nft

#endif
