#include "core/os/nf_tables.hpp"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/os/fd.hpp"
#include "core/os/file.hpp"

namespace alca::os {
namespace {

struct Question {
    nlmsghdr head;
    nfgenmsg body;
};

Result<std::uint32_t> no_answer(int error) {
    return fail(error == EPERM ? Code::denied : Code::failed,
                "the kernel does not say whether rules have changed: " + errno_text(error));
}

// answer: begins with a netlink header.
Result<std::uint32_t> generation_in(std::string_view answer) {
    constexpr std::size_t kBefore = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg));
    nlmsghdr head{};
    if (answer.size() < kBefore) return no_answer(EBADMSG);
    std::memcpy(&head, answer.data(), sizeof head);
    if (head.nlmsg_type == NLMSG_ERROR) {
        int error = 0;
        std::memcpy(&error, answer.data() + NLMSG_HDRLEN, sizeof error);
        return no_answer(-error);
    }
    if (head.nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWGEN)) return no_answer(EBADMSG);
    answer = answer.substr(kBefore);
    while (answer.size() >= sizeof(nlattr)) {
        nlattr attribute{};
        std::memcpy(&attribute, answer.data(), sizeof attribute);
        const std::size_t length = attribute.nla_len;
        if (length < NLA_HDRLEN || length > answer.size()) break;
        std::uint32_t value = 0;
        if (attribute.nla_type == NFTA_GEN_ID && length == NLA_HDRLEN + sizeof value) {
            std::memcpy(&value, answer.data() + NLA_HDRLEN, sizeof value);
            return ntohl(value);
        }
        answer.remove_prefix(std::min<std::size_t>(NLA_ALIGN(length), answer.size()));
    }
    return no_answer(EBADMSG);
}

}  // namespace

Result<std::uint32_t> ruleset_generation() {
    const Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
    if (!socket) return no_answer(errno);
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
        return no_answer(errno);
    }
    std::array<char, 1024> answer{};
    // The kernel answers within sendto(2).
    const ssize_t size = ::recv(socket.get(), answer.data(), answer.size(), MSG_DONTWAIT);
    if (size < 0) return no_answer(errno);
    return generation_in({answer.data(), static_cast<std::size_t>(size)});
}

}  // namespace alca::os
