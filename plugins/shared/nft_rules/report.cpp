#include "plugins/shared/nft_rules/report.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "plugins/shared/nft_rules/table.hpp"

namespace alca::nft {
namespace {

// A key of blocked4 and blocked6: name, address, protocol and port, each in a multiple of 4 bytes.
constexpr std::size_t kTailBytes = 8;

Result<std::uint64_t> read_counter(Netlink& netlink, const std::string& name) {
    const auto answer = netlink.get(NFT_MSG_GETOBJ, [&](nlmsghdr* message) {
        mnl_attr_put_strz(message, NFTA_OBJ_TABLE, kTable);
        mnl_attr_put_strz(message, NFTA_OBJ_NAME, name.c_str());
        mnl_attr_put_u32(message, NFTA_OBJ_TYPE, htonl(NFT_OBJECT_COUNTER));
    });
    if (!answer) return fail(answer.error());
    if (answer->empty()) return 0;
    auto object = own<ObjectPtr>(nftnl_obj_alloc());
    if (nftnl_obj_nlmsg_parse(answer->front().header(), object.get()) < 0) return 0;
    return nftnl_obj_get_u64(object.get(), NFTNL_OBJ_CTR_PKTS);
}

std::string address_text(const std::uint8_t* bytes, std::size_t size) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text.data(), text.size());
    return text.data();
}

struct Wanted {
    Bytes interface;  // empty: of any
    std::vector<BlockedTarget> found;
};

int note_target(nftnl_set_elem* element, void* data) {
    auto& wanted = *static_cast<Wanted*>(data);
    std::uint32_t size = 0;
    const void* raw = nftnl_set_elem_get(element, NFTNL_SET_ELEM_KEY, &size);
    const auto* key = static_cast<const std::uint8_t*>(raw);
    if (key == nullptr || size <= kInterfaceKeyBytes + kTailBytes) return 0;
    if (!std::equal(wanted.interface.begin(), wanted.interface.end(), key)) return 0;
    const std::size_t address_bytes = size - kInterfaceKeyBytes - kTailBytes;
    if (address_bytes != 4 && address_bytes != 16) return 0;
    const std::uint8_t* address = key + kInterfaceKeyBytes;
    const std::uint8_t* tail = address + address_bytes;
    BlockedTarget target{.address = address_text(address, address_bytes),
                         .protocol = tail[0] == IPPROTO_UDP ? "udp" : "tcp",
                         .port = static_cast<std::uint16_t>(tail[4] << 8 | tail[5])};
    if (nftnl_set_elem_is_set(element, NFTNL_SET_ELEM_EXPR)) {
        std::uint32_t bytes = 0;
        const void* counter = nftnl_set_elem_get(element, NFTNL_SET_ELEM_EXPR, &bytes);
        target.packets =
            nftnl_expr_get_u64(static_cast<const nftnl_expr*>(counter), NFTNL_EXPR_CTR_PACKETS);
    }
    wanted.found.push_back(std::move(target));
    return 0;
}

Result<void> read_blocked(Netlink& netlink, const char* name, Wanted& wanted) {
    const auto answer = netlink.dump(NFT_MSG_GETSETELEM, [&](nlmsghdr* message) {
        mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, kTable);
        mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, name);
    });
    if (!answer) return fail(answer.error());
    for (const Message& message : *answer) {
        auto set = own<SetPtr>(nftnl_set_alloc());
        if (nftnl_set_elems_nlmsg_parse(message.header(), set.get()) < 0) continue;
        nftnl_set_elem_foreach(set.get(), note_target, &wanted);
    }
    return {};
}

Result<std::vector<BlockedTarget>> read_targets(Netlink& netlink, Bytes interface) {
    Wanted wanted{.interface = std::move(interface), .found = {}};
    for (const char* set : {kBlocked4, kBlocked6}) {
        if (auto read = read_blocked(netlink, set, wanted); !read) return fail(read.error());
    }
    return std::move(wanted.found);
}

}  // namespace

Result<FirewallReport> read_report(Netlink& netlink, const InterfaceName& interface) {
    FirewallReport report;
    for (const std::string_view reason : kReasons) {
        const auto packets = read_counter(netlink, interface.counter(reason));
        if (!packets) return fail(packets.error());
        report.refused.emplace(reason, *packets);
    }
    auto blocked = read_targets(netlink, interface.key());
    if (!blocked) return fail(blocked.error());
    report.blocked = std::move(*blocked);
    return report;
}

Result<FirewallReport> read_report(Netlink& netlink, const std::vector<std::string>& counters) {
    FirewallReport report;
    for (const std::string& name : counters) {
        const auto packets = read_counter(netlink, name);
        if (!packets) return fail(packets.error());
        report.refused.emplace(name, *packets);
    }
    auto blocked = read_targets(netlink, {});
    if (!blocked) return fail(blocked.error());
    report.blocked = std::move(*blocked);
    return report;
}

}  // namespace alca::nft
