// core/config/proxy.hpp - the grammar of network.proxy.
#ifndef ALCA_CORE_CONFIG_PROXY_HPP
#define ALCA_CORE_CONFIG_PROXY_HPP

#include <string>
#include <string_view>

#include "alca/firewall.hpp"
#include "alca/result.hpp"

namespace alca::config {

// "host:port"; host an IPv4 address, an IPv6 address in brackets or ${alca:HOST_IP}. Blanks around
// are ignored. Errors: invalid.
[[nodiscard]] Result<TcpProxy> parse_proxy(std::string_view text);

// Its one canonical form: what approvals and messages show.
[[nodiscard]] std::string proxy_text(const TcpProxy& proxy);

}  // namespace alca::config

#endif
