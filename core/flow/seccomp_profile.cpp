#include "core/flow/seccomp_profile.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "alca/json.hpp"

namespace alca::flow {
namespace {

// System calls that any program may make. Facts of what current engines allow by default, with
// three differences: `socket` is decided by family below; `socketcall` (32-bit x86) is refused
// because its family cannot be seen by a filter; io_uring is absent.
constexpr std::string_view kAllowed =
    "_llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget "
    "capset chdir chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres "
    "clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep "
    "clock_nanosleep_time64 close close_range connect copy_file_range creat dup dup2 dup3 "
    "epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait epoll_pwait2 "
    "epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit exit_group faccessat "
    "faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir fchmod fchmodat "
    "fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr flistxattr "
    "flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 fsync "
    "ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv "
    "futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents "
    "getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 "
    "getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid "
    "getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt "
    "gettid gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch "
    "inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents "
    "io_pgetevents io_pgetevents_time64 io_setup io_submit ioctl ioprio_get ioprio_set "
    "ipc kill landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown "
    "lchown32 lgetxattr link linkat listen listmount listxattr listxattrat llistxattr "
    "lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier "
    "memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall "
    "mmap mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive "
    "mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal "
    "msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at "
    "nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe "
    "pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 "
    "preadv preadv2 prlimit64 process_mrelease process_vm_readv process_vm_writev "
    "pselect6 pselect6_time64 ptrace pwrite64 pwritev pwritev2 read readahead readlink "
    "readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg remap_file_pages "
    "removexattr removexattrat rename renameat renameat2 restart_syscall riscv_hwprobe "
    "rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn "
    "rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo "
    "sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr "
    "sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 "
    "sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield "
    "seccomp select semctl semget semop semtimedop semtimedop_time64 send sendfile "
    "sendfile64 sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address "
    "setfsgid setfsgid32 setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 "
    "setitimer setpgid setpriority setregid setregid32 setresgid setresgid32 setresuid "
    "setresuid32 setreuid setreuid32 setrlimit setsid setsockopt setuid setuid32 setxattr "
    "setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4 "
    "sigprocmask sigreturn socketpair splice stat stat64 statfs statfs64 statmount statx "
    "symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create "
    "timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime "
    "timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime "
    "timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink "
    "unlinkat uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 "
    "waitid waitpid write writev ";

struct CapabilityCalls {
    std::string_view capability;
    std::string_view calls;
};

// System calls that mean something only with a capability, and widen the kernel's surface: allowed
// when the sandbox holds the capability.
constexpr std::array kByCapability{
    CapabilityCalls{"BPF", "bpf "},
    CapabilityCalls{"DAC_READ_SEARCH", "open_by_handle_at "},
    CapabilityCalls{"PERFMON", "perf_event_open "},
    CapabilityCalls{"SYSLOG", "syslog "},
    CapabilityCalls{
        "SYS_ADMIN",
        "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie "
        "lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount "
        "open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns "
        "syslog umount umount2 unshare "},
    CapabilityCalls{"SYS_BOOT", "reboot "},
    CapabilityCalls{"SYS_CHROOT", "chroot "},
    CapabilityCalls{"SYS_MODULE", "delete_module finit_module init_module "},
    CapabilityCalls{"SYS_NICE", "get_mempolicy mbind set_mempolicy set_mempolicy_home_node "},
    CapabilityCalls{"SYS_PACCT", "acct "},
    CapabilityCalls{"SYS_PTRACE",
                    "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace "},
    CapabilityCalls{"SYS_RAWIO", "ioperm iopl "},
    CapabilityCalls{"SYS_TIME", "clock_settime clock_settime64 settimeofday stime "},
    CapabilityCalls{"SYS_TTY_CONFIG", "vhangup "},
};

// Families a program may open. Not AF_VSOCK (reaches the hypervisor past every packet rule),
// AF_PACKET and AF_XDP (write frames past them), nor the rest of the kernel's rarely used protocol
// code.
constexpr std::array<std::uint32_t, 4> kSocketFamilies{1 /*UNIX*/, 2 /*INET*/, 10 /*INET6*/,
                                                       16 /*NETLINK*/};

// personality(2) values: Linux, 32-bit Linux, with and without UNAME26, and the query.
constexpr std::array<std::uint32_t, 5> kPersonalities{0, 8, 0x20000, 0x20008, 0xffffffff};

// CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}: no new namespaces without CAP_SYS_ADMIN, which keeps a
// program from becoming root of a user namespace with the kernel's network code open to it.
constexpr std::uint32_t kNamespaceFlags = 0x7E020000;
constexpr int kErrnoNoSuchCall = 38;  // ENOSYS: libc falls back to an older or newer call

Json names(std::string_view text) {
    Json list = Json::array();
    while (!text.empty()) {
        const auto end = text.find(' ');
        if (end != 0) list.push_back(std::string(text.substr(0, end)));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return list;
}

Json allow(Json calls) { return Json{{"names", std::move(calls)}, {"action", "SCMP_ACT_ALLOW"}}; }

Json allow_if(std::string_view call, std::uint32_t value, std::string_view comparison,
              std::uint32_t masked_value = 0) {
    Json rule = allow(Json::array({call}));
    rule["args"] = Json::array(
        {Json{{"index", 0}, {"value", value}, {"valueTwo", masked_value}, {"op", comparison}}});
    return rule;
}

Json refuse(const char* call) {
    return Json{{"names", {call}}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", kErrnoNoSuchCall}};
}

Json allow_on(std::string_view calls, std::initializer_list<const char*> architectures) {
    Json rule = allow(names(calls));
    rule["includes"] = Json{{"arches", architectures}};
    return rule;
}

}  // namespace

std::string seccomp_profile(const std::vector<std::string>& capabilities) {
    const auto holds = [&](std::string_view name) {
        return std::any_of(capabilities.begin(), capabilities.end(),
                           [&](const std::string& held) { return held == name || held == "ALL"; });
    };
    Json rules = Json::array({allow(names(kAllowed))});
    for (const std::uint32_t family : kSocketFamilies) {
        rules.push_back(allow_if("socket", family, "SCMP_CMP_EQ"));
    }
    for (const std::uint32_t value : kPersonalities) {
        rules.push_back(allow_if("personality", value, "SCMP_CMP_EQ"));
    }
    rules.push_back(allow_on("arch_prctl", {"amd64", "x32"}));
    rules.push_back(allow_on("modify_ldt", {"amd64", "x32", "x86"}));
    rules.push_back(allow_on(
        "arm_fadvise64_64 arm_sync_file_range breakpoint cacheflush set_tls sync_file_range2",
        {"arm", "arm64"}));
    for (const auto& [capability, calls] : kByCapability) {
        if (holds(capability)) rules.push_back(allow(names(calls)));
    }
    if (!holds("SYS_ADMIN")) {
        rules.push_back(allow_if("clone", kNamespaceFlags, "SCMP_CMP_MASKED_EQ"));
        rules.push_back(refuse("clone3"));
    }
    // Must be named: out of a rule for `socket` libseccomp makes one that allows the same through
    // `socketcall`, for every family. A rule without arguments wins over that one.
    rules.push_back(refuse("socketcall"));
    const Json profile{
        {"defaultAction", "SCMP_ACT_ERRNO"},
        {"defaultErrnoRet", 1},
        {"archMap",
         {{{"architecture", "SCMP_ARCH_X86_64"},
           {"subArchitectures", {"SCMP_ARCH_X86", "SCMP_ARCH_X32"}}},
          {{"architecture", "SCMP_ARCH_AARCH64"}, {"subArchitectures", {"SCMP_ARCH_ARM"}}}}},
        {"syscalls", std::move(rules)}};
    return dump(profile);
}

}  // namespace alca::flow
