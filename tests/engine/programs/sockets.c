/* Tries to make sockets of families that must be refused, by the ordinary call and by the 32-bit
 * calls that a 64-bit process can still make. Prints one line a try: "WAY FAMILY ERRNO"; 0 is
 * success. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char* name;
    int family;
    int type;
} families[] = {
    {"inet", AF_INET, SOCK_DGRAM},       {"unix", AF_UNIX, SOCK_STREAM},
    {"vsock", 40, SOCK_STREAM},          {"packet", AF_PACKET, SOCK_DGRAM},
    {"packet-raw", AF_PACKET, SOCK_RAW}, {"xdp", 44, SOCK_RAW},
};

static void report(const char* way, const char* name, long result) {
    printf("%s %s %ld\n", way, name, result < 0 ? -result : 0);
}

#if defined(__x86_64__)
static long call32(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(number), "b"(a), "c"(b), "d"(c)
                     : "r8", "r9", "r10", "r11", "memory");
    return (long)(int)result;
}

static void try_32_bit(void) {
    enum { SOCKET_32 = 359, SOCKETCALL_32 = 102, SYS_SOCKET_OPERATION = 1 };
    /* Its arguments must lie below 4 GiB. */
    uint32_t* arguments =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (arguments == MAP_FAILED) return;
    for (size_t i = 0; i < sizeof families / sizeof *families; ++i) {
        report("socket32", families[i].name,
               call32(SOCKET_32, families[i].family, families[i].type, 0));
        arguments[0] = (uint32_t)families[i].family;
        arguments[1] = (uint32_t)families[i].type;
        arguments[2] = 0;
        report("socketcall32", families[i].name,
               call32(SOCKETCALL_32, SYS_SOCKET_OPERATION, (long)(uintptr_t)arguments, 0));
    }
}

/* The x32 numbers of the same kernel. */
static void try_x32(void) {
    for (size_t i = 0; i < sizeof families / sizeof *families; ++i) {
        const long made = syscall(0x40000000 | SYS_socket, families[i].family, families[i].type, 0);
        report("x32", families[i].name, made < 0 ? -errno : made);
    }
}
#else
static void try_32_bit(void) {}
static void try_x32(void) {}
#endif

int main(void) {
    for (size_t i = 0; i < sizeof families / sizeof *families; ++i) {
        const int fd = socket(families[i].family, families[i].type, 0);
        report("socket", families[i].name, fd < 0 ? -errno : fd);
    }
    try_32_bit();
    try_x32();
    return 0;
}
