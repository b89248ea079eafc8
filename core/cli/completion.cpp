#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <vector>

#include "core/cli/command.hpp"
#include "core/cli/console.hpp"

namespace alca::cli {
namespace {

// Words that may follow `command`: its sub-commands and its options.
std::vector<std::string> words(const CLI::App& command) {
    std::vector<std::string> all;
    for (const CLI::App* child : command.get_subcommands([](const CLI::App*) { return true; })) {
        all.push_back(child->get_name());
    }
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) all.push_back("--" + name);
    }
    return all;
}

// "case" branches: the words typed so far, without options -> what may come next.
std::string branches(const CLI::App& command, const std::string& path) {
    std::string text =
        fmt::format("        '{}') words='{}' ;;\n", path, fmt::join(words(command), " "));
    for (const CLI::App* child : command.get_subcommands([](const CLI::App*) { return true; })) {
        text += branches(*child, path + child->get_name() + " ");
    }
    return text;
}

std::string bash(const CLI::App& app) {
    return "_alca() {\n"
           "    local typed='' word words=''\n"
           "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
           "        [[ $word == -* ]] || typed+=\"$word \"\n"
           "    done\n"
           "    case \"$typed\" in\n" +
           branches(app, "") +
           "        *) COMPREPLY=($(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\")); return ;;\n"
           "    esac\n"
           "    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
           "}\n"
           "complete -F _alca alca\n";
}

std::string fish_level(const CLI::App& command, const std::string& condition) {
    std::string text;
    for (const CLI::App* child : command.get_subcommands([](const CLI::App*) { return true; })) {
        text += fmt::format("complete -c alca -n '{}' -a {}\n", condition, child->get_name());
        text += fish_level(*child, "__fish_seen_subcommand_from " + child->get_name());
    }
    for (const CLI::Option* option : command.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            text += fmt::format("complete -c alca -n '{}' -l {}\n", condition, name);
        }
    }
    return text;
}

int completion(const CLI::App& app, const std::string& shell) {
    if (shell == "fish") {
        print("complete -c alca -f\n" + fish_level(app, "__fish_use_subcommand"));
    } else if (shell == "zsh") {
        print("autoload -U +X bashcompinit && bashcompinit\n" + bash(app));
    } else {
        print(bash(app));
    }
    return exit_ok;
}

}  // namespace

void add_completion(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("completion", "Print a completion script for your shell");
    auto shell = std::make_shared<std::string>();
    command->add_option("SHELL", *shell, "bash, zsh or fish")
        ->required()
        ->check(CLI::IsMember({"bash", "zsh", "fish"}));
    command->footer("Example:\n  source <(alca completion bash)");
    command->callback([&app, &program, shell] {
        program.command = [&app, shell] { return completion(app, *shell); };
    });
}

}  // namespace alca::cli
