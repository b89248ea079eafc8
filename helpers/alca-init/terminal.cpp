#include "terminal.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <cstdlib>

namespace alca::init {

bool open_terminal(WindowSize window, Terminal& terminal) {
    terminal.master = Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    const int master = terminal.master.get();
    if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) return false;
    // By the master, not by the name below /dev/pts: names can be mounted over.
    terminal.slave = Fd(::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!terminal.slave.is_open()) return false;
    const int flags = ::fcntl(master, F_GETFL);
    if (flags < 0 || ::fcntl(master, F_SETFL, flags | O_NONBLOCK) != 0) return false;
    termios modes{};
    if (::tcgetattr(terminal.slave.get(), &modes) != 0) return false;
    modes.c_iflag |= IUTF8;  // backspace in a line removes a whole character
    if (::tcsetattr(terminal.slave.get(), TCSANOW, &modes) != 0) return false;
    set_window(master, window);
    return true;
}

void set_window(int master, WindowSize window) {
    const winsize size{
        .ws_row = window.rows, .ws_col = window.columns, .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(master, TIOCSWINSZ, &size);
}

char end_of_file_byte(int master) {
    static constexpr char kControlD = 4;
    termios modes{};
    return ::tcgetattr(master, &modes) == 0 ? static_cast<char>(modes.c_cc[VEOF]) : kControlD;
}

}  // namespace alca::init
