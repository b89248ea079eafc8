#pragma once

#include "helpers/shared/tree/entry_sink.hpp"
#include "helpers/shared/tree/report.hpp"
#include "helpers/shared/tree/tar_writer.hpp"

namespace alca::tree {

// A sink that writes the entries to another stream: from any format of tar to the one of TarWriter,
// and nothing that was refused.
class Relay final : public EntrySink {
  public:
    // takes_holes: of sparse files, as zeros. A few bytes of a stream can stand for endless ones,
    // so not of a stream that somebody else has made.
    Relay(TarWriter& writer, Report& report, bool takes_holes)
        : writer_(writer), report_(report), takes_holes_(takes_holes) {}

    Step add_directory(const Entry& entry) override { return begin(entry); }
    Step add_file(const Entry& entry, TarReader& content) override;
    Step add_link(const Entry& entry) override { return begin(entry); }
    Step add_hard_link(const Entry& entry) override { return begin(entry); }
    Step finish() override;

  private:
    Step begin(const Entry& entry);
    Step broken();
    Step refused(const Entry& entry);
    [[nodiscard]] bool write_zeros(std::int64_t count);

    TarWriter& writer_;
    Report& report_;
    const bool takes_holes_;
};

}  // namespace alca::tree
