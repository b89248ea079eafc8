#include <span>
#include <string_view>

#include "archive.hpp"
#include "init.hpp"
#include "job.hpp"
#include "stub.hpp"
#include "text.hpp"
#include "verify.hpp"

int main(int argc, char** argv) {
    const std::span<char* const> arguments(argv, static_cast<std::size_t>(argc));
    const std::string_view command = arguments.size() > 1 ? arguments[1] : "";
    if (command == "init") return alca::init::run_init(arguments.subspan(2));
    if (command == "verify") return alca::init::run_verify(arguments.subspan(2));
    if (command == "archive") return alca::init::run_archive(arguments.subspan(2));
    if (command == "extract") return alca::init::run_extract(arguments.subspan(2));
    if (command == "stub") return alca::init::run_stub(arguments.subspan(2));
    if (command == "job") return alca::init::run_job(arguments.subspan(2));
    alca::init::complain("alca-init",
                         {"usage: alca-init init [--user UID:GID:NAME:HOME [--own DIRECTORY]...] "
                          "[--serve SOCKET] [--jobs DIRECTORY] [--grace-ms N]"
                          " | verify [--probe ADDRESS]... | stub [--refused ADDRESS]"
                          " | job DIRECTORY start|list|log|signal|end ..."
                          " | archive [--follow-link] NAME PATH | extract [--existing] NAME PATH"});
    return 2;
}
