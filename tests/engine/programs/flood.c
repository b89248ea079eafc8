/* Takes the place of alca-init in a first-packet test: the first thing that it does is to send,
 * again and again, to hosts of tests/support/lab. Whatever is asked of it, it answers
 * nothing useful. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char* const targets4[] = {"192.168.77.2", "10.77.0.2", "169.254.169.254", "100.64.0.2",
                                       "192.168.77.10"};
static const char* const targets6[] = {"fd77::2"};
enum { PORT = 9000 };

static void send_once(int family, const struct sockaddr* address, socklen_t size) {
    const int udp = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (udp >= 0) {
        sendto(udp, "flood", 5, MSG_DONTWAIT, address, size);
        close(udp);
    }
    const int tcp = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (tcp >= 0) {
        if (connect(tcp, address, size) == 0) send(tcp, "flood", 5, MSG_DONTWAIT | MSG_NOSIGNAL);
        close(tcp);
    }
}

static void send_to_all(void) {
    for (size_t i = 0; i < sizeof targets4 / sizeof *targets4; ++i) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(PORT)};
        inet_pton(AF_INET, targets4[i], &address.sin_addr);
        send_once(AF_INET, (const struct sockaddr*)&address, sizeof address);
    }
    for (size_t i = 0; i < sizeof targets6 / sizeof *targets6; ++i) {
        struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_port = htons(PORT)};
        inet_pton(AF_INET6, targets6[i], &address.sin6_addr);
        send_once(AF_INET6, (const struct sockaddr*)&address, sizeof address);
    }
}

static void end(int number) { _exit(128 + number); }

int main(int argc, char** argv) {
    send_to_all();
    /* Asked to prove that it is isolated: it sends a while longer and does not. */
    const bool is_asked = argc > 1 && strcmp(argv[1], "verify") == 0;
    const time_t begin = time(NULL);
    signal(SIGTERM, end);
    while (!is_asked || time(NULL) < begin + 2) send_to_all();
    return 1;
}
