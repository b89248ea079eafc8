// preset_texts.hpp - the files presets/*.toml as they were when this was built.
#ifndef ALCA_PLUGINS_AGENT_PRESETS_PRESET_TEXTS_HPP
#define ALCA_PLUGINS_AGENT_PRESETS_PRESET_TEXTS_HPP

#include <span>
#include <string_view>

namespace alca::presets {

// In the order of the file names.
[[nodiscard]] std::span<const std::string_view> preset_texts();

}  // namespace alca::presets

#endif
