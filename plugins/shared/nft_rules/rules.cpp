// The rules of `inet alca`, chain by chain. Reasons and measurements: docs/adr/0004.
//
// The decision is taken once, before any destination NAT and for forwarded and local packets
// alike, so it speaks about the address that the sandbox asked for.
#include "plugins/shared/nft_rules/chain.hpp"
#include "plugins/shared/nft_rules/matches.hpp"
#include "plugins/shared/nft_rules/table.hpp"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter_ipv4.h>

namespace alca::nft {
namespace {

constexpr std::uint8_t kLooseSourceRoute = 131;
constexpr std::uint8_t kStrictSourceRoute = 137;
constexpr std::uint16_t kDnsPort = 53;

constexpr std::uint32_t kEstablished = NF_CT_STATE_BIT(IP_CT_ESTABLISHED);
constexpr std::uint32_t kRelated = NF_CT_STATE_BIT(IP_CT_RELATED);
constexpr std::uint32_t kInvalid = NF_CT_STATE_INVALID_BIT;

// Where every packet from a sandbox arrives first.
ChainSpec pre() {
    Chain chain("pre", Hook{NF_INET_PRE_ROUTING, NF_IP_PRI_MANGLE});
    chain.rule(from_no_sandbox(), accept());
    chain.rule(by_sandbox(kRegistry));
    chain.rule(go_to("d_nopolicy"));
    return chain.take();
}

// What passes, or not, whatever the policy. Only the reply direction passes by connection state:
// every packet of the sandbox's own connections is judged anew, so a new rule cuts them at once.
// What is rare is a chain of its own: every packet pays for each rule that it is compared with.
ChainSpec head() {
    Chain chain("head");
    // Also of open connections: who takes the address of one's other end could else speak in its
    // name.
    chain.rule(source_not_on_interface(), go_to("from_elsewhere"));
    chain.rule(ct_reply(), ct_state(kEstablished), accept());
    chain.rule(not_a_plain_header4(), jump("headers"));
    chain.rule(ct_state(kRelated | kInvalid), jump("connectionless"));
    chain.rule(to_port(kDnsPort), jump("dns"));
    return chain.take();
}

// IPv6, and IPv4 with options.
ChainSpec headers() {
    Chain chain("headers");
    chain.rule(icmp6_type_in("neighbour"), hop_limit(255), accept());
    chain.rule(ip4_option(kLooseSourceRoute), go_to("d_proto"));
    chain.rule(ip4_option(kStrictSourceRoute), go_to("d_proto"));
    chain.rule(ip6_header(IPPROTO_ROUTING), go_to("d_proto"));
    return chain.take();
}

// From no address on the sandbox's side.
ChainSpec from_elsewhere() {
    Chain chain("from_elsewhere");
    chain.rule(icmp6_type_in("neighbour"), hop_limit(255), accept());  // may have none
    chain.rule(go_to("d_spoof"));
    return chain.take();
}

// Of no connection, but perhaps about one.
ChainSpec connectionless() {
    Chain chain("connectionless");
    // Errors only: redirects count as related too.
    chain.rule(ct_state(kRelated), icmp4_type_in("icmp4_errors"), accept());
    chain.rule(ct_state(kRelated), icmp6_type_in("icmp6_errors"), accept());
    chain.rule(ct_state(kInvalid), drop());
    return chain.take();
}

ChainSpec dns() {
    Chain chain("dns");
    chain.rule(protocol_in("ports"), to_address4_in(kDns4), accept());
    chain.rule(protocol_in("ports"), to_address6_in(kDns6), accept());
    return chain.take();
}

// What "internet" leaves out.
ChainSpec tail() {
    Chain chain("tail");
    chain.rule(target_not_unicast(), go_to("d_host"));
    chain.rule(is_ip6(), go_to("tail6"));
    chain.rule(by_address4(kDeny4));
    chain.rule(to_address4_in(kOnLink4), go_to("d_lan"));
    chain.rule(protocol_not_in("protocols"), go_to("d_proto"));
    return chain.take();
}

ChainSpec tail6() {
    Chain chain("tail6");
    chain.rule(by_address6(kDeny6));
    chain.rule(to_address6_in(kOnLink6), go_to("d_lan"));
    chain.rule(protocol_not_in("protocols"), go_to("d_proto"));
    return chain.take();
}

ChainSpec internet() {
    Chain chain(kPolicyInternet);
    chain.rule(jump("head"));
    chain.rule(jump("tail"));
    chain.rule(accept());
    return chain.take();
}

// After routing: nobody outside opens a connection into a sandbox, but to a published port.
ChainSpec forward() {
    Chain chain("forward", Hook{NF_INET_FORWARD, NF_IP_PRI_FILTER - 10});
    chain.rule(from_any_sandbox(), go_to("from_sandbox"));
    chain.rule(to_any_sandbox(), go_to("to_sandbox"));
    return chain.take();
}

// Before the engine's own destination NAT. What is accepted here keeps its destination.
ChainSpec nat() {
    Chain chain("nat", Hook{NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST - 5, "nat"});
    chain.rule(from_no_sandbox(), accept());
    chain.rule(protocol_not(IPPROTO_TCP), accept());
    chain.rule(to_port(kDnsPort), to_address4_in(kDns4), accept());
    chain.rule(to_port(kDnsPort), to_address6_in(kDns6), accept());
    chain.rule(target_is_this_host(), accept());
    chain.rule(target_on_same_interface(), accept());
    chain.rule(by_sandbox(kProxied));
    return chain.take();
}

// What this host itself sends to a sandbox.
ChainSpec output() {
    Chain chain("output", Hook{NF_INET_LOCAL_OUT, NF_IP_PRI_FILTER - 10});
    chain.rule(to_no_sandbox(), accept());
    chain.rule(by_target_sandbox(kLimited));
    return chain.take();
}

ChainSpec from_sandbox() {
    Chain chain("from_sandbox");
    chain.rule(to_no_sandbox(), accept());
    chain.rule(ct_state(kEstablished), ct_reply(), accept());
    chain.rule(ct_status(IPS_DST_NAT), accept());
    chain.rule(go_to("d_lan"));
    return chain.take();
}

ChainSpec to_sandbox() {
    Chain chain("to_sandbox");
    chain.rule(by_target_sandbox(kArriving));
    chain.rule(go_to("d_nopolicy"));
    return chain.take();
}

// To a sandbox with limits.
ChainSpec arrived_limited() {
    Chain chain(kArrivedLimited);
    chain.rule(by_target_sandbox(kLimited));  // jumps, and comes back
    chain.rule(go_to(kArrived));
    return chain.take();
}

ChainSpec arrived() {
    Chain chain(kArrived);
    chain.rule(ct_state(kEstablished | kRelated), accept());
    chain.rule(ct_status(IPS_DST_NAT), accept());
    chain.rule(drop());
    return chain.take();
}

// Refused, and counted for the sandbox under `reason`.
ChainSpec refused(const char* name, std::string_view reason, Phrase end) {
    Chain chain(name);
    chain.rule(count_sandbox(counter_map(reason)));
    chain.rule(std::move(end));
    return chain.take();
}

ChainSpec refused_lan() {
    Chain chain("d_lan");
    chain.rule(target_on_same_interface(), accept());  // a member of the sandbox's own network
    chain.rule(count_sandbox(counter_map("lan")));
    chain.rule(go_to("d_end"));
    return chain.take();
}

ChainSpec refused_host() {
    Chain chain("d_host");
    chain.rule(target_type_in("to_many"), go_to("d_mcast"));
    chain.rule(count_sandbox(counter_map("host")));
    chain.rule(go_to("d_end"));
    return chain.take();
}

ChainSpec without_policy() {
    Chain chain("d_nopolicy");
    chain.rule(count("nopolicy"));
    chain.rule(drop());
    return chain.take();
}

// Notes the target. Limited too, so that no sandbox can fill the set for all.
ChainSpec note() {
    Chain chain("d_end");
    chain.rule(sandbox_faster_than(kNoteLimit, 50, 200), go_to("d_answer"));
    chain.rule(protocol_in("ports"), note_target4(kBlocked4));
    chain.rule(protocol_in("ports"), note_target6(kBlocked6));
    chain.rule(go_to("d_answer"));
    return chain.take();
}

// A quick error for the agent instead of a timeout. Limited for each sandbox, so that none can use
// up the answers of another: those are what a starting sandbox is verified by.
ChainSpec answer() {
    Chain chain("d_answer");
    chain.rule(sandbox_faster_than(kAnswerLimit, 200, 400), drop());
    chain.rule(protocol(IPPROTO_TCP), reject_with_tcp_reset());
    chain.rule(reject_as_prohibited());
    return chain.take();
}

}  // namespace

std::vector<ChainSpec> common_chains() {
    std::vector<ChainSpec> chains;
    chains.push_back(headers());
    chains.push_back(dns());
    return chains;
}

std::vector<ChainSpec> static_chains() {
    std::vector<ChainSpec> chains;
    chains.push_back(refused_lan());
    chains.push_back(refused("d_meta", "meta", go_to("d_end")));
    chains.push_back(refused("d_cgnat", "cgnat", go_to("d_end")));
    chains.push_back(refused("d_mcast", "mcast", drop()));
    chains.push_back(refused_host());
    chains.push_back(refused("d_proto", "proto", drop()));
    chains.push_back(refused("d_spoof", "spoof", drop()));
    chains.push_back(refused("d_proxy", "proxy", go_to("d_answer")));
    chains.push_back(refused("d_limit", "limit", go_to("d_answer")));
    chains.push_back(without_policy());
    chains.push_back(note());
    chains.push_back(answer());
    chains.push_back(pre());
    for (ChainSpec& chain : common_chains()) chains.push_back(std::move(chain));
    chains.push_back(from_elsewhere());
    chains.push_back(connectionless());
    chains.push_back(head());
    chains.push_back(tail6());
    chains.push_back(tail());
    chains.push_back(internet());
    chains.push_back(forward());
    chains.push_back(nat());
    chains.push_back(output());
    chains.push_back(from_sandbox());
    chains.push_back(arrived());
    chains.push_back(arrived_limited());
    chains.push_back(to_sandbox());
    return chains;
}

}  // namespace alca::nft
