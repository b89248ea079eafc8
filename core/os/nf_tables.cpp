#include "core/os/nf_tables.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <string_view>

#include "core/os/fd.hpp"

namespace alca::os {
namespace {

struct Question {
    nlmsghdr head;
    nfgenmsg body;
};

// The attribute in an answer to NFT_MSG_GETGEN.
std::optional<std::uint32_t> generation_in(std::string_view answer) {
    nlmsghdr head{};
    constexpr std::size_t kBefore = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg));
    if (answer.size() < kBefore) return std::nullopt;
    std::memcpy(&head, answer.data(), sizeof head);
    if (head.nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN)) return std::nullopt;
    answer = answer.substr(kBefore);
    while (answer.size() >= sizeof(nlattr)) {
        nlattr attribute{};
        std::memcpy(&attribute, answer.data(), sizeof attribute);
        const std::size_t length = attribute.nla_len;
        if (length < NLA_HDRLEN || length > answer.size()) return std::nullopt;
        std::uint32_t value = 0;
        if (attribute.nla_type == NFTA_GEN_ID && length == NLA_HDRLEN + sizeof value) {
            std::memcpy(&value, answer.data() + NLA_HDRLEN, sizeof value);
            return ntohl(value);
        }
        answer.remove_prefix(std::min(NLA_ALIGN(length), answer.size()));
    }
    return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> ruleset_generation() {
    const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    if (!socket) return std::nullopt;
    Question question{};
    question.head = {.nlmsg_len = sizeof question,
                     .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN,
                     .nlmsg_flags = NLM_F_REQUEST,
                     .nlmsg_seq = 1,
                     .nlmsg_pid = 0};
    question.body = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = 0};
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    const auto* address = reinterpret_cast<const sockaddr*>(&kernel);
    if (::sendto(socket.get(), &question, sizeof question, 0, address, sizeof kernel) < 0) {
        return std::nullopt;
    }
    std::array<char, 1024> answer{};
    // The kernel answers within sendto(2).
    const ssize_t size = ::recv(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT);
    if (size < 0) return std::nullopt;
    return generation_in({answer.data(), static_cast<std::size_t>(size)});
}

}  // namespace alca::os
