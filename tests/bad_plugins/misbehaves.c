/* A presets plugin in C whose `list` does what the setting "mode" says; "ok" is a correct plugin.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "alca/presets.h"

static char mode[64]; /* one instance at a time is enough here */

static alca_str text(const char* from) {
    alca_str out = {from, strlen(from)};
    return out;
}

static alca_status too_large(const alca_call* call) {
    const size_t size = 17u << 20;
    char* data = malloc(size);
    alca_str out = {data, size};
    memset(data, ' ', size);
    memcpy(data, "{\"presets\":[]", 13);
    data[size - 1] = '}';
    call->reply(call, out);
    free(data);
    return ALCA_OK;
}

static alca_status hang(const alca_call* call) {
    struct pollfd entry = {call->cancel_fd, POLLIN, 0};
    while (poll(&entry, 1, -1) < 0) {
    }
    return ALCA_CANCELLED;
}

static const struct reply {
    const char* mode;
    const char* json;
} replies[] = {
    {"ok", "{\"presets\":[{\"name\":\"one\",\"unknown\":[1]}]}"},
    {"not-json", "{\"presets\":"},
    {"array", "[]"},
    {"wrong-type", "{\"presets\":[{\"name\":7}]}"},
    {"not-utf8", "{\"presets\":[{\"name\":\"\xff\"}]}"},
    {"missing", "{}"},
};

static alca_status list(void* self, const alca_call* call, alca_str request) {
    (void)self;
    (void)request;
    for (size_t i = 0; i < sizeof replies / sizeof *replies; ++i) {
        if (strcmp(mode, replies[i].mode) != 0) continue;
        call->reply(call, text(replies[i].json));
        return ALCA_OK;
    }
    if (strcmp(mode, "too-large") == 0) return too_large(call);
    if (strcmp(mode, "hang") == 0) return hang(call);
    if (strcmp(mode, "silent-failure") == 0) return ALCA_UNAVAILABLE;
    if (strcmp(mode, "unknown-code") == 0) return 77;
    if (strcmp(mode, "control-bytes") == 0) {
        call->fail(call, text("red \x1b[31m\nand \xc2\x9b c1"));
        return ALCA_NOT_FOUND;
    }
    if (strcmp(mode, "progress") == 0) {
        call->progress(
            call, text("{\"step\":\"pull\\u001b\",\"done\":1,\"total\":2,\"unit\":\"bytes\"}"));
        call->progress(call, text("nonsense"));
        call->log(call, 99, text("loud\n"));
        call->reply(call, text("{\"presets\":[]}"));
        return ALCA_OK;
    }
    if (strcmp(mode, "crash") == 0) *(volatile int*)8 = 1;
    if (strcmp(mode, "abort") == 0) abort();
    return ALCA_OK; /* "nothing": success without an answer */
}

/* render is not offered: a NULL slot. */
static const alca_presets_1 table = {sizeof(alca_presets_1), list, NULL};

static const void* query(const char* id) { return strcmp(id, ALCA_PRESETS_1) == 0 ? &table : NULL; }

/* {"mode":"X"} */
static alca_status create(const alca_call* call, alca_str settings, void** self) {
    const char* const head = "{\"mode\":\"";
    const size_t skip = strlen(head);
    if (settings.len < skip + 2 || settings.len - skip >= sizeof mode ||
        memcmp(settings.data, head, skip) != 0) {
        call->fail(call, text("no mode"));
        return ALCA_INVALID;
    }
    memcpy(mode, settings.data + skip, settings.len - skip - 2);
    mode[settings.len - skip - 2] = '\0';
    *self = mode;
    return ALCA_OK;
}

static void destroy(void* self) { (void)self; }

const alca_plugin* alca_plugin_v1(void) {
    static const char* const provides[] = {ALCA_PRESETS_1, NULL};
    static const alca_plugin plugin = {sizeof(alca_plugin),
                                       ALCA_ABI_MINOR,
                                       ALCA_PLUGIN_ID,
                                       ALCA_PLUGIN_VERSION,
                                       provides,
                                       query,
                                       create,
                                       destroy};
    return &plugin;
}
