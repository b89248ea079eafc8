#include <unistd.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <system_error>

#include "core/cli/command.hpp"
#include "core/cli/copy_console.hpp"
#include "core/cli/inside.hpp"
#include "core/flow/copy_files.hpp"
#include "core/os/interrupt.hpp"

namespace alca::cli {
namespace {

struct CopyFlags {
    std::string source;
    std::string destination;
    bool follow_link = false;
    bool quiet = false;
    std::string user;
};

bool is_inside(const std::string& path) { return path.starts_with(':'); }

int copy(Program& program, const CopyFlags& flags) {
    const bool is_into = is_inside(flags.destination);
    if (is_into == is_inside(flags.source)) {
        print_error("exactly one of SRC and DST must begin with ':', a path in the sandbox");
        return exit_usage;
    }
    const std::string& host = is_into ? flags.source : flags.destination;
    if (host.empty()) {
        print_error("a path is empty");
        return exit_usage;
    }
    if (host == "-" && ::isatty(is_into ? STDIN_FILENO : STDOUT_FILENO) == 1) {
        print_error("'-' is a tar stream, which a terminal neither gives nor takes");
        return exit_usage;
    }
    const auto interrupt = os::Interrupt::watch();
    if (!interrupt) return report(interrupt.error());
    Session session(program, /*quiet=*/true, interrupt->cancel_fd());
    const auto project = open_for_run(session);
    if (!project) return report(project.error());

    const auto shared = session.shared_directories();
    if (shared.problem) return report(*shared.problem);
    std::error_code error;
    const flow::CopyRequest request{
        .host = host,
        .inside = (is_into ? flags.destination : flags.source).substr(1),
        .follow_link = flags.follow_link,
        .user = flags.user,
        .caller_directory = fs::current_path(error),
        .shared = shared.known,
        .in = STDIN_FILENO,
        .out = STDOUT_FILENO,
        .cancel_fd = interrupt->cancel_fd()};
    CopyConsole console(flags.quiet);
    const flow::Runner runner = [&](flow::RunRequest run, const flow::CommandIo& io) {
        return run_inside(session, **project, std::move(run), io);
    };
    const auto copied = is_into ? flow::copy_into_sandbox(request, runner, console)
                                : flow::copy_out_of_sandbox(request, runner, console);
    if (!copied) return report(copied.error());
    return *copied ? exit_ok : exit_failed;
}

}  // namespace

void add_cp(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("cp", "Copy files between this host and the sandbox");
    auto flags = std::make_shared<CopyFlags>();
    command->add_option("SRC", flags->source, "What to copy: a file, a link, a directory, or -")
        ->required()
        ->type_name("");
    command->add_option("DST", flags->destination, "Where to, or -")->required()->type_name("");
    command->add_flag("-L,--follow-link", flags->follow_link,
                      "Copy what SRC leads to when it is a link");
    command
        ->add_option("-u,--user", flags->user,
                     "Read or write as this user of the sandbox: a name, UID or UID:GID")
        ->type_name("USER");
    command->add_flag("-q,--quiet", flags->quiet, "No progress");
    command->footer(
        "One of the two begins with ':', a path in the sandbox; relative to the directory there\n"
        "that matches yours. Into DST if that is a directory, else as DST. DIRECTORY/. copies "
        "what\n"
        "is in it; - is a tar stream from stdin or to stdout. Copies belong to who makes them; "
        "links\n"
        "stay links and are never followed.\n\n"
        "Examples:\n"
        "  alca cp :/tmp/report.html .\n"
        "  alca cp ./data :/tmp/             to /tmp/data\n"
        "  alca cp ./data/. :/tmp/new        its content\n"
        "  alca cp -u root ./ca.crt :/usr/local/share/ca-certificates/\n"
        "  alca cp :/var/log - | tar tv");
    command->callback([&program, flags] {
        program.command = [&program, flags] { return copy(program, *flags); };
    });
}

}  // namespace alca::cli
