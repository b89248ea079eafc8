// nft_rules/transport.hpp - questions and transactions over one netlink socket to nf_tables.
#ifndef ALCA_NFT_RULES_TRANSPORT_HPP
#define ALCA_NFT_RULES_TRANSPORT_HPP

#include <libmnl/libmnl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "alca/result.hpp"
#include "plugins/shared/nft_rules/batch.hpp"
#include "plugins/shared/nft_rules/kernel.hpp"
#include "plugins/shared/nft_rules/nftnl.hpp"

namespace alca::nft {

// One message out of an answer. Its bytes are its own.
class Message {
  public:
    explicit Message(const nlmsghdr* message);
    [[nodiscard]] const nlmsghdr* header() const;

  private:
    std::vector<std::uint8_t> bytes_;
};

enum class Commit {
    done,
    outdated,  // the ruleset has changed since it was read: read again, build again
};

// Closing the socket waits until the kernel has freed what was deleted, 5 to 15 ms: keep it open
// for as long as there is other work to do.
// Errors of every call: denied (no CAP_NET_ADMIN), unavailable (no nf_tables), failed.
class Netlink {
  public:
    [[nodiscard]] static Result<Netlink> open(Kernel& kernel);

    // What to ask for: adds the payload to a message that has its header.
    using Fill = std::function<void(nlmsghdr*)>;
    // One object. Empty when there is none such.
    [[nodiscard]] Result<std::vector<Message>> get(std::uint16_t type, const Fill& fill);
    // All objects that the payload selects, from one generation of the ruleset.
    [[nodiscard]] Result<std::vector<Message>> dump(std::uint16_t type, const Fill& fill);
    // The ruleset's generation: grows with each transaction of anybody.
    [[nodiscard]] Result<std::uint32_t> generation();
    // Sends the batch. Errors name the message that the kernel refused.
    [[nodiscard]] Result<Commit> commit(Batch& batch);

  private:
    explicit Netlink(std::unique_ptr<Wire> wire);

    // 0 or errno.
    int ask(std::uint16_t type, std::uint16_t flags, const Fill& fill,
            std::vector<Message>& answer);
    void drain();
    Result<Commit> outcome(const Batch& batch);

    std::unique_ptr<Wire> wire_;
    std::vector<std::uint8_t> buffer_;
    std::uint32_t sequence_ = 0;
};

}  // namespace alca::nft

#endif
