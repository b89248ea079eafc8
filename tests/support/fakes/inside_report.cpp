#include "tests/support/fakes/inside_report.hpp"

#include <fmt/format.h>

#include "core/os/capabilities.hpp"

namespace alca::fakes {
namespace {

// As fs/proc_namespace.c does: what would break the line becomes three octal digits.
std::string escaped(std::string_view target) {
    std::string out;
    for (const char c : target) {
        if (c == ' ' || c == '\t' || c == '\n' || c == '\\') {
            out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
        } else {
            out.push_back(c);
        }
    }
    return out;
}

}  // namespace

std::string mount_line(std::string_view target, bool read_only) {
    return fmt::format("mount 612 598 0:52 / {} {},relatime - ext4 /dev/root rw", escaped(target),
                       read_only ? "ro" : "rw");
}

InsideReport::InsideReport(const SandboxSpec& spec, const std::vector<std::string>& probes,
                           bool isolated) {
    const std::string mask = fmt::format("{:016x}", os::capability_mask(spec.capabilities));
    lines_ = {"status Uid 0 0 0 0",
              "status Gid 0 0 0 0",
              "status CapInh 0000000000000000",
              "status CapPrm " + mask,
              "status CapEff " + mask,
              "status CapBnd " + mask,
              "status CapAmb 0000000000000000",
              "status NoNewPrivs 1",
              "status Seccomp 2",
              "status Seccomp_filters 1"};
    for (const char* target :
         {"/", "/proc", "/dev", "/dev/pts", "/sys", "/sys/fs/cgroup", "/dev/mqueue", "/dev/shm",
          "/etc/resolv.conf", "/etc/hostname", "/etc/hosts", "/proc/bus", "/proc/kcore"}) {
        lines_.push_back(mount_line(target, false));
    }
    for (const Mount& mount : spec.mounts) {
        lines_.push_back(mount_line(mount.target, mount.read_only));
    }
    lines_.insert(lines_.end(),
                  {"interface lo 4 127.0.0.1/8", "interface lo 6 ::1/128",
                   "interface eth0 4 172.30.0.18/28", "inet6-disabled 1", "socket AF_VSOCK EPERM",
                   "socket AF_PACKET EPERM", "socket AF_XDP EPERM"});
    for (const std::string& address : probes) {
        const bool ipv6 = address.find(':') != std::string::npos;
        const std::string_view prohibited = ipv6 ? "EACCES" : "EHOSTUNREACH";
        lines_.push_back(
            fmt::format("probe {} {}", address, isolated ? prohibited : "ECONNREFUSED"));
    }
}

bool InsideReport::replace(std::string_view beginning, const std::string& line) {
    bool found = false;
    for (auto entry = lines_.begin(); entry != lines_.end();) {
        if (!entry->starts_with(beginning)) {
            ++entry;
            continue;
        }
        found = true;
        if (line.empty()) {
            entry = lines_.erase(entry);
        } else {
            *entry++ = line;
        }
    }
    return found;
}

std::string InsideReport::text() const {
    std::string text;
    for (const std::string& line : lines_) text += line + "\n";
    return text;
}

}  // namespace alca::fakes
