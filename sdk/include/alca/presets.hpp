// alca/presets.hpp - the typed form of alca.presets/1 (alca/presets.h): data and class.
#ifndef ALCA_PRESETS_HPP
#define ALCA_PRESETS_HPP

#include <string>
#include <vector>

#include "alca/call.hpp"
#include "alca/json.hpp"
#include "alca/presets.h"
#include "alca/result.hpp"

namespace alca {

struct PresetInfo {
    std::string name;           // "claude"
    std::string summary;        // one line
    std::string agent_version;  // the version that the preset pins
    static Result<PresetInfo> from_json(const Json& json);
};

struct PresetRequest {
    std::string name;
    std::string image;  // replaces the preset's own image; "" keeps it
    static Result<PresetRequest> from_json(const Json& json);
};

struct PresetFiles {
    std::string config;                  // text of .alca.toml
    std::vector<std::string> gitignore;  // lines that .gitignore should have
    std::vector<std::string> notes;      // what the user should know or do next, one line each
    static Result<PresetFiles> from_json(const Json& json);
};

void to_json(Json& json, const PresetInfo& value);
void to_json(Json& json, const PresetRequest& value);
void to_json(Json& json, const PresetFiles& value);

// Ready configurations for agents. Writes nothing.
class Presets {
  public:
    virtual ~Presets() = default;

    [[nodiscard]] virtual Result<std::vector<PresetInfo>> list(const Call& call) = 0;
    // Errors: not_found (no preset of that name; the message lists those there are).
    [[nodiscard]] virtual Result<PresetFiles> render(const Call& call,
                                                     const PresetRequest& request) = 0;

  protected:
    Presets() = default;
    Presets(const Presets&) = default;
    Presets& operator=(const Presets&) = default;
};

// ---- JSON form --------------------------------------------------------------------------------

inline void to_json(Json& json, const PresetInfo& value) {
    json = Json{
        {"name", value.name}, {"summary", value.summary}, {"agent_version", value.agent_version}};
}
inline Result<PresetInfo> PresetInfo::from_json(const Json& json) {
    PresetInfo value;
    JsonReader in(json, "preset");
    in.require("name", value.name);
    in.read("summary", value.summary);
    in.read("agent_version", value.agent_version);
    return in.done(value);
}

inline void to_json(Json& json, const PresetRequest& value) {
    json = Json{{"name", value.name}, {"image", value.image}};
}
inline Result<PresetRequest> PresetRequest::from_json(const Json& json) {
    PresetRequest value;
    JsonReader in(json, "request");
    in.require("name", value.name);
    in.read("image", value.image);
    return in.done(value);
}

inline void to_json(Json& json, const PresetFiles& value) {
    json = Json{{"config", value.config}, {"gitignore", value.gitignore}, {"notes", value.notes}};
}
inline Result<PresetFiles> PresetFiles::from_json(const Json& json) {
    PresetFiles value;
    JsonReader in(json, "preset");
    in.require("config", value.config);
    in.read("gitignore", value.gitignore);
    in.read("notes", value.notes);
    return in.done(value);
}

}  // namespace alca

#endif
