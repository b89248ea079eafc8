#pragma once

#include <sys/types.h>

#include <cstdint>
#include <ctime>
#include <string_view>

namespace alca::tree {

enum class Kind { file, directory, link, hard_link, other };

// One entry of a tree, on its way. Strings are borrowed.
struct Entry {
    Kind kind = Kind::other;
    std::string_view path = {};
    std::string_view target =
        {};                  // of a link: its text; of a hard link: the path of the other name
    mode_t mode = 0;         // permission bits only
    bool lost_bits = false;  // it had others
    bool has_mtime = false;
    std::timespec mtime{};
    std::int64_t size = 0;  // of a file, in bytes
};

// Where bytes come from and go to. Not pure: see Report.
class ByteSource {
  public:
    // As read(2): 0 at the end, -1 with errno.
    virtual ssize_t read(char* /*at*/, std::size_t /*count*/) { return -1; }

  protected:
    ~ByteSource() = default;
};
class ByteSink {
  public:
    // All of it; false: errno says why.
    virtual bool write(const char* /*data*/, std::size_t /*count*/) { return false; }

  protected:
    ~ByteSink() = default;
};

}  // namespace alca::tree
