// A plugin without the C++ layer that lets an exception out: the process ends and names it.
#include <cstring>
#include <stdexcept>

#include "alca/presets.h"

namespace {

alca_status list(void*, const alca_call*, alca_str) { throw std::runtime_error("let out"); }
constexpr alca_presets_1 kTable{sizeof(alca_presets_1), list, nullptr};
const void* query(const char* id) {
    return std::strcmp(id, ALCA_PRESETS_1) == 0 ? &kTable : nullptr;
}
alca_status create(const alca_call*, alca_str, void** self) {
    *self = nullptr;
    return ALCA_OK;
}
void destroy(void*) {}

constexpr const char* kProvides[] = {ALCA_PRESETS_1, nullptr};
constexpr alca_plugin kPlugin{
    sizeof(alca_plugin), ALCA_ABI_MINOR, ALCA_PLUGIN_ID, ALCA_PLUGIN_VERSION,
    kProvides,           query,          create,         destroy};

}  // namespace

const alca_plugin* alca_plugin_v1(void) { return &kPlugin; }
