#include "helpers/alca-init/terminal_name.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "helpers/alca-init/environment.hpp"

namespace alca::init {
namespace {

namespace fs = std::filesystem;

class TerminalNameTest : public testing::Test {
  protected:
    TerminalNameTest() {
        std::string directory = (fs::temp_directory_path() / "alca-terminfo-XXXXXX").string();
        root_ = ::mkdtemp(directory.data()) == nullptr ? fs::path() : fs::path(directory);
    }
    ~TerminalNameTest() override {
        std::error_code ignored;
        fs::remove_all(root_, ignored);
    }

    // "/usr/share/terminfo/x/xterm" of the image.
    void add(const std::string& path) const {
        const fs::path file = root_.string() + path;
        fs::create_directories(file.parent_path());
        std::ofstream(file) << "description";
    }
    void add_names(const std::vector<std::string>& names) const {
        for (const std::string& name : names)
            add("/usr/share/terminfo/" + name.substr(0, 1) + "/" + name);
    }
    [[nodiscard]] std::string known(const std::string& wanted,
                                    std::vector<std::string> environment = {}) const {
        StringList list;
        EXPECT_TRUE(list.reserve(environment.size()));
        for (std::string& entry : environment) list.add(entry.data());
        return std::string(known_terminal_name(wanted, list, root_.string()));
    }

  private:
    fs::path root_;
};

TEST_F(TerminalNameTest, AnEntryIsFoundInEachPlace) {
    const std::vector<std::string> environment{"HOME=/home/agent", "TERMINFO=/own",
                                               "TERMINFO_DIRS=/first::/second"};
    for (const char* directory :
         {"/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo",
          "/home/agent/.terminfo", "/own", "/first", "/second"}) {
        std::string name = std::string("f") + directory;
        std::replace(name.begin(), name.end(), '/', '-');
        EXPECT_EQ(known(name, environment), "xterm-256color") << directory;
        add(directory + std::string("/f/") + name);
        EXPECT_EQ(known(name, environment), name) << directory;
    }
}

TEST_F(TerminalNameTest, ADirectoryMayBeTheNumberOfTheLetter) {
    add("/usr/share/terminfo/78/xterm-kitty");
    EXPECT_EQ(known("xterm-kitty"), "xterm-kitty");
}

TEST_F(TerminalNameTest, TheFirstRelativeThatIsThereIsTaken) {
    add_names({"vt100"});
    EXPECT_EQ(known("tmux-256color"), "vt100");
    EXPECT_EQ(known("xterm-kitty"), "vt100");
    add_names({"xterm"});
    EXPECT_EQ(known("tmux-256color"), "xterm");
    EXPECT_EQ(known("linux"), "xterm");
    add_names({"xterm-256color"});
    EXPECT_EQ(known("tmux-256color"), "xterm-256color");
    EXPECT_EQ(known("alacritty"), "xterm-256color");
    EXPECT_EQ(known("vte-256color"), "xterm-256color");
    add_names({"screen-256color"});
    EXPECT_EQ(known("tmux-256color"), "screen-256color");
    EXPECT_EQ(known("xterm-ghostty"), "xterm-256color");
    add_names({"tmux-256color"});
    EXPECT_EQ(known("tmux-256color"), "tmux-256color");
}

TEST_F(TerminalNameTest, ColoursAreNotInvented) {
    add_names({"xterm-256color", "screen-256color", "vt100"});
    EXPECT_EQ(known("rxvt"), "vt100");
    EXPECT_EQ(known("tmux"), "vt100");
    EXPECT_EQ(known("vt320"), "vt100");
}

TEST_F(TerminalNameTest, WithoutTerminfoNamesThatProgramsKnowStay) {
    for (const char* name : {"xterm", "xterm-256color", "screen", "screen-256color", "linux",
                             "vt100", "ansi", "dumb", "dumb-emacs-ansi", "unknown"}) {
        EXPECT_EQ(known(name), name);
    }
    for (const char* name : {"xterm-kitty", "alacritty", "tmux-256color", "xterm-ghostty", "foot",
                             "wezterm", "screen.xterm-256color"}) {
        EXPECT_EQ(known(name), "xterm-256color") << name;
    }
    EXPECT_EQ(known("rxvt"), "xterm");
    EXPECT_EQ(known("vt320"), "vt100");
}

TEST_F(TerminalNameTest, ANameIsNoPath) {
    add_names({"xterm-256color"});
    add("/usr/share/secret");
    add("/usr/share/terminfo/x/x/y");
    EXPECT_EQ(known("../secret"), "xterm-256color");
    EXPECT_EQ(known("x/y"), "xterm-256color");
    EXPECT_EQ(known("x/../../../secret"), "xterm-256color");
    EXPECT_EQ(known("."), "xterm-256color");
}

TEST_F(TerminalNameTest, ADescriptionInTheEnvironmentIsEnough) {
    add_names({"xterm-256color"});
    EXPECT_EQ(known("foot", {"TERMINFO=hex:1A01"}), "foot");
    EXPECT_EQ(known("foot", {"TERMINFO=b64:GgE"}), "foot");
}

TEST_F(TerminalNameTest, NoNameIsAPlainTerminal) {
    EXPECT_EQ(known(""), "xterm");
    add_names({"vt100"});
    EXPECT_EQ(known(""), "vt100");
}

TEST(SetVariableTest, AnEntryIsReplacedOrAdded) {
    std::string term = "TERM=old";
    std::string other = "TERMINFO=/x";
    std::string fresh = "TERM=new";
    StringList list;
    ASSERT_TRUE(list.reserve(1));
    list.add(other.data());
    ASSERT_TRUE(set_variable(list, term.data()));
    ASSERT_TRUE(set_variable(list, fresh.data()));
    ASSERT_EQ(list.size(), 2U);
    EXPECT_STREQ(list.data()[0], "TERMINFO=/x");
    EXPECT_STREQ(list.data()[1], "TERM=new");
    EXPECT_EQ(list.data()[2], nullptr);
}

}  // namespace
}  // namespace alca::init
