#include "fake_engine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace alca::test {

namespace {

using engine_http::Fd;

// False: the engine is to end.
bool wait_readable(int fd, int wake) {
    std::array<pollfd, 2> entries{{{fd, POLLIN, 0}, {wake, POLLIN, 0}}};
    ::poll(entries.data(), entries.size(), -1);
    return entries[1].revents == 0;
}

void send_all(int fd, std::string_view bytes, std::size_t piece) {
    while (!bytes.empty()) {
        const ssize_t count = ::send(fd, bytes.data(), std::min(piece, bytes.size()), MSG_NOSIGNAL);
        if (count <= 0) return;
        bytes.remove_prefix(static_cast<std::size_t>(count));
        // Lets the other side read each piece by itself.
        if (piece != std::string::npos) std::this_thread::yield();
    }
}

}  // namespace

std::string http(int status, std::string_view body, std::string_view headers) {
    return fmt::format(
        "HTTP/1.1 {} Text\r\n{}Content-Type: application/json\r\n"
        "Content-Length: {}\r\n\r\n{}",
        status, headers, body.size(), body);
}

std::string chunked(std::string_view body, std::size_t chunk) {
    std::string out = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (; !body.empty(); body.remove_prefix(std::min(chunk, body.size()))) {
        const std::string_view part = body.substr(0, chunk);
        out += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
    }
    return out + "0\r\n\r\n";
}

std::string ping(std::string_view api, std::string_view headers) {
    return http(200, "OK",
                fmt::format("Api-Version: {}\r\nServer: Docker/20.10.24+dfsg1 (linux)\r\n{}", api,
                            headers));
}

FakeEngine::FakeEngine(std::vector<Step> script) : script_(std::move(script)) {
    std::string pattern = ::testing::TempDir() + "alca-fake-engine-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    listener_ = Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = endpoint().socket_path;
    std::copy(path.begin(), path.end(), std::begin(address.sun_path));
    const void* raw = &address;
    EXPECT_EQ(::bind(listener_.get(), static_cast<const sockaddr*>(raw), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener_.get(), 16), 0);
    std::array<int, 2> wake{};
    EXPECT_EQ(::pipe2(wake.data(), O_CLOEXEC), 0);
    wake_read_ = Fd(wake[0]);
    wake_write_ = Fd(wake[1]);
    thread_ = std::jthread([this](const std::stop_token& stop) { serve(stop); });
}

FakeEngine::~FakeEngine() {
    thread_.request_stop();
    EXPECT_EQ(::write(wake_write_.get(), "x", 1), 1);
    thread_.join();
    std::filesystem::remove_all(directory_);
}

engine_http::Endpoint FakeEngine::endpoint() const {
    const std::string path = (directory_ / "engine.sock").string();
    return {.url = "unix://" + path, .socket_path = path, .origin = "DOCKER_HOST"};
}

std::vector<std::string> FakeEngine::requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
}

std::size_t FakeEngine::connections() const {
    const std::lock_guard lock(mutex_);
    return connections_;
}

void FakeEngine::serve(const std::stop_token& stop) {
    std::vector<std::jthread> connections;
    while (wait_readable(listener_.get(), wake_read_.get()) && !stop.stop_requested()) {
        Fd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        {
            const std::lock_guard lock(mutex_);
            ++connections_;
        }
        connections.emplace_back(
            [this, stop, peer = std::move(peer)] { serve_connection(peer.get(), stop); });
    }
}

const Step* FakeEngine::next_step(std::string request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(std::move(request));
    return next_ < script_.size() ? &script_.at(next_++) : nullptr;
}

void FakeEngine::serve_connection(int fd, const std::stop_token& stop) {
    std::string rest;
    while (!stop.stop_requested()) {
        std::string request = read_request(fd, rest);
        if (request.empty()) return;
        const Step* found = next_step(std::move(request));
        if (found == nullptr) return;
        const Step& step = *found;
        std::this_thread::sleep_for(step.pause);
        send_all(fd, step.answer, step.piece);
        while (!step.echo_until.empty() && rest.find(step.echo_until) == std::string::npos &&
               wait_readable(fd, wake_read_.get())) {
            std::array<char, 4096> chunk{};
            const ssize_t count = ::read(fd, chunk.data(), chunk.size());
            if (count <= 0) break;
            rest.append(chunk.data(), static_cast<std::size_t>(count));
        }
        if (!step.echo_until.empty()) send_all(fd, rest, step.piece);
        if (step.after == Step::After::close) return;
        while (step.after == Step::After::hang && !stop.stop_requested()) {
            if (!wait_readable(-1, wake_read_.get())) return;
        }
    }
}

std::string FakeEngine::read_request(int fd, std::string& rest) const {
    std::size_t wanted = std::string::npos;
    while (true) {
        const std::size_t head = rest.find("\r\n\r\n");
        if (wanted == std::string::npos && head != std::string::npos) {
            const std::size_t at = rest.find("Content-Length: ");
            const bool has_body = at != std::string::npos && at < head;
            wanted = head + 4 + (has_body ? std::stoul(rest.substr(at + 16)) : 0);
        }
        if (rest.size() >= wanted) {
            std::string request = rest.substr(0, wanted);
            rest.erase(0, wanted);
            return request;
        }
        if (!wait_readable(fd, wake_read_.get())) return {};
        std::array<char, 4096> chunk{};
        const ssize_t count = ::read(fd, chunk.data(), chunk.size());
        if (count <= 0) return {};
        rest.append(chunk.data(), static_cast<std::size_t>(count));
    }
}

}  // namespace alca::test
