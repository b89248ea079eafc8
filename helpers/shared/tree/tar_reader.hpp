#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "helpers/shared/tree/entry.hpp"

struct archive;
struct archive_entry;

namespace alca::tree {

// Reads a tar stream, in any of its formats, without compression. Nothing in it is trusted: names
// are as they stand there.
class TarReader {
  public:
    explicit TarReader(ByteSource& source);
    TarReader(const TarReader&) = delete;
    TarReader& operator=(const TarReader&) = delete;
    ~TarReader();

    enum class Step {
        entry,
        damaged,  // its name or attributes cannot be told for sure; `entry` is not to be used
        end,
        broken,
    };
    // Strings in `entry` are valid until the next call. Skips what was not read of the last one.
    [[nodiscard]] Step next(Entry& entry);

    struct Block {
        std::string_view data;
        std::int64_t offset = 0;  // in the file; between blocks of a sparse file are zeros
    };
    // Of the last entry. end: there is no more.
    [[nodiscard]] Step next_block(Block& block);
    // Why it is broken, or damaged.
    [[nodiscard]] std::string_view why() const;

    // For the source's callback.
    [[nodiscard]] std::int64_t fill(const void** data);

  private:
    ByteSource& source_;
    archive* archive_;
    bool is_readable_ = false;
    bool has_entry_ = false;
    std::size_t head_bytes_ = 0;  // read for one entry's head; 0: no head is being read
    std::array<char, std::size_t{64} * 1024> buffer_;
};

}  // namespace alca::tree
