// render.hpp - from a preset's file to the files that `alca init` writes.
//
// A preset is a complete .alca.toml. Lines that begin "#% " stand before it and say what it is:
//   #% name claude             once
//   #% summary TEXT            once
//   #% version 2.1.330         once: the agent's version that the preset pins
//   #% gitignore .alca/        any number of times
//   #% note TEXT               any number of times
#ifndef ALCA_PLUGINS_AGENT_PRESETS_RENDER_HPP
#define ALCA_PLUGINS_AGENT_PRESETS_RENDER_HPP

#include <string>
#include <string_view>

#include "alca/presets.hpp"
#include "alca/result.hpp"

namespace alca::presets {

struct Preset {
    PresetInfo info;
    PresetFiles files;
};

// Errors: invalid (a "#%" line that is not known, a missing one, no line `image = "..."`).
[[nodiscard]] Result<Preset> parse_preset(std::string_view text);

// `config` with another image. image: any text; it is quoted as TOML wants it. "" changes nothing.
// Errors: invalid (the text has no line `image = "..."`, or image has a control character).
[[nodiscard]] Result<std::string> with_image(std::string config, std::string_view image);

}  // namespace alca::presets

#endif
