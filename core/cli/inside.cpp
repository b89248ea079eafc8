#include "core/cli/inside.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "core/os/fd.hpp"
#include "core/os/file.hpp"

namespace alca::cli {
namespace {

// A file in memory that cannot grow: whoever writes comes out of a sandbox.
Result<os::Fd> make_bounded_file(std::size_t limit) {
    os::Fd file(::memfd_create("alca", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(limit)) != 0 ||
        ::fcntl(file.get(), F_ADD_SEALS, F_SEAL_GROW) != 0) {
        return fail("cannot make a file in memory: " + os::errno_text(errno));
    }
    return file;
}

Result<std::string> read_written(const os::Fd& file) {
    const off_t size = ::lseek(file.get(), 0, SEEK_CUR);
    std::string text(static_cast<std::size_t>(std::max<off_t>(size, 0)), '\0');
    if (size < 0 || ::pread(file.get(), text.data(), text.size(), 0) != size) {
        return fail("cannot read what the command has printed");
    }
    return text;
}

void show_complaints(std::string_view text) {
    constexpr std::string_view kOurs = "alca: ";
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.starts_with(kOurs)) line.remove_prefix(kOurs.size());
        print_error(line);
    }
}

}  // namespace

Result<std::unique_ptr<ProjectSession>> open_for_run(Session& session) {
    auto project = open_files(session);
    if (!project) return fail(project.error());
    if (!(*project)->state.has_value()) {
        return fail(Code::not_found, "no state file found: run 'alca up' first");
    }
    return project;
}

Result<int> run_inside(Session& session, ProjectSession& project, flow::RunRequest request,
                       const flow::CommandIo& io) {
    if (!project.state) return fail("no sandbox");
    const auto done = flow::run_without_engine(session.host(), session.call(), project.config,
                                               *project.state, request, io);
    if (!done) return fail(done.error());
    const std::optional<int>& code = *done;
    if (code.has_value()) return *code;
    if (auto chosen = choose_plugins(session, project); !chosen) return fail(chosen.error());
    const auto context = project.context(session);
    if (!context) return fail(context.error());
    return flow::run(*context, project.config, *project.state, request, io);
}

Result<Captured> capture_inside(Session& session, ProjectSession& project, flow::RunRequest request,
                                std::size_t limit) {
    const auto out = make_bounded_file(limit);
    const auto err = make_bounded_file(limit);
    if (!out || !err) return fail(out ? err.error() : out.error());
    const auto code =
        run_inside(session, project, std::move(request),
                   {.in = -1, .out = out->get(), .err = err->get(), .signals = nullptr});
    if (const auto complaints = read_written(*err)) show_complaints(*complaints);
    if (!code) return fail(code.error());
    auto text = read_written(*out);
    if (!text) return fail(text.error());
    return Captured{.exit_code = *code, .out = *std::move(text)};
}

}  // namespace alca::cli
