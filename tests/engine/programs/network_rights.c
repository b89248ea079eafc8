/* Asks the kernel for everything with which a process could change its network or go round its
 * rules, without any program's help. Prints one line a try: "NAME ERRNO"; 0 is success. Usage:
 * network_rights DEVICE With all rights and a device each try succeeds, but it may leave the
 * namespace without network: use one of its own. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/fib_rules.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ADDRESS = 0x0a090909, OTHER = 0x0a09090a }; /* 10.9.9.9, 10.9.9.10 */

static const char* device;
static int device_index;

/* One request at a time; several messages in it for nf_tables. */
static union {
    struct nlmsghdr head;
    char bytes[1024];
} request;
static size_t used;

static void* message(int type, int flags, size_t body_bytes) {
    struct nlmsghdr* head = (struct nlmsghdr*)(void*)(request.bytes + used);
    memset(head, 0, NLMSG_SPACE(body_bytes));
    head->nlmsg_len = (uint32_t)NLMSG_LENGTH(body_bytes);
    head->nlmsg_type = (uint16_t)type;
    head->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
    head->nlmsg_seq = (uint32_t)used;
    used += NLMSG_SPACE(body_bytes);
    return NLMSG_DATA(head);
}

/* To the message that was begun last, which is the only one with attributes in its request. */
static void attribute(struct nlmsghdr* head, int type, const void* data, size_t bytes) {
    struct rtattr* item = (struct rtattr*)(void*)((char*)head + NLMSG_ALIGN(head->nlmsg_len));
    item->rta_type = (uint16_t)type;
    item->rta_len = (uint16_t)RTA_LENGTH(bytes);
    memcpy(RTA_DATA(item), data, bytes);
    head->nlmsg_len = NLMSG_ALIGN(head->nlmsg_len) + (uint32_t)RTA_ALIGN(item->rta_len);
    used = (size_t)((char*)head - request.bytes) + NLMSG_ALIGN(head->nlmsg_len);
}

/* Sends what was made. The first error of the answers counts; no answer is success. */
static int ask(int family) {
    union {
        struct nlmsghdr head;
        char bytes[8192];
    } answer;
    const struct timeval timeout = {.tv_sec = 0, .tv_usec = 200000};
    int error = 0;
    const int fd = socket(AF_NETLINK, SOCK_RAW, family);
    if (fd < 0) return errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (send(fd, request.bytes, used, 0) < 0) error = errno;
    while (error == 0) {
        ssize_t got = recv(fd, answer.bytes, sizeof answer.bytes, 0);
        if (got <= 0) break;
        for (struct nlmsghdr* head = &answer.head; NLMSG_OK(head, got) && error == 0;
             head = NLMSG_NEXT(head, got)) {
            if (head->nlmsg_type == NLMSG_ERROR)
                error = -((struct nlmsgerr*)NLMSG_DATA(head))->error;
        }
    }
    close(fd);
    return error;
}

static int add_route(void) {
    struct rtmsg* body = message(RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE, sizeof *body);
    const uint32_t address = htonl(ADDRESS);
    body->rtm_family = AF_INET;
    body->rtm_dst_len = 32;
    body->rtm_table = RT_TABLE_MAIN;
    body->rtm_scope = RT_SCOPE_LINK;
    body->rtm_type = RTN_UNICAST;
    attribute(&request.head, RTA_DST, &address, sizeof address);
    attribute(&request.head, RTA_OIF, &device_index, sizeof device_index);
    return ask(NETLINK_ROUTE);
}

static int add_address(void) {
    struct ifaddrmsg* body = message(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE, sizeof *body);
    const uint32_t address = htonl(ADDRESS);
    body->ifa_family = AF_INET;
    body->ifa_prefixlen = 32;
    body->ifa_index = (uint32_t)device_index;
    attribute(&request.head, IFA_LOCAL, &address, sizeof address);
    return ask(NETLINK_ROUTE);
}

static int add_neighbour(void) {
    struct ndmsg* body = message(RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE, sizeof *body);
    const uint32_t address = htonl(OTHER);
    const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
    body->ndm_family = AF_INET;
    body->ndm_ifindex = device_index;
    body->ndm_state = NUD_PERMANENT;
    attribute(&request.head, NDA_DST, &address, sizeof address);
    attribute(&request.head, NDA_LLADDR, mac, sizeof mac);
    return ask(NETLINK_ROUTE);
}

static int add_rule(void) {
    struct fib_rule_hdr* body = message(RTM_NEWRULE, NLM_F_ACK | NLM_F_CREATE, sizeof *body);
    const uint32_t priority = 19;
    body->family = AF_INET;
    body->table = RT_TABLE_MAIN;
    body->action = FR_ACT_TO_TBL;
    attribute(&request.head, FRA_PRIORITY, &priority, sizeof priority);
    return ask(NETLINK_ROUTE);
}

static int add_link(void) {
    const struct {
        struct rtattr head;
        char name[8];
    } info = {{RTA_LENGTH(7), IFLA_INFO_KIND}, "bridge"};
    message(RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
    attribute(&request.head, IFLA_IFNAME, "extra0", 7);
    attribute(&request.head, IFLA_LINKINFO, &info, sizeof info);
    return ask(NETLINK_ROUTE);
}

static int set_link_down(void) {
    struct ifinfomsg* body = message(RTM_SETLINK, NLM_F_ACK, sizeof *body);
    body->ifi_index = device_index;
    body->ifi_change = IFF_UP;
    return ask(NETLINK_ROUTE);
}

static void nf_tables_begin(int type) {
    struct nfgenmsg* body = message(type, 0, sizeof *body);
    body->res_id = htons(NFNL_SUBSYS_NFTABLES);
}

/* Between begin and end, as all changes of nf_tables are. name NULL: every table of every family.
 */
static int nf_tables(int type, const char* name) {
    struct nfgenmsg* body;
    struct nlmsghdr* head;
    nf_tables_begin(NFNL_MSG_BATCH_BEGIN);
    head = (struct nlmsghdr*)(void*)(request.bytes + used);
    body = message(NFNL_SUBSYS_NFTABLES << 8 | type, NLM_F_ACK | (name ? NLM_F_CREATE : 0),
                   sizeof *body);
    if (name) body->nfgen_family = 1; /* inet */
    if (name) attribute(head, NFTA_TABLE_NAME, name, strlen(name) + 1);
    nf_tables_begin(NFNL_MSG_BATCH_END);
    return ask(NETLINK_NETFILTER);
}

static int add_table(void) { return nf_tables(NFT_MSG_NEWTABLE, "extra"); }
static int flush_ruleset(void) { return nf_tables(NFT_MSG_DELTABLE, NULL); }

static int list_tables(void) {
    message(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE, NLM_F_DUMP, sizeof(struct nfgenmsg));
    return ask(NETLINK_NETFILTER);
}

static int flush_connections(void) {
    message(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE, NLM_F_ACK, sizeof(struct nfgenmsg));
    return ask(NETLINK_NETFILTER);
}

static int control(unsigned long number, void* argument) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    const int error = ioctl(fd, number, argument) < 0 ? errno : 0;
    close(fd);
    return error;
}

static void set_address(struct sockaddr* where, uint32_t address) {
    struct sockaddr_in value = {.sin_family = AF_INET, .sin_addr = {htonl(address)}};
    memcpy(where, &value, sizeof value);
}

static int ioctl_address(void) {
    struct ifreq what = {0};
    strncpy(what.ifr_name, device, IFNAMSIZ - 1);
    set_address(&what.ifr_addr, OTHER);
    return control(SIOCSIFADDR, &what);
}

static int ioctl_route(void) {
    struct rtentry what = {0};
    char name[IFNAMSIZ] = {0};
    strncpy(name, device, IFNAMSIZ - 1);
    set_address(&what.rt_dst, 0x0a080808);
    set_address(&what.rt_genmask, 0xffffffff);
    what.rt_flags = RTF_UP | RTF_HOST;
    what.rt_dev = name;
    return control(SIOCADDRT, &what);
}

static int ioctl_arp(void) {
    struct arpreq what = {0};
    set_address(&what.arp_pa, ADDRESS + 2);
    what.arp_ha.sa_family = ARPHRD_ETHER;
    what.arp_flags = ATF_COM | ATF_PERM;
    strncpy(what.arp_dev, device, sizeof what.arp_dev - 1);
    return control(SIOCSARP, &what);
}

static int ioctl_down(void) {
    struct ifreq what = {0};
    strncpy(what.ifr_name, device, IFNAMSIZ - 1);
    return control(SIOCSIFFLAGS, &what);
}

static int make_socket(int family, int type, int protocol) {
    const int fd = socket(family, type, protocol);
    const int error = fd < 0 ? errno : 0;
    if (fd >= 0) close(fd);
    return error;
}

static int raw_icmp(void) { return make_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static int raw_any(void) { return make_socket(AF_INET, SOCK_RAW, IPPROTO_RAW); }
static int raw_ipv6(void) { return make_socket(AF_INET6, SOCK_RAW, IPPROTO_RAW); }
static int packet(void) { return make_socket(AF_PACKET, SOCK_RAW, 0); }
static int packet_datagram(void) { return make_socket(AF_PACKET, SOCK_DGRAM, 0); }
static int xdp(void) { return make_socket(44, SOCK_RAW, 0); }
static int vsock(void) { return make_socket(40, SOCK_STREAM, 0); }

static int option(int level, int name, int value) {
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    const int error = setsockopt(fd, level, name, &value, sizeof value) < 0 ? errno : 0;
    close(fd);
    return error;
}

static int mark(void) { return option(SOL_SOCKET, SO_MARK, 0x2000000); }
static int foreign_source(void) { return option(IPPROTO_IP, IP_TRANSPARENT, 1); }

/* In a process of its own: the others stay where they are. */
static int in_child(int (*attempt)(void)) {
    int status = 0;
    const pid_t pid = fork();
    if (pid == 0) _exit(attempt());
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int leave(int flags) { return unshare(flags) < 0 ? errno : 0; }
static int new_user_(void) { return leave(CLONE_NEWUSER); }
static int new_user_and_net_(void) { return leave(CLONE_NEWUSER | CLONE_NEWNET); }
static int new_net_(void) { return leave(CLONE_NEWNET); }
static int enter_net_(void) {
    const int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    return fd < 0 || setns(fd, CLONE_NEWNET) < 0 ? errno : 0;
}
static int new_user(void) { return in_child(new_user_); }
static int new_user_and_net(void) { return in_child(new_user_and_net_); }
static int new_net(void) { return in_child(new_net_); }
static int enter_net(void) { return in_child(enter_net_); }

static int bpf_program(void) {
    const struct bpf_insn code[] = {{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
                                    {.code = BPF_JMP | BPF_EXIT}};
    union bpf_attr attributes;
    memset(&attributes, 0, sizeof attributes);
    attributes.prog_type = BPF_PROG_TYPE_SCHED_CLS;
    attributes.insns = (uint64_t)(uintptr_t)code;
    attributes.insn_cnt = 2;
    attributes.license = (uint64_t)(uintptr_t)"GPL";
    return syscall(SYS_bpf, BPF_PROG_LOAD, &attributes, sizeof attributes) < 0 ? errno : 0;
}

/* Those that leave the device without network come last. */
static const struct {
    const char* name;
    int (*attempt)(void);
} attempts[] = {
    {"route-add", add_route},
    {"address-add", add_address},
    {"neighbour-add", add_neighbour},
    {"rule-add", add_rule},
    {"link-add", add_link},
    {"nft-list", list_tables},
    {"nft-add", add_table},
    {"nft-flush", flush_ruleset},
    {"conntrack-flush", flush_connections},
    {"ioctl-route", ioctl_route},
    {"ioctl-arp", ioctl_arp},
    {"raw-icmp", raw_icmp},
    {"raw-any", raw_any},
    {"raw-ipv6", raw_ipv6},
    {"packet", packet},
    {"packet-datagram", packet_datagram},
    {"xdp", xdp},
    {"vsock", vsock},
    {"mark", mark},
    {"foreign-source", foreign_source},
    {"bpf", bpf_program},
    {"new-user", new_user},
    {"new-user-and-net", new_user_and_net},
    {"new-net", new_net},
    {"enter-net", enter_net},
    {"ioctl-address", ioctl_address},
    {"link-down", set_link_down},
    {"ioctl-down", ioctl_down},
};

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    device = argv[1];
    device_index = (int)if_nametoindex(device);
    if (device_index == 0) {
        perror(device);
        return 2;
    }
    for (size_t i = 0; i < sizeof attempts / sizeof *attempts; ++i) {
        used = 0;
        printf("%s %d\n", attempts[i].name, attempts[i].attempt());
        fflush(stdout);
    }
    return 0;
}
