// The JSON form of alca::Progress (sdk/schema/progress.schema.json).
#ifndef ALCA_DETAIL_PROGRESS_JSON_HPP
#define ALCA_DETAIL_PROGRESS_JSON_HPP

#include "alca/call.hpp"
#include "alca/json.hpp"

namespace alca {

inline void to_json(Json& json, const Progress& value) {
    json = Json{{"step", value.step},
                {"done", value.done},
                {"total", value.total},
                {"unit", value.unit},
                {"finished", value.finished}};
}
[[nodiscard]] inline Result<Progress> progress_from_json(const Json& json) {
    Progress value;
    JsonReader in(json, "progress");
    in.read("step", value.step);
    in.read("done", value.done);
    in.read("total", value.total);
    in.read("unit", value.unit);
    in.read("finished", value.finished);
    return in.done(value);
}

}  // namespace alca

#endif
