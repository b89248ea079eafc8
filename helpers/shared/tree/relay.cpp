#include "helpers/shared/tree/relay.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace alca::tree {

Step Relay::broken() {
    report_.failed({}, std::strerror(errno));
    return Step::stop;
}

Step Relay::refused(const Entry& entry) {
    report_.failed(entry.path, "it is not as long as its entry says");
    return Step::stop;
}

Step Relay::begin(const Entry& entry) {
    report_.copied_entry();
    return writer_.begin(entry) ? Step::done : broken();
}

bool Relay::write_zeros(std::int64_t count) {
    static constexpr std::array<char, 4096> kZeros{};
    while (count > 0) {
        const auto part = std::min<std::int64_t>(count, kZeros.size());
        if (!writer_.write(kZeros.data(), static_cast<std::size_t>(part))) return false;
        count -= part;
    }
    return true;
}

Step Relay::add_file(const Entry& entry, TarReader& content) {
    if (begin(entry) != Step::done) return Step::stop;
    std::int64_t position = 0;
    TarReader::Block block;
    auto found = content.next_block(block);
    for (; found == TarReader::Step::entry; found = content.next_block(block)) {
        if (block.offset != position && !takes_holes_) return refused(entry);
        if (!write_zeros(block.offset - position)) return broken();
        if (!writer_.write(block.data.data(), block.data.size())) return broken();
        report_.copied_bytes(block.data.size());
        position = block.offset + static_cast<std::int64_t>(block.data.size());
    }
    // The library would write zeros for the rest.
    if (found == TarReader::Step::end && position != entry.size && !takes_holes_)
        return refused(entry);
    if (found == TarReader::Step::end) return Step::done;
    report_.failed(entry.path, content.why());
    return Step::stop;
}

Step Relay::finish() { return writer_.close() ? Step::done : broken(); }

}  // namespace alca::tree
