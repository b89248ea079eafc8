#include "netns.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <regex>
#include <system_error>

#include "alca/spawn.hpp"

namespace alca::nft::test {
namespace {

struct Output {
    int exit_code = -1;
    std::string text;  // stdout and stderr
};

int memory_file(const std::string& content) {
    const int fd = ::memfd_create("alca-test", MFD_CLOEXEC);
    EXPECT_EQ(::write(fd, content.data(), content.size()), static_cast<ssize_t>(content.size()));
    EXPECT_EQ(::lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

std::string content(int fd) {
    std::string text;
    std::array<char, 4096> buffer{};
    EXPECT_EQ(::lseek(fd, 0, SEEK_SET), 0);
    while (true) {
        const ssize_t got = ::read(fd, buffer.data(), buffer.size());
        if (got <= 0) return text;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

Output run_program(std::vector<std::string> argv, const std::string& input) {
    const int in = memory_file(input);
    const int out = memory_file("");
    Output output;
    auto child = spawn({.argv = std::move(argv), .in = in, .out = out, .err = out});
    EXPECT_TRUE(child.has_value()) << child.error().message;
    if (child) output.exit_code = child->wait(-1, std::chrono::seconds(1)).value_or(-1);
    output.text = content(out);
    ::close(in);
    ::close(out);
    return output;
}

}  // namespace

std::string Netns::missing_right() {
    int error = 0;
    std::thread([&] {
        if (::unshare(CLONE_NEWNET) != 0) error = errno;
    }).join();
    if (error == 0) return "";
    return fmt::format("cannot make a network namespace ({}); run the tests as root",
                       std::generic_category().message(error));
}

Netns::Netns() {
    std::thread([&] {
        if (::unshare(CLONE_NEWNET) != 0) return;
        fd_ = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    }).join();
    EXPECT_GE(fd_, 0);
    ip("link set lo up\n");
}

Netns::~Netns() {
    if (fd_ >= 0) ::close(fd_);
}

void Netns::enter() const { EXPECT_EQ(::setns(fd_, CLONE_NEWNET), 0); }

std::string Netns::path() const { return fmt::format("/proc/{}/fd/{}", ::getpid(), fd_); }

void Netns::ip(const std::string& commands, const std::string& family) const {
    std::vector<std::string> argv{"ip"};
    if (!family.empty()) argv.push_back(family);
    argv.insert(argv.end(), {"-batch", "-"});
    const Output output = run([&] { return run_program(argv, commands); });
    EXPECT_EQ(output.exit_code, 0) << commands << output.text;
}

void Netns::nft(const std::string& commands) const {
    const Output output = run([&] { return run_program({"nft", "-f", "-"}, commands); });
    EXPECT_EQ(output.exit_code, 0) << commands << output.text;
}

std::string Netns::nft_list(const std::string& what) const {
    const Output output = run([&] { return run_program({"nft", "-s", "list " + what}, ""); });
    EXPECT_EQ(output.exit_code, 0) << output.text;
    return output.text;
}

std::string Netns::ip_rules() const {
    std::string text;
    for (const char* family : {"-4", "-6"}) {
        const Output output = run([&] { return run_program({"ip", family, "rule"}, ""); });
        EXPECT_EQ(output.exit_code, 0) << output.text;
        text += output.text;
    }
    return text;
}

int Netns::counter(const std::string& name) const {
    const Output output =
        run([&] { return run_program({"nft", "list counter inet alca " + name}, ""); });
    std::smatch match;
    if (!std::regex_search(output.text, match, std::regex("packets ([0-9]+)"))) return -1;
    return std::stoi(match[1].str());
}

bool Netns::sysctl(const std::string& name, const std::string& value) const {
    return run([&] {
        const int fd = ::open(("/proc/sys/net/" + name).c_str(), O_WRONLY | O_CLOEXEC);
        if (fd < 0) return false;
        EXPECT_EQ(::write(fd, value.data(), value.size()), static_cast<ssize_t>(value.size()))
            << name;
        ::close(fd);
        return true;
    });
}

}  // namespace alca::nft::test
