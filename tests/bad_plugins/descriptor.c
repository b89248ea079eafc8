/* A plugin whose descriptor is wrong in the way that one BAD_ definition says. With none, it names
 * an interface that it has no table for. */
#include <stddef.h>

#include "alca/presets.h"

#ifndef BAD_ID
#define BAD_ID ALCA_PLUGIN_ID
#endif
#ifndef BAD_VERSION
#define BAD_VERSION ALCA_PLUGIN_VERSION
#endif
#ifndef BAD_PROVIDES
#define BAD_PROVIDES ALCA_PRESETS_1
#endif
#ifndef BAD_SIZE
#define BAD_SIZE sizeof(alca_plugin)
#endif

static const void* query(const char* id) {
    (void)id;
    return NULL;
}

#ifndef BAD_CREATE
static alca_status create(const alca_call* call, alca_str settings, void** self) {
    (void)call;
    (void)settings;
    *self = NULL;
    return ALCA_OK;
}
#else
#define create NULL
#endif

static void destroy(void* self) { (void)self; }

const alca_plugin* alca_plugin_v1(void) {
#ifdef BAD_NULL
    (void)query;
    (void)create;
    (void)destroy;
    return NULL;
#else
    static const char* const provides[] = {BAD_PROVIDES, NULL};
    static const alca_plugin plugin = {BAD_SIZE, ALCA_ABI_MINOR, BAD_ID, BAD_VERSION,
                                       provides, query,          create, destroy};
    return &plugin;
#endif
}
