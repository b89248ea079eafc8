// nft_rules/batch.hpp - one transaction of changes to the table `inet alca`, as netlink messages.
//
// Only builds bytes; transport.hpp delivers them. The kernel takes all of it or nothing.
#ifndef ALCA_NFT_RULES_BATCH_HPP
#define ALCA_NFT_RULES_BATCH_HPP

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/shared/nft_rules/table.hpp"

struct nlmsghdr;

namespace alca::nft {

class Batch {
  public:
    // generation: of the ruleset that the changes are based on; the kernel refuses the batch when
    // anybody has changed rules since.
    explicit Batch(std::uint32_t generation);

    // Already there is success.
    void add_table();
    // Takes everything in it along.
    void delete_table();
    void add_chain(const ChainSpec& chain);
    void add_rules(const ChainSpec& chain);
    // All rules of a chain that is there.
    void delete_rules(const std::string& chain);
    // Must be empty, and nothing may lead to it.
    void delete_chain(const std::string& chain);
    void add_set(const SetSpec& set);
    void add_elements(const SetSpec& set, std::span<const Element> elements);
    void delete_elements(const SetSpec& set, std::span<const Element> elements);
    void add_counter(const std::string& name);
    void delete_counter(const std::string& name);

    // The table and its static part, in place of the one that is_present. Deleting one that was not
    // would cost 5 to 20 ms: the kernel lets no socket go until what was deleted is freed.
    void put_table(const TableSpec& table, bool is_present);

    [[nodiscard]] bool is_empty() const { return steps_.empty(); }
    [[nodiscard]] std::uint32_t last_sequence() const;

    // The messages with their frame, ready to be sent. Last call on the batch.
    [[nodiscard]] std::span<const std::uint8_t> finish();
    // What the message with this sequence number does: "add chain pre".
    [[nodiscard]] std::string_view label(std::uint32_t sequence) const;
    [[nodiscard]] bool is_deletion(std::uint32_t sequence) const;

  private:
    nlmsghdr* begin(std::uint16_t type, std::uint16_t flags, std::string label);
    void end(const nlmsghdr* message);
    void frame(std::uint16_t type, std::uint32_t generation);
    void send_elements(std::uint16_t type, std::uint16_t flags, std::string_view verb,
                       const SetSpec& set, std::span<const Element> elements);
    void counter(std::uint16_t type, std::uint16_t flags, std::string_view verb,
                 const std::string& name);

    std::vector<std::uint8_t> bytes_;
    std::vector<std::uint8_t> scratch_;  // libnftnl writes one message here, unchecked
    struct Step {
        std::uint16_t type;  // NFT_MSG_*
        std::string label;
    };
    std::vector<Step> steps_;       // the messages between begin and end of the batch
    std::size_t last_message_ = 0;  // offset in bytes_
};

}  // namespace alca::nft

#endif
