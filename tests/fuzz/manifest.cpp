// The manifest of a plugin, read before anything of the plugin is trusted.
#include <algorithm>
#include <string>
#include <string_view>

#include "alca/plugin.h"
#include "core/plugins/manifest.hpp"
#include "fuzz/support/target.hpp"

namespace alca::fuzz {

void one_input(std::string_view input) {
    constexpr std::string_view kId = "sample";
    const auto manifest = plugins::parse_manifest(input, kId);
    if (!manifest) return;
    claim(manifest->id == kId, "the id is that of the file");
    claim(is_printable(manifest->version), "version");
    if (manifest->abi != ALCA_ABI_MAJOR) return;
    claim(!manifest->library.empty() && !manifest->library.starts_with('.') &&
              manifest->library.find('/') == std::string::npos,
          "the library lies beside the manifest");
    claim(is_printable(manifest->summary) && is_printable(manifest->library), "printable");
    claim(!manifest->provides.empty(), "it provides something");
}

}  // namespace alca::fuzz
