// nft_rules/relay_protocol.hpp - what relay.cpp and helpers/alca-net say to each other over one
// stream: the system calls of a few sockets, one at a time.
//
// alca-net begins with kHello. Then each Request, with its payload behind it, is answered by one
// Reply with its payload. The end of the stream ends alca-net.
#ifndef ALCA_NFT_RULES_RELAY_PROTOCOL_HPP
#define ALCA_NFT_RULES_RELAY_PROTOCOL_HPP

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace alca::nft::relay {

static_assert(std::endian::native == std::endian::little, "numbers are sent as they are");

inline constexpr std::array<char, 8> kHello{'a', 'l', 'c', 'a', 'n', 'e', 't', '1'};
inline constexpr std::size_t kMaxRequestBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxReplyBytes = std::size_t{64} << 10;

enum Operation : std::uint32_t {
    // argument: NETLINK_NETFILTER or NETLINK_ROUTE. A second one takes the place of the first.
    open_netlink = 1,
    send_netlink = 2,     // argument: which; payload: the datagram
    receive_netlink = 3,  // argument: which. Waits. The reply's payload is the datagram
    receive_now = 4,      // the same without waiting: EAGAIN
    // payload: an address, 4 or 16 bytes. Sends one UDP datagram there; the error is the kernel's.
    probe = 5,
};

struct Request {
    std::uint32_t operation = 0;
    std::uint32_t argument = 0;
    std::uint32_t bytes = 0;
};

struct Reply {
    std::int32_t error = 0;  // errno, 0: done
    std::uint32_t bytes = 0;
};

}  // namespace alca::nft::relay

#endif
