#include "plugins/firewall-nft/helper_client.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "alca/spawn.hpp"
#include "plugins/firewall-nft/helper_protocol.hpp"

namespace alca::nft {
namespace {

constexpr int kPatienceMs = 20'000;
constexpr std::chrono::seconds kGrace{1};

class Ends {
  public:
    Ends() {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds_.data()) != 0) fds_ = {-1, -1};
    }
    Ends(const Ends&) = delete;
    Ends& operator=(const Ends&) = delete;
    ~Ends() {
        for (std::size_t i = 0; i < fds_.size(); ++i) close(i);
    }
    [[nodiscard]] int get(std::size_t end) const { return fds_.at(end); }
    void close(std::size_t end) {
        if (fds_.at(end) >= 0) ::close(fds_.at(end));
        fds_.at(end) = -1;
    }

  private:
    std::array<int, 2> fds_{-1, -1};
};

// The helper reads all before it answers, so the one is over when the other begins.
Result<std::string> exchange(const Call& call, int fd, const std::string& question) {
    std::string_view rest = question;
    while (!rest.empty()) {
        const ssize_t sent = ::send(fd, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) break;  // it has ended: its answer says why
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    ::shutdown(fd, SHUT_WR);
    std::string answer;
    std::array<char, 16UL * 1024> chunk{};
    while (answer.size() <= kMaxHelperBytes) {
        std::array<pollfd, 2> entries{pollfd{fd, POLLIN, 0}, pollfd{call.cancel_fd(), POLLIN, 0}};
        const int ready = ::poll(entries.data(), entries.size(), kPatienceMs);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return fail("the network helper does not answer");
        if (entries[1].revents != 0) return fail(Code::cancelled, "interrupted");
        const ssize_t got = ::recv(fd, chunk.data(), chunk.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return answer;
        answer.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return fail("the network helper's answer is too large");
}

Code code_named(std::string_view name) {
    if (name == "denied") return Code::denied;
    if (name == "invalid") return Code::invalid;
    if (name == "unavailable") return Code::unavailable;
    return Code::failed;
}

Result<Json> parse_answer(const std::string& text) {
    const auto json = parse_object(text);
    if (!json) return fail(json.error(), "network helper");
    int version = 0;
    std::string code;
    std::string message;
    Json answer = Json::object();
    JsonReader in(*json, "answer of the network helper");
    in.require("version", version);
    in.read("answer", answer);
    in.read("code", code);
    in.read("message", message);
    if (auto read = in.done(true); !read) return fail(read.error());
    if (version != kHelperVersion) {
        return fail(
            Code::unavailable,
            fmt::format("the network helper speaks version {}, this alca {}; run: sudo alca "
                        "network-helper install",
                        version, kHelperVersion));
    }
    if (!code.empty()) return fail(code_named(code), "network helper: " + message);
    return answer;
}

}  // namespace

Result<Json> ask_helper(const Call& call, const char* method,
                        const std::optional<FirewallRequest>& request) {
    if (::access(kInstalledHelper, X_OK) != 0) {
        return fail(Code::not_found, "no network helper that this user may start is installed");
    }
    Ends ends;
    if (ends.get(0) < 0) {
        return fail("cannot make a socket: " + std::generic_category().message(errno));
    }
    auto child = spawn({.argv = {kInstalledHelper},
                        .env = std::map<std::string, std::string>{},
                        .cwd = "/",
                        .in = ends.get(1),
                        .out = ends.get(1)});
    if (!child) return fail(child.error(), "network helper");
    ends.close(1);
    Json question{{"version", kHelperVersion}, {"method", method}};
    if (request) question["request"] = *request;
    const auto answer = exchange(call, ends.get(0), dump(question));
    if (!answer) return fail(answer.error());
    const auto code = child->wait(-1, kGrace);
    if (!code) return fail(code.error(), "network helper");
    if (answer->empty()) {
        return fail(fmt::format("the network helper ended with code {} and no answer", *code));
    }
    return parse_answer(*answer);
}

}  // namespace alca::nft
