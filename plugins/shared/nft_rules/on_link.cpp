#include "plugins/shared/nft_rules/on_link.hpp"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

namespace alca::nft {
namespace {

constexpr unsigned kShortest4 = 8;
constexpr unsigned kShortest6 = 16;

struct Close {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
};
using SocketPtr = std::unique_ptr<mnl_socket, Close>;

using Attributes = std::array<const nlattr*, RTA_MAX + 1>;

int note_attribute(const nlattr* attribute, void* data) {
    auto& attributes = *static_cast<Attributes*>(data);
    const std::uint16_t type = mnl_attr_get_type(attribute);
    if (type < attributes.size()) attributes[type] = attribute;
    return MNL_CB_OK;
}

std::string interface_of(const nlattr* attribute) {
    std::array<char, IF_NAMESIZE> name{};
    if (::if_indextoname(mnl_attr_get_u32(attribute), name.data()) == nullptr) return {};
    return name.data();
}

int note_route(const nlmsghdr* message, void* data) {
    if (message->nlmsg_type != RTM_NEWROUTE) return MNL_CB_OK;
    const auto* route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
    // Cloned ones are no routes but what the kernel remembers of single hosts.
    const bool is_cloned = (route->rtm_flags & RTM_F_CLONED) != 0;
    if (route->rtm_type != RTN_UNICAST || is_cloned) return MNL_CB_OK;
    Attributes attributes{};
    if (mnl_attr_parse(message, sizeof *route, note_attribute, &attributes) < 0) return MNL_CB_OK;
    const bool has_gateway = attributes[RTA_GATEWAY] != nullptr || attributes[RTA_VIA] != nullptr ||
                             attributes[RTA_MULTIPATH] != nullptr;
    // Without a destination it is a default route.
    if (has_gateway || attributes[RTA_OIF] == nullptr || attributes[RTA_DST] == nullptr) {
        return MNL_CB_OK;
    }
    const nlattr* target = attributes[RTA_DST];
    const auto* bytes = static_cast<const std::uint8_t*>(mnl_attr_get_payload(target));
    const std::size_t size = mnl_attr_get_payload_len(target);
    if (size != 4 && size != 16) return MNL_CB_OK;
    static_cast<std::vector<Route>*>(data)->push_back(
        {.to = prefix_range(Bytes(bytes, bytes + size), route->rtm_dst_len),
         .prefix_bits = route->rtm_dst_len,
         .interface = interface_of(attributes[RTA_OIF])});
    return MNL_CB_OK;
}

// errno, or 0. A socket of its own: what is left of a dump that was interrupted goes with it.
int dump_routes(std::uint8_t family, std::vector<Route>& routes) {
    const SocketPtr owner(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
    mnl_socket* socket = owner.get();
    if (socket == nullptr || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) return errno;
    std::array<char, 32UL * 1024> buffer{};
    nlmsghdr* request = mnl_nlmsg_put_header(buffer.data());
    request->nlmsg_type = RTM_GETROUTE;
    request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    request->nlmsg_seq = family;
    auto* header = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(request, sizeof(rtmsg)));
    header->rtm_family = family;
    if (mnl_socket_sendto(socket, request, request->nlmsg_len) < 0) return errno;
    while (true) {
        const ssize_t size = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return errno;
        const int state = mnl_cb_run(buffer.data(), static_cast<std::size_t>(size), family,
                                     mnl_socket_get_portid(socket), note_route, &routes);
        if (state < 0) return errno;
        if (state == MNL_CB_STOP) return 0;
    }
}

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

bool is_covered(const AddressRange& range, const std::vector<AddressRange>& by) {
    return std::any_of(by.begin(), by.end(), [&](const AddressRange& wide) {
        return wide.first.size() == range.first.size() && wide.first <= range.first &&
               range.last <= wide.last;
    });
}

}  // namespace

Result<std::vector<Route>> read_on_link_routes() {
    // A dump that a change interrupts is told as EINTR, and begun anew.
    constexpr int kAttempts = 20;
    int error = EINTR;
    std::vector<Route> routes;
    for (int i = 0; i < kAttempts && error == EINTR; ++i) {
        routes.clear();
        error = dump_routes(AF_INET, routes);
        if (error == 0) error = dump_routes(AF_INET6, routes);
    }
    if (error != 0) {
        return fail(std::string("cannot read the kernel's routes: ") + std::strerror(error));
    }
    return routes;
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
