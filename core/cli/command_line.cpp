#include "core/cli/command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>

#include "core/config/keys.hpp"

namespace alca::cli {
namespace {

bool is_word(const std::string& argument) { return argument.empty() || argument.front() != '-'; }

std::string nearest_of(const std::string& word, const std::vector<std::string>& names) {
    const std::vector<std::string_view> known(names.begin(), names.end());
    const std::string_view near = config::nearest(word, known);
    return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

std::vector<std::string> command_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(command->get_name());
    }
    return names;
}

// Of the command that was typed, down to its last word.
std::vector<std::string> option_names(const CLI::App& app) {
    const auto typed = app.get_subcommands();
    if (!typed.empty()) return option_names(*typed.front());
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

std::string message(const CLI::App* app, const CLI::Error& error) {
    const std::vector<std::string> extra = app->remaining(/*recurse=*/true);
    std::string text = error.what();
    const auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
    // A word that is no command is also why a command is missing.
    if ((code == CLI::ExitCodes::ExtrasError || code == CLI::ExitCodes::RequiredError) &&
        !extra.empty()) {
        const std::string& word = extra.front();
        text =
            is_word(word)
                ? fmt::format("unknown command '{}'{}", word, nearest_of(word, command_names(*app)))
                : fmt::format("unknown option '{}'{}", word, nearest_of(word, option_names(*app)));
    }
    return fmt::format("alca: {}\nSee: alca --help\n", text);
}

}  // namespace

void add_verbose(CLI::App& app, int& verbosity) {
    // Counted over all places: `alca -v up -v` is -vv.
    app.add_flag_function(
        "-v,--verbose", [&verbosity](std::int64_t count) { verbosity += static_cast<int>(count); },
        "More on stderr; -vv shows engine requests");
    for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        add_verbose(*command, verbosity);
    }
}

std::vector<std::string> without_separator(std::vector<std::string> arguments) {
    const auto run = std::find_if(arguments.begin(), arguments.end(), is_word);
    if (run == arguments.end() || *run != "run") return arguments;
    const auto next = std::find_if(run + 1, arguments.end(), [](const std::string& argument) {
        return is_word(argument) || argument == "--";
    });
    if (next != arguments.end() && *next == "--") arguments.erase(next);
    return arguments;
}

void use_our_messages(CLI::App& app) { app.failure_message(message); }

}  // namespace alca::cli
