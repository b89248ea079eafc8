#include "core/config/address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace alca::config {

std::vector<unsigned char> parse_address(const std::string& text) {
    const bool v6 = text.find(':') != std::string::npos;
    std::vector<unsigned char> bytes(v6 ? 16 : 4);
    const bool has_zero = text.find('\0') != std::string::npos;  // where inet_pton would stop
    if (has_zero || ::inet_pton(v6 ? AF_INET6 : AF_INET, text.c_str(), bytes.data()) != 1) {
        bytes.clear();
    }
    return bytes;
}

std::string address_text(const std::vector<unsigned char>& bytes) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(bytes.size() == 4 ? AF_INET : AF_INET6, bytes.data(), text.data(), text.size());
    return text.data();
}

std::string mapped_ipv4(const std::vector<unsigned char>& bytes) {
    constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (bytes.size() != 16 || !std::equal(kMapped.begin(), kMapped.end(), bytes.begin())) return "";
    return address_text({bytes.begin() + kMapped.size(), bytes.end()});
}

}  // namespace alca::config
