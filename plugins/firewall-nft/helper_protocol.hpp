// firewall-nft/helper_protocol.hpp - what the plugin and the installed network helper
// (plugins/firewall-nft/helper) say to each other.
//
// The plugin starts the helper for each question. It writes one JSON object, {version, method,
// request}, and the end of its output; the helper answers with one, {version, answer} or {version,
// code, message}, and ends. Methods: probe, apply, verify, remove, report; requests and answers are
// those of alca.firewall/1.
#ifndef ALCA_FIREWALL_NFT_HELPER_PROTOCOL_HPP
#define ALCA_FIREWALL_NFT_HELPER_PROTOCOL_HPP

#include <cstddef>

namespace alca::nft {

// +1 with every change of what is said or of the rules that follow from it.
inline constexpr int kHelperVersion = 1;
inline constexpr std::size_t kMaxHelperBytes = std::size_t{4} << 20;
inline constexpr std::size_t kMaxHelperRequestBytes = std::size_t{256} << 10;

// Where `alca network-helper install` puts it.
inline constexpr const char* kInstalledHelper = "/usr/local/libexec/alca/alca-network-helper";

}  // namespace alca::nft

#endif
