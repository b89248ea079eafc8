#include "plugins/shared/nft_rules/inside.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter_ipv4.h>

#include <algorithm>
#include <system_error>

#include "plugins/shared/nft_rules/chain.hpp"
#include "plugins/shared/nft_rules/probe.hpp"
#include "plugins/shared/nft_rules/report.hpp"
#include "plugins/shared/nft_rules/until_done.hpp"

namespace alca::nft {
namespace {

constexpr const char* kHost4 = "host4";
constexpr const char* kHost6 = "host6";
constexpr const char* kLoopback = "lo";
constexpr std::uint16_t kDnsPort = 53;
constexpr std::int32_t kPriority = NF_IP_PRI_FILTER - 10;

constexpr std::uint32_t kEstablished = NF_CT_STATE_BIT(IP_CT_ESTABLISHED);
constexpr std::uint32_t kRelated = NF_CT_STATE_BIT(IP_CT_RELATED);
constexpr std::uint32_t kInvalid = NF_CT_STATE_INVALID_BIT;

// Why a packet is refused here; what comes from outside is "inbound".
constexpr std::array kInsideReasons = {"lan", "meta", "cgnat", "mcast", "host", "proto"};
constexpr const char* kInbound = "inbound";

void allow(Chain& out, const Allowance& allowance) {
    const auto rest = [&] {
        Phrase phrase =
            allowance.protocol != 0 ? protocol(allowance.protocol) : protocol_in("protocols");
        if (allowance.ports) {
            append(phrase, to_ports(allowance.ports->first, allowance.ports->last));
        }
        append(phrase, accept());
        return phrase;
    };
    if (!allowance.addresses) {
        out.rule(to_address4_in(kHost4), rest());
        out.rule(to_address6_in(kHost6), rest());
        return;
    }
    const AddressRange& range = *allowance.addresses;
    Phrase match = to_addresses(range.first, range.last);
    // Who allows a network means the others in it, not this machine or all of them at once.
    if (range.first != range.last) {
        const bool v4 = range.first.size() == 4;
        append(match, v4 ? to_address4_not_in(kHost4) : to_address6_not_in(kHost6));
        append(match, target_is_unicast());
    }
    out.rule(std::move(match), rest());
}

ChainSpec out(const InsideView& view) {
    Chain chain("out", Hook{NF_INET_LOCAL_OUT, kPriority});
    chain.rule(to_interface(kLoopback), accept());
    chain.rule(ct_reply(), ct_state(kEstablished), accept());
    chain.rule(not_a_plain_header4(), jump("headers"));
    chain.rule(ct_state(kInvalid), drop());
    chain.rule(to_port(kDnsPort), jump("dns"));
    for (const Allowance& allowance : view.allow) allow(chain, allowance);
    // Our own probes: not worth a note each time that a command starts.
    chain.rule(to_port(kProbePort), protocol(IPPROTO_UDP), to_address4_in(kHost4), drop());
    chain.rule(to_port(kProbePort), protocol(IPPROTO_UDP), to_address6_in(kHost6), drop());
    chain.rule(to_address4_in(kHost4), go_to("d_host"));
    chain.rule(to_address6_in(kHost6), go_to("d_host"));
    chain.rule(target_type_in("to_many"), go_to("d_mcast"));
    chain.rule(by_address4(kDeny4));
    chain.rule(by_address6(kDeny6));
    chain.rule(to_address4_in(kOnLink4), go_to("d_lan"));
    chain.rule(to_address6_in(kOnLink6), go_to("d_lan"));
    chain.rule(protocol_not_in("protocols"), go_to("d_proto"));
    return chain.take();
}

ChainSpec in(const InsideView& view) {
    Chain chain("in", Hook{NF_INET_LOCAL_IN, kPriority});
    chain.rule(from_interface(kLoopback), accept());
    chain.rule(ct_state(kEstablished), accept());
    chain.rule(ct_state(kRelated), icmp4_type_in("icmp4_errors"), accept());
    chain.rule(ct_state(kRelated), icmp6_type_in("icmp6_errors"), accept());
    chain.rule(icmp6_type_in("neighbour"), hop_limit(255), accept());
    for (const PublishedPort& port : view.published) {
        const std::uint8_t number = port.protocol == "udp" ? IPPROTO_UDP : IPPROTO_TCP;
        if (port.local) {
            chain.rule(from_address4_in(kHost4), protocol(number), to_port(port.port), accept());
            chain.rule(from_address6_in(kHost6), protocol(number), to_port(port.port), accept());
        } else {
            chain.rule(protocol(number), to_port(port.port), accept());
        }
    }
    chain.rule(count(kInbound));
    chain.rule(drop());
    return chain.take();
}

// A sandbox routes for nobody.
ChainSpec forward() {
    Chain chain("forward", Hook{NF_INET_FORWARD, kPriority});
    chain.rule(drop());
    return chain.take();
}

ChainSpec refused(const char* reason, Phrase end) {
    Chain chain(std::string("d_") + reason);
    chain.rule(count(reason));
    chain.rule(std::move(end));
    return chain.take();
}

// Notes the target, at a limited rate: a flood does not fill the set. The answer is an error for
// the program at once: a refused connection, or "not permitted".
ChainSpec end() {
    Chain chain("d_end");
    chain.rule(faster_than(50, 200), go_to("d_answer"));
    chain.rule(protocol_in("ports"), note_target4(kBlocked4, NFT_META_OIFNAME));
    chain.rule(protocol_in("ports"), note_target6(kBlocked6, NFT_META_OIFNAME));
    chain.rule(go_to("d_answer"));
    return chain.take();
}

ChainSpec answer() {
    Chain chain("d_answer");
    chain.rule(protocol(IPPROTO_TCP), reject_with_tcp_reset());
    chain.rule(reject_as_prohibited());
    return chain.take();
}

SetSpec filled(SetSpec set, const std::vector<Bytes>& keys) {
    set.is_fixed = true;
    for (const Bytes& key : keys) set.elements.push_back({.key = key});
    return set;
}

SetSpec filled(SetSpec set, const std::vector<AddressRange>& ranges) {
    set.is_fixed = true;
    set.elements = as_elements(ranges);
    return set;
}

SetSpec named(SetSpec set, const char* name) {
    set.name = name;
    return set;
}

std::string address_text(const Bytes& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(address.size() == 4 ? AF_INET : AF_INET6, address.data(), text.data(), text.size());
    return text.data();
}

}  // namespace

TableSpec inside_table(const InsideView& view) {
    const TableSpec shared = static_table();
    TableSpec table;
    for (const char* reason : kInsideReasons) table.counters.emplace_back(reason);
    table.counters.emplace_back(kInbound);
    for (const char* name : {kBlocked4, kBlocked6, "ports", "protocols", "icmp4_errors",
                             "icmp6_errors", "neighbour", "to_many", kDeny4, kDeny6}) {
        table.sets.push_back(shared.set(name));
    }
    table.sets.push_back(filled(shared.set(kDns4), view.resolvers.v4));
    table.sets.push_back(filled(shared.set(kDns6), view.resolvers.v6));
    table.sets.push_back(filled(shared.set(kOnLink4), view.on_link.v4));
    table.sets.push_back(filled(shared.set(kOnLink6), view.on_link.v6));
    table.sets.push_back(filled(named(shared.set(kDns4), kHost4), view.host.v4));
    table.sets.push_back(filled(named(shared.set(kDns6), kHost6), view.host.v6));
    for (const char* reason : kInsideReasons) {
        const bool silent = reason == std::string_view("mcast");
        table.chains.push_back(refused(reason, silent ? drop() : go_to("d_end")));
    }
    table.chains.push_back(end());
    table.chains.push_back(answer());
    for (ChainSpec& chain : common_chains()) table.chains.push_back(std::move(chain));
    table.chains.push_back(out(view));
    table.chains.push_back(in(view));
    table.chains.push_back(forward());
    return table;
}

Result<InsideRuleset> InsideRuleset::open(std::shared_ptr<Kernel> kernel) {
    auto netlink = Netlink::open(*kernel);
    if (!netlink) return fail(netlink.error());
    return InsideRuleset(std::move(kernel), std::move(*netlink));
}

Result<void> InsideRuleset::apply(const Call& call, const InsideView& view) {
    const TableSpec table = inside_table(view);
    const Snapshot wanted = expected(table);
    return until_done(call, [&]() -> Result<Commit> {
        const auto generation = netlink_.generation();
        if (!generation) return fail(generation.error());
        const auto actual = read_static(netlink_, table);
        if (!actual) return fail(actual.error());
        if (difference(wanted, *actual).empty()) return Commit::done;
        Batch batch(*generation);
        batch.put_table(table, actual->is_present);
        return netlink_.commit(batch);
    });
}

Result<std::string> InsideRuleset::verify(const Call& call, const InsideView& view,
                                          const std::vector<Bytes>& refused) {
    if (call.cancelled()) return fail(Code::cancelled, "interrupted");
    const TableSpec table = inside_table(view);
    const auto actual = read_static(netlink_, table);
    if (!actual) return fail(actual.error());
    if (auto text = difference(expected(table), *actual); !text.empty()) return text;
    for (const Bytes& address : refused) {
        const auto error = kernel_->probe(address);
        if (!error) return fail(error.error());
        if (*error == EPERM) continue;
        return fmt::format("a packet to {} was not refused ({})", address_text(address),
                           *error == 0 ? "it went out" : std::generic_category().message(*error));
    }
    return std::string();
}

Result<void> InsideRuleset::remove(const Call& call) {
    return until_done(call, [&]() -> Result<Commit> {
        const auto generation = netlink_.generation();
        if (!generation) return fail(generation.error());
        const auto present = has_table(netlink_);
        if (!present) return fail(present.error());
        if (!*present) return Commit::done;
        Batch batch(*generation);
        batch.delete_table();
        return netlink_.commit(batch);
    });
}

Result<FirewallReport> InsideRuleset::report() {
    std::vector<std::string> counters(kInsideReasons.begin(), kInsideReasons.end());
    counters.emplace_back(kInbound);
    return read_report(netlink_, counters);
}

}  // namespace alca::nft
