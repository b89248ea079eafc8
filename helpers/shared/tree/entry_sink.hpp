#pragma once

#include "helpers/shared/tree/entry.hpp"
#include "helpers/shared/tree/tar_reader.hpp"

namespace alca::tree {

// What one entry came to.
enum class Step {
    done,
    failed,  // and told; the copy goes on
    stop,    // and told; nothing more can be copied
};

// Where the entries of a stream go. Paths in them are relative, "" for the top directory itself,
// without empty names, "." and "..". Not pure: see Report.
class EntrySink {
  public:
    virtual Step add_directory(const Entry& /*entry*/) { return Step::stop; }
    virtual Step add_file(const Entry& /*entry*/, TarReader& /*content*/) { return Step::stop; }
    virtual Step add_link(const Entry& /*entry*/) { return Step::stop; }
    // entry.target is the path of an entry that came before.
    virtual Step add_hard_link(const Entry& /*entry*/) { return Step::stop; }
    virtual Step finish() { return Step::stop; }

  protected:
    ~EntrySink() = default;
};

}  // namespace alca::tree
