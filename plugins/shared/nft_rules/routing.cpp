#include "plugins/shared/nft_rules/routing.hpp"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <system_error>

namespace alca::nft {
namespace {

constexpr std::size_t kReceiveBytes = std::size_t{64} * 1024;

using Attributes = std::array<const nlattr*, 64>;

int note_attribute(const nlattr* attribute, void* data) {
    auto& attributes = *static_cast<Attributes*>(data);
    const std::uint16_t type = mnl_attr_get_type(attribute);
    if (type < attributes.size()) attributes[type] = attribute;
    return MNL_CB_OK;
}

Attributes attributes_of(const nlmsghdr* message, std::size_t header_bytes) {
    Attributes attributes{};
    if (mnl_attr_parse(message, static_cast<unsigned>(header_bytes), note_attribute, &attributes) <
        0) {
        attributes = {};
    }
    return attributes;
}

Bytes bytes_of(const nlattr* attribute) {
    const auto* first = static_cast<const std::uint8_t*>(mnl_attr_get_payload(attribute));
    return {first, first + mnl_attr_get_payload_len(attribute)};
}

bool is_address(const Bytes& bytes) { return bytes.size() == 4 || bytes.size() == 16; }

using Each = std::function<void(const nlmsghdr*)>;

int hand_on(const nlmsghdr* message, void* each) {
    (*static_cast<const Each*>(each))(message);
    return MNL_CB_OK;
}

// errno, or 0.
int dump_once(Wire& wire, std::uint16_t type, std::uint8_t family, const Each& each) {
    std::vector<std::uint8_t> buffer(kReceiveBytes);
    nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
    request->nlmsg_type = type;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request->nlmsg_seq = 1;
    // As large as the headers of all three kinds; the family is each one's first byte.
    auto* header = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(request, sizeof(ifinfomsg)));
    header->ifi_family = family;
    int error = wire.send({buffer.data(), request->nlmsg_len});
    int state = MNL_CB_OK;
    while (error == 0 && state > MNL_CB_STOP) {
        std::size_t size = 0;
        error = wire.receive(buffer, size, true);
        if (error != 0) break;
        state = mnl_cb_run(buffer.data(), size, 1, wire.port(), hand_on, const_cast<Each*>(&each));
        if (state < 0) error = errno;
    }
    return error;
}

// begin: forgets what an attempt before has found.
Result<void> dump(Kernel& kernel, std::uint16_t type, std::uint8_t family,
                  const std::function<void()>& begin, const Each& each) {
    // A dump that a change interrupts is told as EINTR, and begun anew; by a new socket, with
    // which goes what is left of the old dump.
    constexpr int kAttempts = 20;
    int error = EINTR;
    for (int i = 0; i < kAttempts && error == EINTR; ++i) {
        auto wire = kernel.open(NETLINK_ROUTE);
        if (!wire) return fail(wire.error());
        begin();
        error = dump_once(**wire, type, family, each);
    }
    if (error == 0) return {};
    return fail("cannot read the kernel's routes: " + std::generic_category().message(error));
}

}  // namespace

Result<std::map<std::uint32_t, std::string>> read_links(Kernel& kernel) {
    std::map<std::uint32_t, std::string> links;
    const auto done = dump(
        kernel, RTM_GETLINK, AF_UNSPEC, [&] { links.clear(); },
        [&](const nlmsghdr* message) {
            if (message->nlmsg_type != RTM_NEWLINK) return;
            const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
            const Attributes attributes = attributes_of(message, sizeof *link);
            if (attributes[IFLA_IFNAME] == nullptr) return;
            links[static_cast<std::uint32_t>(link->ifi_index)] =
                mnl_attr_get_str(attributes[IFLA_IFNAME]);
        });
    if (!done) return fail(done.error());
    return links;
}

Result<std::vector<Route>> read_on_link_routes(Kernel& kernel) {
    const auto links = read_links(kernel);
    if (!links) return fail(links.error());
    std::vector<Route> all;
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
        std::vector<Route> routes;
        const auto note = [&](const nlmsghdr* message) {
            if (message->nlmsg_type != RTM_NEWROUTE) return;
            const auto* route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
            // Cloned ones are no routes but what the kernel remembers of single hosts.
            const bool is_cloned = (route->rtm_flags & RTM_F_CLONED) != 0;
            if (route->rtm_type != RTN_UNICAST || is_cloned) return;
            const Attributes attributes = attributes_of(message, sizeof *route);
            const bool has_gateway = attributes[RTA_GATEWAY] != nullptr ||
                                     attributes[RTA_VIA] != nullptr ||
                                     attributes[RTA_MULTIPATH] != nullptr;
            // Without a destination it is a default route.
            if (has_gateway || attributes[RTA_OIF] == nullptr || attributes[RTA_DST] == nullptr) {
                return;
            }
            const Bytes target = bytes_of(attributes[RTA_DST]);
            if (!is_address(target)) return;
            const auto link = links->find(mnl_attr_get_u32(attributes[RTA_OIF]));
            routes.push_back({.to = prefix_range(target, route->rtm_dst_len),
                              .prefix_bits = route->rtm_dst_len,
                              .interface = link == links->end() ? "" : link->second});
        };
        const auto done = dump(kernel, RTM_GETROUTE, family, [&] { routes.clear(); }, note);
        if (!done) return fail(done.error());
        all.insert(all.end(), routes.begin(), routes.end());
    }
    return all;
}

Result<std::vector<Bytes>> read_own_addresses(Kernel& kernel) {
    const auto links = read_links(kernel);
    if (!links) return fail(links.error());
    std::vector<Bytes> addresses;
    const auto done = dump(
        kernel, RTM_GETADDR, AF_UNSPEC, [&] { addresses.clear(); },
        [&](const nlmsghdr* message) {
            if (message->nlmsg_type != RTM_NEWADDR) return;
            const auto* header = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(message));
            const auto link = links->find(header->ifa_index);
            if (link != links->end() && link->second.starts_with(kInterfacePrefix)) return;
            const Attributes attributes = attributes_of(message, sizeof *header);
            // On a point-to-point link IFA_ADDRESS is the other end.
            const nlattr* own =
                attributes[IFA_LOCAL] != nullptr ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
            if (own == nullptr || !is_address(bytes_of(own))) return;
            addresses.push_back(bytes_of(own));
        });
    if (!done) return fail(done.error());
    std::sort(addresses.begin(), addresses.end());
    addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
    return addresses;
}

}  // namespace alca::nft
