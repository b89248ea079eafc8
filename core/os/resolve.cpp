#include "core/os/resolve.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <memory>

namespace alca::os {
namespace {

constexpr long kPauseNs = 20'000'000;  // between two looks at the answer and at cancel_fd

bool is_readable(int fd) {
    pollfd entry{fd, POLLIN, 0};
    return fd >= 0 && ::poll(&entry, 1, 0) > 0;
}

// The look-up that is under way writes into it: it must outlive that.
struct Lookup {
    explicit Lookup(const std::string& looked_up) : name(looked_up) {
        hints.ai_socktype = SOCK_STREAM;  // one entry for each address
        request.ar_name = name.c_str();
        request.ar_request = &hints;
    }
    std::string name;
    addrinfo hints{};
    gaicb request{};
};

// An address of one link only: nothing that another machine could use.
bool has_zone(const addrinfo* entry) {
    if (entry->ai_family != AF_INET6) return false;
    sockaddr_in6 address{};
    std::memcpy(&address, entry->ai_addr, std::min<std::size_t>(entry->ai_addrlen, sizeof address));
    return address.sin6_scope_id != 0;
}

std::vector<std::string> addresses_of(const addrinfo* list) {
    std::vector<std::string> found;
    for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
        if (has_zone(entry)) continue;
        std::array<char, NI_MAXHOST> text{};
        if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text.data(), text.size(), nullptr, 0,
                          NI_NUMERICHOST) == 0) {
            found.emplace_back(text.data());
        }
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

}  // namespace

Result<std::vector<std::string>> resolve(const std::string& name, int cancel_fd) {
    auto lookup = std::make_unique<Lookup>(name);
    std::array<gaicb*, 1> list{&lookup->request};
    int error = ::getaddrinfo_a(GAI_NOWAIT, list.data(), 1, nullptr);
    while (error == 0 && (error = ::gai_error(&lookup->request)) == EAI_INPROGRESS) {
        if (is_readable(cancel_fd)) {
            // One that cannot be taken back any more still writes to it.
            if (::gai_cancel(&lookup->request) == EAI_NOTCANCELED) {
                static_cast<void>(lookup.release());  // NOLINT(bugprone-unused-return-value)
            }
            return fail(Code::cancelled, "interrupted");
        }
        const timespec pause{0, kPauseNs};
        ::gai_suspend(list.data(), 1, &pause);
        error = 0;
    }
    if (error != 0) {
        return fail(Code::not_found,
                    "cannot find the addresses of " + name + ": " + ::gai_strerror(error));
    }
    auto found = addresses_of(lookup->request.ar_result);
    ::freeaddrinfo(lookup->request.ar_result);
    if (found.empty()) return fail(Code::not_found, name + " has no address");
    return found;
}

}  // namespace alca::os
