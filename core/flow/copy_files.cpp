#include "core/flow/copy_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <locale.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <optional>
#include <thread>

#include "core/config/text.hpp"
#include "core/flow/copy_streams.hpp"
#include "core/flow/host_path.hpp"
#include "core/os/file.hpp"
#include "helpers/shared/tree/pack.hpp"
#include "helpers/shared/tree/path.hpp"
#include "helpers/shared/tree/place.hpp"
#include "helpers/shared/tree/relay.hpp"
#include "helpers/shared/tree/tree_writer.hpp"
#include "helpers/shared/tree/unpack.hpp"

namespace alca::flow {
namespace {

constexpr int kSomeFailedExit = 1;  // of alca-init; it has said what

struct Pipe {
    os::Fd read;
    os::Fd write;
};

Result<Pipe> make_pipe() {
    constexpr int kBytes = 1 << 20;
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
        return fail("cannot make a pipe: " + os::errno_text(errno));
    }
    ::fcntl(ends[0], F_SETPIPE_SZ, kBytes);  // only faster
    return Pipe{os::Fd(ends[0]), os::Fd(ends[1])};
}

// What a copy needs while it runs.
struct Streams {
    Pipe data;
    Pipe lines;    // what the command inside has to say
    os::Fd ended;  // readable when the command has ended
    bool has_lines = false;
};

Result<Streams> make_streams() {
    auto data = make_pipe();
    auto lines = make_pipe();
    if (!data || !lines) return fail(data ? lines.error() : data.error());
    os::Fd ended(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!ended) return fail("cannot make an eventfd: " + os::errno_text(errno));
    return Streams{std::move(*data), std::move(*lines), std::move(ended), false};
}

// Names in the pax format are UTF-8, and are taken apart as the locale has it: for this thread.
class NamesAreUtf8 {
  public:
    NamesAreUtf8() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
        if (locale_ != nullptr) before_ = ::uselocale(locale_);
    }
    NamesAreUtf8(const NamesAreUtf8&) = delete;
    NamesAreUtf8& operator=(const NamesAreUtf8&) = delete;
    ~NamesAreUtf8() {
        if (locale_ == nullptr) return;
        ::uselocale(before_);
        ::freelocale(locale_);
    }

  private:
    locale_t locale_;
    locale_t before_ = nullptr;
};

RunRequest command_of(const CopyRequest& request, std::vector<std::string> argv) {
    argv.insert(argv.begin(), kInitPath);
    argv.push_back(request.inside.empty() ? "." : request.inside);
    RunRequest run{.argv = std::move(argv),
                   .caller_directory = request.caller_directory,
                   .user = request.user,
                   .size = {},
                   .is_literal = true,
                   .on_start = {}};
    // Then nothing depends on a directory that the caller's may not have inside.
    if (request.inside.starts_with('/')) run.workdir = "/";
    return run;
}

// Runs the command while `copy` works at this end of the data pipe.
Result<int> run_beside(const Runner& runner, RunRequest request, Streams& streams, bool is_into,
                       HostReport& report, const std::function<void()>& copy) {
    os::Fd& ours = is_into ? streams.data.write : streams.data.read;
    os::Fd& theirs = is_into ? streams.data.read : streams.data.write;
    const os::Fd nothing(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    const CommandIo io{.in = is_into ? theirs.get() : -1,
                       .out = is_into ? nothing.get() : theirs.get(),
                       .err = streams.lines.write.get()};
    const std::jthread lines([&]() noexcept {
        WatchedSource source(streams.lines.read.get(), streams.ended.get());
        read_lines(source, [&](std::string_view line) {
            streams.has_lines = true;
            report.tell_line(line);
        });
    });
    const std::jthread worker([&]() noexcept {
        copy();
        ours.reset();
    });
    auto code = runner(std::move(request), io);
    if (!code) report.fall_silent();
    // Whoever still reads or writes there meets the end.
    theirs.reset();
    streams.lines.write.reset();
    static_cast<void>(::eventfd_write(streams.ended.get(), 1));
    return code;
}

// What it all came to, when both sides have ended. is_their_end: if this side broke off, then
// because the other one did; what that had to say was said.
bool judge(int code, tree::Outcome outcome, bool is_their_end, const HostReport& report,
           CopyListener& listener) {
    if (outcome == tree::Outcome::broken && !is_their_end && !report.whole_failure().empty()) {
        listener.problem("the copy ended early: " + report.whole_failure());
    }
    if (code > kSomeFailedExit && (outcome != tree::Outcome::broken || is_their_end)) {
        listener.problem(fmt::format("the command in the sandbox ended with code {}", code));
    }
    return code == 0 && outcome == tree::Outcome::all;
}

tl::unexpected<Error> fail_path(const std::string& path, int error) {
    if (error == EXDEV) {
        return fail(Code::denied,
                    config::printable(path) +
                        ": a symbolic link leads out of a directory that the sandbox can write; "
                        "name the place itself");
    }
    return fail(config::printable(path) + ": " + os::errno_text(error));
}

mode_t current_umask() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return mask;
}

}  // namespace

Result<std::string> copied_name(std::string_view path) {
    while (!path.empty() && path.back() == '/') path.remove_suffix(1);
    const std::string_view name = tree::split(path).name;
    if (name == "..") {
        return fail(Code::invalid, config::printable(path) + " has no name; name the directory");
    }
    return std::string(name.empty() ? "." : name);
}

Result<bool> copy_into_sandbox(const CopyRequest& request, const Runner& runner,
                               CopyListener& listener) {
    const bool is_stream = request.host == "-";
    const auto name = is_stream ? Result<std::string>(".") : copied_name(request.host);
    if (!name) return fail(name.error());
    auto source = resolve_host_path(request.host, request.caller_directory, request.shared,
                                    request.follow_link ? LastLink::followed : LastLink::kept);
    if (!source) return fail(source.error());
    if (!is_stream) {
        const int link = request.follow_link ? 0 : O_NOFOLLOW;
        const auto found =
            tree::open_in(source->directory(), source->path.c_str(), O_PATH | link, source->reach);
        if (!found.is_open()) return fail_path(request.host, errno);
    }
    auto streams = make_streams();
    if (!streams) return fail(streams.error());

    HostReport report(listener);
    WatchedSink sink(streams->data.write.get(), -1);
    tree::Outcome outcome = tree::Outcome::broken;
    const auto copy = [&] {
        const NamesAreUtf8 names;
        tree::TarWriter writer(sink);
        if (!is_stream) {
            outcome = tree::pack({.directory = source->directory(),
                                  .path = source->path.c_str(),
                                  .reach = source->reach,
                                  .follow_link = request.follow_link,
                                  .name = *name},
                                 writer, report);
            return;
        }
        WatchedSource input(request.in, streams->ended.get());
        tree::Relay relay(writer, report, /*takes_holes=*/true);
        outcome = tree::unpack(
            input, {.name = ".", .top = "", .must_be_directory = false, .takes_hard_links = true},
            relay, report);
    };
    std::vector<std::string> argv{"extract"};
    if (is_stream) argv.emplace_back("--existing");
    argv.push_back(*name);
    const auto code = run_beside(runner, command_of(request, std::move(argv)), *streams,
                                 /*is_into=*/true, report, copy);
    if (!code) return fail(code.error());
    const bool is_their_end = *code != 0 && streams->has_lines && sink.error() == EPIPE;
    return judge(*code, outcome, is_their_end, report, listener);
}

Result<bool> copy_out_of_sandbox(const CopyRequest& request, const Runner& runner,
                                 CopyListener& listener) {
    const bool is_stream = request.host == "-";
    const auto name = copied_name(request.inside);
    if (!name) return fail(name.error());
    tree::Place place;
    if (is_stream) {
        static_cast<void>(place.top.set(*name == "." ? "" : *name));
    } else {
        const auto target = resolve_host_path(request.host, request.caller_directory,
                                              request.shared, LastLink::followed);
        if (!target) return fail(target.error());
        if (!tree::find_place(target->directory(), target->path.c_str(), target->reach, *name,
                              place)) {
            return fail_path(request.host, errno);
        }
    }
    auto streams = make_streams();
    if (!streams) return fail(streams.error());

    HostReport report(listener);
    WatchedSink sink(request.out, request.cancel_fd);
    const mode_t mask = current_umask();
    tree::Outcome outcome = tree::Outcome::broken;
    const auto copy = [&] {
        const NamesAreUtf8 names;
        WatchedSource source(streams->data.read.get(), streams->ended.get());
        const tree::UnpackRequest unpack{.name = *name,
                                         .top = place.top.view(),
                                         .must_be_directory = place.must_be_directory,
                                         .takes_hard_links = false};
        if (is_stream) {
            tree::TarWriter writer(sink);
            tree::Relay relay(writer, report, /*takes_holes=*/false);
            outcome = tree::unpack(source, unpack, relay, report);
        } else {
            tree::TreeWriter writer(place.directory.get(), mask, report);
            outcome = tree::unpack(source, unpack, writer, report);
        }
        report.tell_rest();
    };
    std::vector<std::string> argv{"archive"};
    if (request.follow_link) argv.emplace_back("--follow-link");
    argv.push_back(*name);
    const auto code = run_beside(runner, command_of(request, std::move(argv)), *streams,
                                 /*is_into=*/false, report, copy);
    if (!code) return fail(code.error());
    const bool is_their_end = *code != 0 && streams->has_lines && sink.error() == 0;
    return judge(*code, outcome, is_their_end, report, listener);
}

}  // namespace alca::flow
