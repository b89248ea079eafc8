#include "terminal_name.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "environment.hpp"
#include "text.hpp"

namespace alca::init {
namespace {

constexpr std::string_view kNothingKnown = "xterm";  // as engines do
constexpr std::string_view kDefaultDirectories =
    "/etc/terminfo:/lib/terminfo:/usr/share/terminfo:/usr/lib/terminfo";

// Terminals whose name begins so.
struct Family {
    std::string_view prefix;
    std::array<std::string_view, 5> relatives;  // tried in this order
    std::string_view without_terminfo;          // "": the name stays
};
constexpr std::array<std::string_view, 5> kLikeXterm{"xterm-256color", "xterm", "vt100"};
constexpr std::array<std::string_view, 5> kLikeScreen{"screen-256color", "screen", "xterm-256color",
                                                      "xterm", "vt100"};
// The first that fits.
constexpr std::array kFamilies{
    Family{"dumb", {}, ""},
    Family{"unknown", {}, ""},
    Family{"vte", kLikeXterm, "xterm-256color"},
    Family{"vt", {"vt220", "vt102", "vt100"}, "vt100"},
    Family{"ansi", {"vt100"}, "vt100"},
    Family{"linux", {"xterm", "vt100"}, "linux"},
    Family{"tmux", kLikeScreen, "xterm-256color"},
    Family{"screen", kLikeScreen, "xterm-256color"},
    // Nearly all that is in use is made to be taken for an xterm.
    Family{"", kLikeXterm, "xterm-256color"},
};
// Have 8 colours, and must not be taken for one of 256.
constexpr std::array<std::string_view, 5> kFewColours{"xterm", "xterm-color", "screen", "tmux",
                                                      "rxvt"};
// What programs that bring descriptions of their own know.
constexpr std::array<std::string_view, 9> kBuiltIn{"xterm",  "xterm-256color",  "xterm-color",
                                                   "screen", "screen-256color", "linux",
                                                   "vt100",  "vt220",           "ansi"};

template <class List>
bool contains(const List& list, std::string_view name) {
    return std::find(list.begin(), list.end(), name) != list.end();
}

const Family& family_of(std::string_view name) {
    return *std::find_if(kFamilies.begin(), kFamilies.end(), [name](const Family& family) {
        return name.substr(0, family.prefix.size()) == family.prefix;
    });
}

// Where descriptions are looked for.
class Terminfo {
  public:
    Terminfo(const StringList& environment, std::string_view root)
        : environment_(environment), root_(root) {}

    [[nodiscard]] bool has(std::string_view name) const {
        if (name.empty() || name.front() == '.' || name.find('/') != std::string_view::npos)
            return false;
        const std::string_view own = variable("TERMINFO");
        // Not a directory, but the description itself.
        if (own.substr(0, 4) == "hex:" || own.substr(0, 4) == "b64:") return true;
        if (is_in(own, "", name)) return true;
        const std::string_view home = variable("HOME");
        if (!home.empty() && is_in(home, "/.terminfo", name)) return true;
        return is_in_any(variable("TERMINFO_DIRS"), name) || is_in_any(kDefaultDirectories, name);
    }

  private:
    [[nodiscard]] std::string_view variable(std::string_view name) const {
        const char* value = find_variable(environment_, name);
        return value == nullptr ? std::string_view() : std::string_view(value);
    }

    [[nodiscard]] bool is_in_any(std::string_view directories, std::string_view name) const {
        while (!directories.empty()) {
            const std::size_t end = std::min(directories.find(':'), directories.size());
            if (is_in(directories.substr(0, end), "", name)) return true;
            directories.remove_prefix(std::min(end + 1, directories.size()));
        }
        return false;
    }

    // Below a directory of the name's first letter; some systems write it as a number.
    [[nodiscard]] bool is_in(std::string_view directory, std::string_view below,
                             std::string_view name) const {
        static constexpr std::string_view kDigits = "0123456789abcdef";
        if (directory.empty()) return false;
        const auto first = static_cast<unsigned char>(name.front());
        const std::array<char, 2> number{kDigits[first >> 4U], kDigits[first & 15U]};
        for (const std::string_view letter :
             {name.substr(0, 1), std::string_view(number.data(), number.size())}) {
            Text path;
            path.set({root_, directory, below, "/", letter, "/", name});
            if (::access(path.c_str(), R_OK) == 0) return true;
        }
        return false;
    }

    const StringList& environment_;
    std::string_view root_;
};

}  // namespace

std::string_view known_terminal_name(std::string_view wanted, const StringList& environment,
                                     std::string_view root) {
    if (wanted.empty()) wanted = kNothingKnown;
    const Terminfo terminfo(environment, root);
    if (terminfo.has(wanted)) return wanted;
    const Family& family = family_of(wanted);
    const bool has_few_colours = contains(kFewColours, wanted);
    for (const std::string_view name : family.relatives) {
        const bool has_many = name.find("-256color") != std::string_view::npos;
        if ((!has_many || !has_few_colours) && terminfo.has(name)) return name;
    }
    if (family.without_terminfo.empty() || contains(kBuiltIn, wanted)) return wanted;
    return has_few_colours ? kNothingKnown : family.without_terminfo;
}

bool set_known_terminal_name(StringList& environment, Bytes& storage) {
    const char* value = find_variable(environment, "TERM");
    const std::string_view wanted = value == nullptr ? std::string_view() : std::string_view(value);
    const std::string_view name = known_terminal_name(wanted, environment, "");
    if (name == wanted) return true;
    return storage.append("TERM=") && storage.append(name) &&
           storage.append(std::string_view("\0", 1)) && set_variable(environment, storage.data());
}

}  // namespace alca::init
