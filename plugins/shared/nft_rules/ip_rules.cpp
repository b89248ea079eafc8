#include "plugins/shared/nft_rules/ip_rules.hpp"

#include <fmt/format.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace alca::nft {
namespace {

struct Family {
    std::uint8_t number;
    const char* name;
};
constexpr std::array kFamilies = {Family{AF_INET, "IPv4"}, Family{AF_INET6, "IPv6"}};

// Attributes of a rule that say nothing about which packets it is for, and those that ours has.
constexpr std::array<std::uint16_t, 9> kExpected = {
    FRA_PRIORITY,           FRA_IIFNAME,          FRA_FWMARK, FRA_FWMASK, FRA_TABLE, FRA_PROTOCOL,
    FRA_SUPPRESS_PREFIXLEN, FRA_SUPPRESS_IFGROUP, FRA_PAD};

tl::unexpected<Error> failure(int error) {
    if (error == EPERM || error == EACCES) {
        return fail(Code::denied,
                    "cannot change the routing rules: needs CAP_NET_ADMIN in this network "
                    "namespace; run alca with sudo");
    }
    if (error == EOPNOTSUPP || error == EAFNOSUPPORT) {
        return fail(Code::unavailable,
                    "network.strict needs policy routing (CONFIG_IP_MULTIPLE_TABLES, "
                    "CONFIG_IPV6_MULTIPLE_TABLES), which this kernel does not have; take strict "
                    "out of [network]");
    }
    return fail(fmt::format("cannot change or read the routing rules: {}",
                            std::generic_category().message(error)));
}

bool has_no_rules(int error) { return error == EOPNOTSUPP || error == EAFNOSUPPORT; }

// What is not there needs no rule.
bool kernel_has(const Family& family) {
    const int fd = ::socket(family.number, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno != EAFNOSUPPORT;
    ::close(fd);
    return true;
}

struct Search {
    const std::string& interface;
    bool found = false;
};

// What the attributes of one rule say.
struct Seen {
    std::string interface;
    std::uint32_t priority = 0;
    std::uint32_t mark = 0;
    std::uint32_t mask = 0;
    bool has_more = false;  // it is for fewer packets than these say
};

int note_attribute(const nlattr* attribute, void* data) {
    auto& seen = *static_cast<Seen*>(data);
    const std::uint16_t type = mnl_attr_get_type(attribute);
    const auto number = [&] {
        return mnl_attr_validate(attribute, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(attribute);
    };
    if (type == FRA_PRIORITY) seen.priority = number();
    if (type == FRA_FWMARK) seen.mark = number();
    if (type == FRA_FWMASK) seen.mask = number();
    if (type == FRA_IIFNAME && mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) == 0) {
        seen.interface = mnl_attr_get_str(attribute);
    }
    seen.has_more |= std::find(kExpected.begin(), kExpected.end(), type) == kExpected.end();
    return MNL_CB_OK;
}

int note_rule(const nlmsghdr* message, void* data) {
    if (message->nlmsg_type != RTM_NEWRULE) return MNL_CB_OK;
    auto& search = *static_cast<Search*>(data);
    const auto* header = static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(message));
    const bool is_for_all = header->src_len == 0 && header->dst_len == 0 && header->tos == 0 &&
                            (header->flags & FIB_RULE_INVERT) == 0;
    Seen seen;
    if (header->action != FR_ACT_PROHIBIT || !is_for_all ||
        mnl_attr_parse(message, sizeof *header, note_attribute, &seen) < 0) {
        return MNL_CB_OK;
    }
    search.found |= seen.interface == search.interface && seen.priority == kRulePriority &&
                    seen.mark == 0 && seen.mask == kJudgedMark && !seen.has_more;
    return MNL_CB_OK;
}

}  // namespace

Result<void> IpRules::open() {
    auto wire = kernel_.open(NETLINK_ROUTE);
    if (!wire) return fail(wire.error());
    wire_ = std::move(*wire);
    return {};
}

int IpRules::exchange(nlmsghdr* request, mnl_cb_t note, void* data) {
    request->nlmsg_seq = ++sequence_;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(request);
    int error = wire_->send({bytes, request->nlmsg_len});
    while (error == 0) {
        std::size_t size = 0;
        error = wire_->receive(buffer_, size, true);
        if (error != 0) break;
        const int state = mnl_cb_run(buffer_.data(), size, sequence_, wire_->port(), note, data);
        if (state == MNL_CB_STOP) return 0;
        if (state < 0) error = errno;
    }
    // What is still queued after an error must not be taken for the next answer.
    for (std::size_t size = 0; wire_->receive(buffer_, size, false) == 0;) {
    }
    return error;
}

int IpRules::change(std::uint16_t type, std::uint16_t flags, std::uint8_t family,
                    const std::string& interface) {
    std::array<char, 512> bytes{};
    nlmsghdr* request = mnl_nlmsg_put_header(bytes.data());
    request->nlmsg_type = type;
    request->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
    auto* header =
        static_cast<fib_rule_hdr*>(mnl_nlmsg_put_extra_header(request, sizeof(fib_rule_hdr)));
    header->family = family;
    header->action = FR_ACT_PROHIBIT;
    mnl_attr_put_u32(request, FRA_PRIORITY, kRulePriority);
    mnl_attr_put_strz(request, FRA_IIFNAME, interface.c_str());
    mnl_attr_put_u32(request, FRA_FWMARK, 0);
    mnl_attr_put_u32(request, FRA_FWMASK, kJudgedMark);
    // As if the kernel had made it: systemd-networkd removes the rules of everybody else when it
    // starts. One that somebody else has put back is removed all the same.
    if (type == RTM_NEWRULE) mnl_attr_put_u8(request, FRA_PROTOCOL, RTPROT_KERNEL);
    return exchange(request, nullptr, nullptr);
}

int IpRules::dump(std::uint8_t family, const std::string& interface, bool& found) {
    // A dump that a change interrupts is told as EINTR, and begun anew.
    constexpr int kAttempts = 20;
    int error = EINTR;
    for (int i = 0; i < kAttempts && error == EINTR; ++i) {
        std::array<char, 128> bytes{};
        nlmsghdr* request = mnl_nlmsg_put_header(bytes.data());
        request->nlmsg_type = RTM_GETRULE;
        request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
        auto* header =
            static_cast<fib_rule_hdr*>(mnl_nlmsg_put_extra_header(request, sizeof(fib_rule_hdr)));
        header->family = family;
        Search search{.interface = interface};
        error = exchange(request, note_rule, &search);
        found = search.found;
    }
    return error;
}

Result<void> IpRules::put(const InterfaceName& interface) {
    if (auto opened = open(); !opened) return opened;
    for (const Family& family : kFamilies) {
        const int error =
            change(RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, family.number, interface.text());
        if (error == 0 || error == EEXIST) continue;
        if (has_no_rules(error) && !kernel_has(family)) continue;
        return failure(error);
    }
    return {};
}

Result<void> IpRules::remove(const InterfaceName& interface) {
    if (auto opened = open(); !opened) return opened;
    for (const Family& family : kFamilies) {
        const int error = change(RTM_DELRULE, 0, family.number, interface.text());
        if (error != 0 && error != ENOENT && !has_no_rules(error)) return failure(error);
    }
    return {};
}

Result<std::string> IpRules::difference(const InterfaceName& interface, bool wanted) {
    if (auto opened = open(); !opened) return fail(opened.error());
    for (const Family& family : kFamilies) {
        bool found = false;
        const int error = dump(family.number, interface.text(), found);
        if (error != 0 && !has_no_rules(error)) return failure(error);
        const bool possible = error == 0 || kernel_has(family);
        if (found == (wanted && possible)) continue;
        return fmt::format("the {} routing rule of {} is {}", family.name, interface.text(),
                           found ? "there and must not be" : "missing or changed");
    }
    return std::string();
}

}  // namespace alca::nft
