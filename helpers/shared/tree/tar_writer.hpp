#pragma once

#include <cstddef>

#include "helpers/shared/tree/entry.hpp"

struct archive;
struct archive_entry;

namespace alca::tree {

// Writes entries as a GNU tar stream: names are bytes of any length, times are seconds.
class TarWriter {
  public:
    explicit TarWriter(ByteSink& sink);
    TarWriter(const TarWriter&) = delete;
    TarWriter& operator=(const TarWriter&) = delete;
    ~TarWriter();

    // Each is false when the stream is broken for good (the sink, memory): stop then.
    // After the header of a file come entry.size bytes of it; what is missing is filled with zeros.
    [[nodiscard]] bool begin(const Entry& entry);
    [[nodiscard]] bool write(const char* data, std::size_t count);
    // Completes the stream.
    [[nodiscard]] bool close();

    // For libarchive's callback.
    [[nodiscard]] bool pass_on(const char* data, std::size_t count);

  private:
    ByteSink& sink_;
    archive* archive_;
    archive_entry* entry_;
    bool is_over_ = false;  // what still comes is thrown away
};

}  // namespace alca::tree
