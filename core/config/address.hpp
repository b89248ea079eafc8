// core/config/address.hpp - numeric addresses as text and as bytes.
#ifndef ALCA_CORE_CONFIG_ADDRESS_HPP
#define ALCA_CORE_CONFIG_ADDRESS_HPP

#include <string>
#include <vector>

namespace alca::config {

// 4 or 16 bytes in network order; empty when `text` is no address.
[[nodiscard]] std::vector<unsigned char> parse_address(const std::string& text);
// The one canonical form of 4 or 16 bytes.
[[nodiscard]] std::string address_text(const std::vector<unsigned char>& bytes);
// The IPv4 address that an IPv6 one stands for, as text; "" when there is none.
[[nodiscard]] std::string mapped_ipv4(const std::vector<unsigned char>& bytes);

}  // namespace alca::config

#endif
