// core/config/powers.hpp - what a configuration may do beyond the plain sandbox, for approval.
#ifndef ALCA_CORE_CONFIG_POWERS_HPP
#define ALCA_CORE_CONFIG_POWERS_HPP

#include <string>
#include <vector>

#include "core/config/config.hpp"

namespace alca::config {

// One power. id: canonical, compared with the approved ones and stored as it is; an id that changes
// in any way is a new power. text: for people, one line, safe to print (no control characters).
struct Power {
    std::string id;    // "mount rw /home/me/data"
    std::string text;  // "can read and write /home/me/data (mount)"
    friend bool operator==(const Power&, const Power&) = default;
};

// Sorted by id, without duplicates; empty for a configuration that asks for nothing. Pure.
[[nodiscard]] std::vector<Power> powers(const Config& config);

// Those of `wanted` whose id is not in `approved`.
[[nodiscard]] std::vector<Power> unapproved(const std::vector<Power>& wanted,
                                            const std::vector<std::string>& approved);

}  // namespace alca::config

#endif
