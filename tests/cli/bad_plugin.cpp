// A presets plugin that does wrong when ALCA_TEST_PLUGIN says so: throw, crash, print or exit.
// It takes the place of agent-presets in a copied tree. Written without the authoring layer, which
// would stop the exception.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "alca/presets.h"

namespace {

std::string_view mode() {
    const char* value = std::getenv("ALCA_TEST_PLUGIN");
    return value == nullptr ? "" : value;
}

// Shows that code of the plugin has run: it is what `alca plugins list` must not do.
[[gnu::constructor]] void leave_a_trace() {
    const char* directory = std::getenv("ALCA_TEST_TRACE");
    if (directory != nullptr && ::mkdir(directory, 0700) != 0) std::abort();
}

void say(int fd, std::string_view text) {
    if (::write(fd, text.data(), text.size()) < 0) std::abort();
}

alca_status list(void* /*self*/, const alca_call* call, alca_str /*request*/) {
    constexpr std::string_view kAnswer = R"({"presets":[]})";
    call->reply(call, {kAnswer.data(), kAnswer.size()});
    return ALCA_OK;
}

alca_status render(void* /*self*/, const alca_call* call, alca_str /*request*/) {
    if (mode() == "throw") throw std::runtime_error("out of the plugin");
    if (mode() == "crash") ::raise(SIGSEGV);
    if (mode() == "print") {
        say(STDOUT_FILENO, "printed by the plugin\n");
        say(STDERR_FILENO, "also printed\n");
    }
    constexpr std::string_view kMessage = "refused \x1b[31mon purpose";
    call->fail(call, {kMessage.data(), kMessage.size()});
    return ALCA_FAILED;
}

const alca_presets_1 kTable{sizeof(alca_presets_1), list, render};

const void* query(const char* id) {
    return std::strcmp(id, ALCA_PRESETS_1) == 0 ? &kTable : nullptr;
}

alca_status create(const alca_call* /*call*/, alca_str /*settings*/, void** self) {
    *self = nullptr;
    return ALCA_OK;
}

void destroy(void* /*self*/) {}

}  // namespace

extern "C" const alca_plugin* alca_plugin_v1(void) {
    static const char* const provides[] = {ALCA_PRESETS_1, nullptr};
    static const alca_plugin plugin{sizeof(alca_plugin),
                                    ALCA_ABI_MINOR,
                                    "agent-presets",
                                    "1.0.0",
                                    provides,
                                    query,
                                    create,
                                    destroy};
    return &plugin;
}
