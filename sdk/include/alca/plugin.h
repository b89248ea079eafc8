/* alca/plugin.h - the plugin ABI, major version 1. C11, no dependency but the C library.
 *
 * Functions and file descriptors are C; data is UTF-8 JSON (schemas: sdk/schema/).
 *
 * Strings    alca_str: pointer + length, never NULL data with len > 0, no terminator needed.
 * Ownership  Everything passed, either way, is borrowed until the call returns. Nothing is
 *            freed across the boundary: answers are copied out through alca_call.reply.
 * Errors     Return ALCA_OK or a negative code; say why with alca_call.fail. No exception,
 *            panic or longjmp may leave a plugin.
 * Threads    At most one call at a time per instance; instances may run in parallel.
 *            alca_call's functions may be used from any thread until the call returns.
 * Process    Do not exit, chdir, change umask, locale, terminal or signal handlers, and do
 *            not touch fd 0-2: output goes through alca_call or alca_stdio.
 * Growth     Structs with `size` grow only at the end. `size` is sizeof() as the side that
 *            filled the struct knew it; test a late member with ALCA_HAS or ALCA_FITS before
 *            use. alca_str and alca_winsize never change.
 */
#ifndef ALCA_PLUGIN_H
#define ALCA_PLUGIN_H
/* NOLINTBEGIN: C, not C++ */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ALCA_ABI_MAJOR 1 /* a break gets a new entry symbol */
#define ALCA_ABI_MINOR 0 /* +1 for each addition */
#define ALCA_EXPORT __attribute__((visibility("default")))
/* Does the side that filled *p know `member`? For a member of any type, 0 included. */
#define ALCA_FITS(p, member) ((p)->size >= offsetof(__typeof__(*(p)), member) + sizeof((p)->member))
/* ... and is it set? For pointers and functions: NULL is "not supported". */
#define ALCA_HAS(p, member) (ALCA_FITS(p, member) && (p)->member)

typedef struct alca_str {
    const char* data;
    size_t len;
} alca_str;

typedef int32_t alca_status;
enum {
    ALCA_OK = 0,
    ALCA_FAILED = -1,      /* none of the below; the message says more */
    ALCA_UNSUPPORTED = -2, /* this plugin does not do that */
    ALCA_UNAVAILABLE = -3, /* engine, daemon or kernel feature is not there */
    ALCA_NOT_FOUND = -4,   /* no such sandbox, image, session or preset */
    ALCA_INVALID = -5,     /* malformed request or settings */
    ALCA_DENIED = -6,      /* needs a right this process lacks */
    ALCA_CANCELLED = -7    /* cancel_fd fired */
};

enum { ALCA_DEBUG = 0, ALCA_INFO = 1, ALCA_WARN = 2, ALCA_ERROR = 3 };

/* One call from the host, filled by the host. */
typedef struct alca_call {
    size_t size;
    void* host;    /* the host's own; hand it back by passing the alca_call */
    int cancel_fd; /* readable from Ctrl-C or timeout on; poll it, never read or close it;
                      -1: this call cannot be cancelled */
    void (*reply)(const struct alca_call*, alca_str json);   /* the answer; the last one counts */
    void (*fail)(const struct alca_call*, alca_str message); /* why, for the user; one line */
    void (*log)(const struct alca_call*, int32_t level, alca_str line); /* no secrets, one line */
    void (*progress)(const struct alca_call*, alca_str json);           /* progress.schema.json */
} alca_call;

/* Byte streams of a command. Open for the whole call; the plugin never closes them. */
typedef struct alca_stdio {
    size_t size;
    int in, out, err; /* -1: an empty input, an output that nobody reads */
    int tty;          /* 1: the command gets a terminal; the host's own is already raw */
    int resize_fd;    /* -1, or a pipe of alca_winsize records, the first one waiting */
} alca_stdio;

typedef struct alca_winsize {
    uint16_t rows, cols; /* character cells */
} alca_winsize;

/* The shape of every method that is only data in, data out. */
typedef alca_status (*alca_method)(void* self, const alca_call* call, alca_str request);

/* What a plugin says about itself. Static storage; must agree with its manifest. */
typedef struct alca_plugin {
    size_t size;
    uint32_t abi_minor;                             /* ALCA_ABI_MINOR it was built with */
    const char* id;                                 /* "runtime-docker" */
    const char* version;                            /* SemVer */
    const char* const* provides;                    /* interface ids, NULL-terminated */
    const void* (*query)(const char* interface_id); /* static table for ever, or NULL */
    /* Makes an instance; *self is the plugin's own and may be NULL. After an error *self is
     * not looked at and destroy is not called. */
    alca_status (*create)(const alca_call* call, alca_str settings, void** self);
    void (*destroy)(void* self);
} alca_plugin;

/* The only symbol a plugin exports. Cheap, callable many times, never NULL. */
ALCA_EXPORT const alca_plugin* alca_plugin_v1(void);

#ifdef __cplusplus
}
#endif
/* NOLINTEND */
#endif
