#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>

#include "helpers/shared/tree/beneath.hpp"
#include "helpers/shared/tree/entry_sink.hpp"
#include "helpers/shared/tree/path.hpp"
#include "helpers/shared/tree/report.hpp"

namespace alca::tree {

// A sink that makes files, directories and links below a directory, and touches nothing else: no
// link on the way is followed, whoever made it and however late. A file gets its name when it is
// complete, in place of a file or a link that had it. What is made belongs to who makes it.
// A directory that was there before keeps its mode and gets new content beside its own.
class TreeWriter final : public EntrySink {
  public:
    // directory: borrowed. masked: permission bits that nothing gets.
    TreeWriter(int directory, mode_t masked, Report& report);
    TreeWriter(const TreeWriter&) = delete;
    TreeWriter& operator=(const TreeWriter&) = delete;
    ~TreeWriter();

    Step add_directory(const Entry& entry) override;
    Step add_file(const Entry& entry, TarReader& content) override;
    Step add_link(const Entry& entry) override;
    Step add_hard_link(const Entry& entry) override;  // a copy
    Step finish() override;

  private:
    // Its own attributes come when it is full: a directory may be one that nobody can write.
    struct Unfinished {
        std::size_t path_size = 0;
        mode_t mode = 0;
        bool has_mtime = false;
        std::timespec mtime{};
    };
    Step fail(std::string_view path, int error);
    // The directory that holds `path`; what is missing on the way is made. -1: errno says why.
    [[nodiscard]] int open_parent(std::string_view path);
    [[nodiscard]] Fd make_parents(std::string_view path);
    [[nodiscard]] bool remember_unfinished(const Entry& entry);
    void finish_down_to(std::string_view path);
    void finish_last();
    // A new file beside the place of `path`, under a name of ours.
    [[nodiscard]] Fd create(int parent);
    [[nodiscard]] Step fill(const Entry& entry, const Fd& file, TarReader& content);
    [[nodiscard]] Step put_in_place(const Entry& entry, int parent, const Fd& file);

    int directory_;
    mode_t masked_;
    Report& report_;
    bool is_complete_ = true;
    std::array<char, 40> temporary_{};
    Path parent_path_;
    Fd parent_;  // of parent_path_
    bool has_parent_ = false;
    Path unfinished_path_;  // of the innermost; those around it are the beginnings of it
    Unfinished* unfinished_ = nullptr;
    std::size_t unfinished_count_ = 0;
    std::size_t unfinished_capacity_ = 0;
};

}  // namespace alca::tree
