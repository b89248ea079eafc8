#include "plugins/shared/nft_rules/on_link.hpp"

#include <algorithm>

namespace alca::nft {
namespace {

constexpr unsigned kShortest4 = 8;
constexpr unsigned kShortest6 = 16;

// Ranges that overlap or touch become one.
std::vector<AddressRange> merged(std::vector<AddressRange> ranges) {
    std::sort(ranges.begin(), ranges.end());
    std::vector<AddressRange> out;
    for (AddressRange& range : ranges) {
        const auto behind = out.empty() ? std::optional<Bytes>() : next(out.back().last);
        const bool joins = !out.empty() && (!behind || range.first <= *behind);
        if (!joins) {
            out.push_back(std::move(range));
        } else if (out.back().last < range.last) {
            out.back().last = std::move(range.last);
        }
    }
    return out;
}

}  // namespace

bool is_covered(const AddressRange& range, const std::vector<AddressRange>& by) {
    return std::any_of(by.begin(), by.end(), [&](const AddressRange& wide) {
        return wide.first.size() == range.first.size() && wide.first <= range.first &&
               range.last <= wide.last;
    });
}

OnLink on_link(std::vector<Route> routes, const std::vector<AddressRange>& refused) {
    OnLink found;
    for (Route& route : routes) {
        const bool v4 = route.to.first.size() == 4;
        if (route.interface == "lo" || route.interface.starts_with(kInterfacePrefix)) continue;
        if (route.prefix_bits < (v4 ? kShortest4 : kShortest6)) continue;
        if (is_covered(route.to, refused)) continue;
        (v4 ? found.v4 : found.v6).push_back(std::move(route.to));
    }
    found.v4 = merged(std::move(found.v4));
    found.v6 = merged(std::move(found.v6));
    return found;
}

}  // namespace alca::nft
