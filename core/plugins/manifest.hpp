// core/plugins/manifest.hpp - what a plugin's manifest says, without loading the plugin.
#ifndef ALCA_CORE_PLUGINS_MANIFEST_HPP
#define ALCA_CORE_PLUGINS_MANIFEST_HPP

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "alca/result.hpp"

namespace alca::plugins {

inline constexpr std::size_t kMaxManifestBytes = std::size_t{64} * 1024;
inline constexpr std::string_view kManifestSuffix = ".alca.json";

// sdk/schema/manifest.schema.json.
struct Manifest {
    std::string id;       // equals the file's name without kManifestSuffix
    std::string version;  // SemVer
    std::int64_t abi = 0;
    std::string library;                // a bare file name beside the manifest
    std::vector<std::string> provides;  // interface ids, at least one
    std::string summary;                // one line
};

// Reads the manifest of plugin `id`. Members that are not known are ignored. An ABI that is not
// ours is no error here: then only id, version and abi are read.
// Errors: invalid (says which member is wrong).
[[nodiscard]] Result<Manifest> parse_manifest(std::string_view text, std::string_view id);

}  // namespace alca::plugins

#endif
