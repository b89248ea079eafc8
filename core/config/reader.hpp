// core/config/reader.hpp - typed access to TOML that collects every problem with its place.
// Internal.
#ifndef ALCA_CORE_CONFIG_READER_HPP
#define ALCA_CORE_CONFIG_READER_HPP

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "alca/result.hpp"
#include "core/config/config.hpp"
#include "core/config/toml.hpp"

namespace alca::config {

[[nodiscard]] Position position_of(const toml::node& node);
[[nodiscard]] Position position_of(const toml::key& key);
// "a string", "an integer", ...
[[nodiscard]] std::string_view type_name(const toml::node& node);

// All that is wrong in one file.
class Problems {
  public:
    explicit Problems(std::string file) : file_(std::move(file)) {}

    void add(Position position, std::string message);
    // "WHAT: expected EXPECTED, got an integer" at the node.
    void add_type(const toml::node& node, std::string_view what, std::string_view expected);

    [[nodiscard]] bool empty() const { return problems_.empty(); }
    // Up to 10 lines "FILE:LINE:COLUMN: message" in the order of the file. Only when not empty.
    [[nodiscard]] Error error() const;

  private:
    std::string file_;
    // By line and column; those of one place stay in the order in which they were found.
    std::multimap<std::pair<std::uint32_t, std::uint32_t>, std::string> problems_;
};

// A string node's text, or a problem: another type, or a NUL byte (no argument or path can have
// one).
[[nodiscard]] std::optional<std::string> read_string(const toml::node& node, std::string_view what,
                                                     Problems& problems);

// An array of strings; elements that are none are problems "WHAT[i]: ..." and left out.
[[nodiscard]] std::vector<std::string> read_strings(const toml::node& node, std::string_view what,
                                                    Problems& problems);

// One table. path: its place in the table of keys ("mounts[]"); shown: its place in this file
// ("mounts[3]"), both "" for the file itself. Unknown keys become problems at once, with a
// suggestion.
class TableReader {
  public:
    TableReader(const toml::table& table, std::string_view path, std::string shown,
                Problems& problems);

    // The value of `key`, or null when it is absent.
    [[nodiscard]] const toml::node* find(std::string_view key) const { return table_.get(key); }
    // "mounts[3].target"
    [[nodiscard]] std::string name(std::string_view key) const;
    [[nodiscard]] Position position() const { return position_of(table_); }

    // Each leaves `out` alone and returns false when the key is absent or wrong (a problem then).
    bool read(std::string_view key, std::string& out) const;
    bool read(std::string_view key, bool& out) const;
    bool read(std::string_view key, std::int64_t& out) const;
    bool read(std::string_view key, std::vector<std::string>& out) const;
    // The value as a table, or null when absent or of another type (a problem then).
    [[nodiscard]] const toml::table* table(std::string_view key) const;

  private:
    void report_unknown(std::string_view path) const;

    const toml::table& table_;
    std::string shown_;
    Problems& problems_;
};

}  // namespace alca::config

#endif
