#include "plugins/shared/nft_rules/transport.hpp"

#include <fmt/format.h>
#include <libnftnl/common.h>
#include <libnftnl/gen.h>
#include <linux/netfilter/nfnetlink.h>

#include <cerrno>
#include <system_error>

namespace alca::nft {
namespace {

// A dump that others keep changing under our hands is read again this often.
constexpr int kDumpAttempts = 100;
constexpr std::size_t kReceiveBytes = 64UL * 1024;
constexpr int kRestart = 85;  // ERESTART: in the kernel's header only

std::string text(int error) { return std::generic_category().message(error); }

tl::unexpected<Error> failure(int error, std::string_view what) {
    if (error == EPERM || error == EACCES) {
        return fail(Code::denied,
                    fmt::format("{}: needs CAP_NET_ADMIN in this network namespace; run alca with "
                                "sudo",
                                what));
    }
    if (error == EPROTONOSUPPORT || error == EINVAL || error == EOPNOTSUPP) {
        return fail(Code::unavailable,
                    fmt::format("{}: {}; is nf_tables in this kernel? try: modprobe nf_tables",
                                what, text(error)));
    }
    return fail(Code::failed, fmt::format("{}: {}", what, text(error)));
}

tl::unexpected<Error> refusal(int error, std::string_view step) {
    const auto what = fmt::format("the kernel refuses to {}", step);
    if (error == EPERM) return failure(error, what);
    return fail(Code::failed,
                fmt::format("{}: {}; it needs Linux 5.9 with nf_tables and the modules nft_ct, "
                            "nft_fib_inet, nft_limit, nft_reject_inet",
                            what, text(error)));
}

int collect(const nlmsghdr* message, void* answer) {
    static_cast<std::vector<Message>*>(answer)->emplace_back(message);
    return MNL_CB_OK;
}

}  // namespace

Message::Message(const nlmsghdr* message)
    : bytes_(reinterpret_cast<const std::uint8_t*>(message),
             reinterpret_cast<const std::uint8_t*>(message) + message->nlmsg_len) {}

const nlmsghdr* Message::header() const { return reinterpret_cast<const nlmsghdr*>(bytes_.data()); }

Netlink::Netlink(std::unique_ptr<Wire> wire) : wire_(std::move(wire)), buffer_(kReceiveBytes) {}

Result<Netlink> Netlink::open(Kernel& kernel) {
    auto wire = kernel.open(NETLINK_NETFILTER);
    if (!wire) return fail(wire.error());
    return Netlink(std::move(*wire));
}

int Netlink::ask(std::uint16_t type, std::uint16_t flags, const Fill& fill,
                 std::vector<Message>& answer) {
    std::vector<std::uint8_t> request(static_cast<std::size_t>(MNL_SOCKET_BUFFER_SIZE));
    ++sequence_;
    nlmsghdr* message = nftnl_nlmsg_build_hdr(reinterpret_cast<char*>(request.data()), type,
                                              NFPROTO_INET, flags, sequence_);
    fill(message);
    int error = wire_->send({request.data(), message->nlmsg_len});
    int more = MNL_CB_OK;
    while (error == 0 && more > MNL_CB_STOP) {
        std::size_t size = 0;
        error = wire_->receive(buffer_, size, true);
        if (error != 0) break;
        more = mnl_cb_run(buffer_.data(), size, sequence_, wire_->port(), collect, &answer);
        if (more < 0) error = errno;
    }
    if (error != 0) drain();
    return error;
}

// What is still queued after an error must not be taken for the next answer. EINTR is such a one:
// the ruleset changed in the middle of a dump, and mnl stops there while the kernel goes on.
void Netlink::drain() {
    std::size_t size = 0;
    while (wire_->receive(buffer_, size, false) == 0) {
    }
}

Result<std::vector<Message>> Netlink::get(std::uint16_t type, const Fill& fill) {
    std::vector<Message> answer;
    const int error = ask(type, NLM_F_ACK, fill, answer);
    if (error == ENOENT) return std::vector<Message>{};
    if (error != 0) return failure(error, "cannot read the firewall rules");
    return answer;
}

Result<std::vector<Message>> Netlink::dump(std::uint16_t type, const Fill& fill) {
    int error = EINTR;
    for (int attempt = 0; attempt < kDumpAttempts && error == EINTR; ++attempt) {
        std::vector<Message> answer;
        error = ask(type, NLM_F_DUMP, fill, answer);
        if (error == 0) return answer;
        if (error == ENOENT) return std::vector<Message>{};
    }
    return failure(error, "cannot read the firewall rules");
}

Result<std::uint32_t> Netlink::generation() {
    const auto answer = get(NFT_MSG_GETGEN, [](nlmsghdr*) {});
    if (!answer) return fail(answer.error());
    if (answer->empty()) return fail(Code::unavailable, "the kernel names no ruleset generation");
    auto generation =
        own<std::unique_ptr<nftnl_gen, NftnlDeleter<nftnl_gen_free>>>(nftnl_gen_alloc());
    if (nftnl_gen_nlmsg_parse(answer->front().header(), generation.get()) < 0) {
        return failure(errno, "cannot read the ruleset's generation");
    }
    return nftnl_gen_get_u32(generation.get(), NFTNL_GEN_ID);
}

Result<Commit> Netlink::commit(Batch& batch) {
    const std::span<const std::uint8_t> bytes = batch.finish();
    const int error = wire_->send(bytes);
    if (error == EINTR || error == EAGAIN) return Commit::outdated;
    if (error != 0) return failure(error, "cannot change the firewall rules");
    return outcome(batch);
}

// The kernel has committed or refused when send returns, and its answers are queued by then.
Result<Commit> Netlink::outcome(const Batch& batch) {
    bool acknowledged = false;
    int first_error = 0;
    std::uint32_t at = 0;
    std::size_t size = 0;
    int received = wire_->receive(buffer_, size, false);
    for (; received == 0; received = wire_->receive(buffer_, size, false)) {
        int left = static_cast<int>(size);
        for (auto* message = reinterpret_cast<nlmsghdr*>(buffer_.data());
             mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            if (message->nlmsg_type != NLMSG_ERROR) continue;
            const auto* answer = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(message));
            if (answer->error == 0) acknowledged |= message->nlmsg_seq == batch.last_sequence();
            if (answer->error == 0 || first_error != 0) continue;
            first_error = -answer->error;
            at = message->nlmsg_seq;
        }
    }
    if (first_error == kRestart || first_error == EINTR) return Commit::outdated;
    // What was there to delete has gone: elements of dynamic sets do that by themselves.
    if (first_error == ENOENT && batch.is_deletion(at)) return Commit::outdated;
    if (first_error != 0) {
        return refusal(first_error, batch.label(at));
    }
    if (received != EAGAIN) return failure(received, "cannot read the kernel's answer");
    if (!acknowledged) return fail("the kernel did not confirm the firewall rules; try again");
    return Commit::done;
}

}  // namespace alca::nft
