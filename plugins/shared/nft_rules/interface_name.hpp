// nft_rules/interface_name.hpp - the name of a sandbox's bridge: all that the kernel knows it by.
#ifndef ALCA_NFT_RULES_INTERFACE_NAME_HPP
#define ALCA_NFT_RULES_INTERFACE_NAME_HPP

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alca/result.hpp"

namespace alca::nft {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::string_view kInterfacePrefix = "alca";
inline constexpr std::size_t kInterfaceKeyBytes = 16;  // IFNAMSIZ

// "alca" and 1 to 11 of [0-9a-z]. Nothing else ever becomes part of a rule.
class InterfaceName {
  public:
    // Errors: invalid.
    [[nodiscard]] static Result<InterfaceName> parse(std::string_view text);
    // The name in a set key: up to the first zero byte. Errors: invalid.
    [[nodiscard]] static Result<InterfaceName> from_key(const Bytes& key);

    [[nodiscard]] const std::string& text() const { return text_; }
    // As a set key: 16 bytes, padded with zeros.
    [[nodiscard]] Bytes key() const;
    // The counter of this sandbox for one reason: "c_0a_lan" for interface "alca0a".
    [[nodiscard]] std::string counter(std::string_view reason) const;

    // A chain of this sandbox's own: "s_0a" for prefix "s_".
    [[nodiscard]] std::string chain(std::string_view prefix) const;

    auto operator<=>(const InterfaceName&) const = default;

  private:
    explicit InterfaceName(std::string_view text) : text_(text) {}
    std::string text_;
};

}  // namespace alca::nft

#endif
