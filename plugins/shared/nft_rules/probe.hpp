// nft_rules/probe.hpp - one datagram, to see what the kernel says of it. Also part of alca-net:
// no C++ library beyond headers.
#ifndef ALCA_NFT_RULES_PROBE_HPP
#define ALCA_NFT_RULES_PROBE_HPP

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace alca::nft {

inline constexpr std::uint16_t kProbePort = 9;  // discard

// Sends one byte to the discard port of `address`, 4 or 16 bytes. An errno, 0 when it went out.
inline int send_probe(const void* address, std::size_t bytes) {
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    const bool is_v4 = bytes == sizeof v4.sin_addr;
    if (!is_v4 && bytes != sizeof v6.sin6_addr) return EINVAL;
    v4.sin_family = AF_INET;
    v4.sin_port = htons(kProbePort);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(kProbePort);
    std::memcpy(is_v4 ? static_cast<void*>(&v4.sin_addr) : &v6.sin6_addr, address, bytes);
    const int fd = ::socket(is_v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno;
    const void* target = is_v4 ? static_cast<const void*>(&v4) : &v6;
    const ssize_t sent =
        ::sendto(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, static_cast<const sockaddr*>(target),
                 is_v4 ? sizeof v4 : sizeof v6);
    const int error = sent < 0 ? errno : 0;
    ::close(fd);
    return error;
}

}  // namespace alca::nft

#endif
