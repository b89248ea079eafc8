#include "archive.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "files.hpp"
#include "helpers/shared/tree/pack.hpp"
#include "helpers/shared/tree/place.hpp"
#include "helpers/shared/tree/tree_writer.hpp"
#include "helpers/shared/tree/unpack.hpp"
#include "text.hpp"

namespace alca::init {
namespace {

constexpr int kSome = 1;  // not everything was copied
constexpr int kUsage = 2;

// For one line of stderr: a newline in a name must not begin another. The other side makes the rest
// safe to show.
class OneLine {
  public:
    explicit OneLine(std::string_view name) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        for (const char c : name) {
            if (size_ + 4 > buffer_.size()) return;
            const auto byte = static_cast<unsigned char>(c);
            if (byte >= 0x20 && byte != 0x7F) {
                add(c);
            } else {
                for (const char escaped : {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0xFU]})
                    add(escaped);
            }
        }
    }
    [[nodiscard]] std::string_view view() const { return {buffer_.data(), size_}; }

  private:
    void add(char c) { buffer_.at(size_++) = c; }

    std::array<char, 800> buffer_{};
    std::size_t size_ = 0;
};

class Teller final : public tree::Report {
  public:
    void failed(std::string_view path, std::string_view why) override {
        if (path.empty()) {
            complain("alca-init", {why});
        } else {
            complain("alca-init", {OneLine(path).view(), ": ", why});
        }
    }
    void skipped(std::string_view path) override {
        complain("alca-init", {OneLine(path).view(), ": left out, it is a special file"});
    }
    void lost_bits(std::string_view path) override {
        if (!has_lost_bits_) {
            complain("alca-init", {OneLine(path).view(),
                                   ": copied without its set-user-ID, set-group-ID or sticky bit, "
                                   "as are all others that have one"});
        }
        has_lost_bits_ = true;
    }

  private:
    bool has_lost_bits_ = false;
};

// Stdin, until a signal that ends this process: what was begun is cleaned up first.
class Input final : public tree::ByteSource {
  public:
    Input() {
        // Nobody may be left to read what is said about the end.
        ::signal(SIGPIPE, SIG_IGN);
        sigset_t set;
        ::sigemptyset(&set);
        for (const int number : {SIGHUP, SIGINT, SIGTERM}) ::sigaddset(&set, number);
        ::sigprocmask(SIG_BLOCK, &set, nullptr);
        signals_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC));
    }
    ssize_t read(char* at, std::size_t count) override {
        while (true) {
            std::array<pollfd, 2> entries{{{STDIN_FILENO, POLLIN, 0}, {signals_.get(), POLLIN, 0}}};
            const int ready = ::poll(entries.data(), entries.size(), -1);
            if (ready < 0 && errno != EINTR) return -1;
            if (ready <= 0) continue;
            if (entries[1].revents != 0 && take_signal()) return -1;
            const ssize_t got = ::read(STDIN_FILENO, at, count);
            if (got >= 0 || errno != EINTR) return got;
        }
    }
    // 0: none came.
    [[nodiscard]] int end_signal() const { return end_signal_; }

  private:
    bool take_signal() {
        signalfd_siginfo info{};
        if (::read(signals_.get(), &info, sizeof info) != sizeof info) return false;
        end_signal_ = static_cast<int>(info.ssi_signo);
        errno = EINTR;
        return true;
    }

    Fd signals_;
    int end_signal_ = 0;
};

class Output final : public tree::ByteSink {
  public:
    bool write(const char* data, std::size_t count) override {
        return write_all(STDOUT_FILENO, {data, count});
    }
};

int exit_code(tree::Outcome outcome) { return outcome == tree::Outcome::all ? 0 : kSome; }

// [OPTION] NAME PATH
struct Arguments {
    bool has_option = false;
    const char* name = nullptr;
    const char* path = nullptr;
};

// False: something else stands there.
bool parse(std::span<char* const> arguments, std::string_view option, Arguments& parsed) {
    if (arguments.size() == 3 && arguments[0] == option) {
        parsed.has_option = true;
        arguments = arguments.subspan(1);
    }
    if (arguments.size() != 2) return false;
    parsed.name = arguments[0];
    parsed.path = arguments[1];
    const std::string_view name = parsed.name;
    return !name.empty() && name != ".." && name.find('/') == std::string_view::npos;
}

}  // namespace

int run_archive(std::span<char* const> arguments) {
    Arguments parsed;
    if (!parse(arguments, "--follow-link", parsed)) {
        complain("alca-init", {"usage: alca-init archive [--follow-link] NAME PATH"});
        return kUsage;
    }
    Teller teller;
    Output output;
    tree::TarWriter writer(output);
    return exit_code(tree::pack({.directory = AT_FDCWD,
                                 .path = parsed.path,
                                 .reach = tree::Reach::anywhere,
                                 .follow_link = parsed.has_option,
                                 .name = parsed.name},
                                writer, teller));
}

int run_extract(std::span<char* const> arguments) {
    Arguments parsed;
    if (!parse(arguments, "--existing", parsed)) {
        complain("alca-init", {"usage: alca-init extract [--existing] NAME PATH"});
        return kUsage;
    }
    Input input;
    Teller teller;
    tree::Place place;
    if (!tree::find_place(AT_FDCWD, parsed.path, tree::Reach::anywhere, parsed.name, place)) {
        teller.failed(parsed.path, std::strerror(errno));
        return kSome;
    }
    if (parsed.has_option && place.must_be_directory) {
        teller.failed(parsed.path, std::strerror(ENOENT));
        return kSome;
    }
    tree::TreeWriter writer(place.directory.get(), 0, teller);
    const tree::Outcome outcome = tree::unpack(input,
                                               {.name = parsed.name,
                                                .top = place.top.view(),
                                                .must_be_directory = place.must_be_directory,
                                                .takes_hard_links = true},
                                               writer, teller);
    return input.end_signal() != 0 ? 128 + input.end_signal() : exit_code(outcome);
}

}  // namespace alca::init
