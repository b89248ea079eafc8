#include "plugins/shared/nft_rules/interface_name.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace alca::nft {

Result<InterfaceName> InterfaceName::parse(std::string_view text) {
    const auto allowed = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); };
    const bool valid = text.size() > kInterfacePrefix.size() && text.size() < kInterfaceKeyBytes &&
                       text.starts_with(kInterfacePrefix) &&
                       std::all_of(text.begin(), text.end(), allowed);
    if (!valid) {
        // The text is not repeated: it may hold anything.
        return fail(Code::invalid,
                    "not the interface of a sandbox; expected \"alca\" and 1 to 11 of 0-9 and a-z");
    }
    return InterfaceName(text);
}

Result<InterfaceName> InterfaceName::from_key(const Bytes& key) {
    return parse(std::string(key.begin(), std::find(key.begin(), key.end(), std::uint8_t{0})));
}

Bytes InterfaceName::key() const {
    Bytes key(text_.begin(), text_.end());
    key.resize(kInterfaceKeyBytes);
    return key;
}

std::string InterfaceName::chain(std::string_view prefix) const {
    return std::string(prefix) + text_.substr(kInterfacePrefix.size());
}

std::string InterfaceName::counter(std::string_view reason) const {
    return fmt::format("c_{}_{}", text_.substr(kInterfacePrefix.size()), reason);
}

}  // namespace alca::nft
